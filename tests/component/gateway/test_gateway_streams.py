"""Streams of chats: real gateways over HTTP, the real chat-agent, real NATS and PostgreSQL."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeout

from basejump_chat_agent.adapters import chat_rows
from basejump_chat_agent.adapters.chat_stream import ChatStream
from basejump_common.bus import REVOCATIONS, Bus
from basejump_common.bus.permissions import OPERATOR
from basejump_common.bus.topology import CHAT_STREAM
from basejump_common.contracts import chat, wire
from basejump_common.contracts.chat import CreateChat, Message, MessageType
from basejump_common.security.principal import Credential, Principal, Role
from basejump_common.security.tokens import Signer
from basejump_common.storage.database import Database
from basejump_devstack import services
from basejump_devstack.child import free_port
from gateway_backend import client_of, problem_of, running
from identity import within
from installation import Installation
from sse import Event, Reader, listening


@pytest.fixture(scope="module")
async def database(installation: Installation, signer: Signer) -> AsyncIterator[Database]:
    """chat-agent's, while it runs; no other service does."""
    async with (
        installation.running("chat-agent", patience_seconds="1"),
        installation.storage("chat-agent") as opened,
    ):
        yield opened


@pytest.fixture(scope="module")
async def api(installation: Installation, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with running(installation, heartbeat_seconds="0.2") as url, client_of(url) as client:
        yield client


@pytest.fixture(scope="module")
async def agent(installation: Installation) -> AsyncIterator[Bus]:
    """What chat-agent publishes with."""
    async with installation.bus("chat-agent") as bus:
        yield bus


@dataclass(frozen=True)
class Member:
    """Somebody with a token for 15 minutes, or as long as a test says."""

    signer: Signer
    role: Role = Role.MEMBER
    client_uuid: UUID = field(default_factory=uuid4)
    user_uuid: UUID = field(default_factory=uuid4)
    session_uuid: UUID = field(default_factory=uuid4)

    def bearer(self, seconds: float = 900, **more: str) -> dict[str, str]:
        principal = Principal(
            credential=Credential.ACCESS,
            role=self.role,
            client_uuid=self.client_uuid,
            user_uuid=self.user_uuid,
            session_uuid=self.session_uuid,
        )
        return {"Authorization": f"Bearer {self.signer.sign(principal, seconds)[0].reveal()}"} | more


@dataclass(frozen=True)
class Room:
    """A chat, its owner, and somebody who says things in it."""

    owner: Member
    chat_uuid: UUID
    agent: Bus

    @property
    def url(self) -> str:
        return f"/api/v1/chat/{self.chat_uuid}/stream/"

    async def say(self, content: str, msg_type: MessageType = MessageType.STATUS) -> bytes:
        """The bytes of a message, published as chat-agent publishes."""
        message = Message(
            msg_uuid=uuid4(),
            chat_uuid=self.chat_uuid,
            role="assistant",
            msg_type=msg_type,
            content=content,
            timestamp=datetime.now(UTC),
            prompt_uuid=uuid4(),
        )
        await ChatStream(self.agent, 5.0).say_surely(self.owner.client_uuid, message)
        return wire.encode(message)

    @asynccontextmanager
    async def followed(self, api: httpx.AsyncClient, **arguments: Any) -> AsyncIterator[Reader]:
        headers = self.owner.bearer() | arguments.pop("headers", {})
        async with listening(api, "GET", self.url, headers=headers, **arguments) as reader:
            yield reader

    async def ticket(self, api: httpx.AsyncClient) -> str:
        response = await api.post(f"/api/v1/chat/{self.chat_uuid}/stream-ticket/", headers=self.owner.bearer())
        assert response.status_code == 200, response.text
        return str(response.json()["ticket"])


async def room_of(database: Database, agent: Bus, owner: Member) -> Room:
    """A chat as `chat.create` leaves it."""
    async with database.tenant(owner.client_uuid) as tx:
        request = CreateChat(team_uuid=uuid4())
        made = await chat_rows.insert(tx, owner.client_uuid, owner.user_uuid, uuid4(), request)
    return Room(owner, made.chat_uuid, agent)


@pytest.fixture
async def room(database: Database, agent: Bus, signer: Signer) -> Room:
    return await room_of(database, agent, Member(signer))


def contents(events: list[Event]) -> list[str]:
    return [event.json["content"] for event in events if event.name == "message"]


def ending(event: Event) -> str:
    assert event.name == "end"
    assert event.json["detail"]
    return str(event.json["reason"])


# -- asking -------------------------------------------------------------------------------------------------------


async def test_a_question_streams_its_messages_and_ends_with_the_final_one(api: httpx.AsyncClient, room: Room) -> None:
    url = f"/api/v1/chat/{room.chat_uuid}/message/"
    headers = room.owner.bearer(Accept="text/html;q=0.5, text/event-stream")
    async with (
        room.followed(api) as chats,
        listening(api, "POST", url, headers=headers, json={"prompt": "How many?"}) as reader,
    ):
        events = await reader.rest(10)
        assert [event.json["msg_type"] for event in events] == ["initial", "error"]  # no other service runs
        followed = [await chats.next() for _ in events]
    stored = await api.get(f"/api/v1/chat/message/{events[0].json['msg_uuid']}/", headers=room.owner.bearer())
    assert events[-1].data == stored.text == followed[-1].data
    assert events[0].data == followed[0].data
    assert events[-1].last_id == followed[-1].last_id


async def test_the_answer_that_the_call_waits_for_is_byte_for_byte_the_streams(
    api: httpx.AsyncClient, room: Room
) -> None:
    async with room.followed(api) as reader:
        url = f"/api/v1/chat/{room.chat_uuid}/message/"
        answer = await api.post(url, headers=room.owner.bearer(), json={"prompt": "How many?"})
        heard = [await reader.next(), await reader.next()]
    assert heard[-1].data.encode() == answer.content
    assert int(heard[0].last_id) < int(heard[1].last_id)


async def test_until_the_question_is_stored_what_is_wrong_is_a_problem(api: httpx.AsyncClient, room: Room) -> None:
    headers = room.owner.bearer(Accept="text/event-stream")
    url = f"/api/v1/chat/{room.chat_uuid}/message/"
    problem_of(await api.post(url, headers=headers, json={"prompt": ""}), 422)
    problem_of(await api.post(url, headers={"Accept": "text/event-stream"}, json={"prompt": "a"}), 401)
    problem_of(await api.post(f"/api/v1/chat/{uuid4()}/message/", headers=headers, json={"prompt": "a"}), 404)


# -- following ----------------------------------------------------------------------------------------------------


async def test_a_chat_is_followed_from_now_on(api: httpx.AsyncClient, room: Room) -> None:
    await room.say("before")
    async with room.followed(api) as reader:
        said = [await room.say(f"number {n}") for n in range(5)]
        heard = [await reader.next() for _ in said]
        assert reader.retry == 1000
    assert [event.data.encode() for event in heard] == said
    assert reader.response.headers["cache-control"] == "no-store"


async def test_what_was_said_after_the_last_id_comes_first(api: httpx.AsyncClient, room: Room) -> None:
    async with room.followed(api) as reader:
        await room.say("one")
        last_id = (await reader.next()).last_id
    await room.say("two")
    for resuming in ({"headers": {"Last-Event-ID": last_id}}, {"params": {"last_event_id": last_id}}):
        async with room.followed(api, **resuming) as reader:
            await room.say("live")
            assert contents([await reader.next(), await reader.next()])[0] == "two"


async def test_the_header_counts_before_the_query(api: httpx.AsyncClient, room: Room) -> None:
    async with room.followed(api) as reader:
        begun = await reader.placed()
        for content in ("one", "two"):
            await room.say(content)
        first = await reader.next()
    assert int(begun) < int(first.last_id)
    headers, params = {"Last-Event-ID": first.last_id}, {"last_event_id": begun}
    async with room.followed(api, headers=headers, params=params) as reader:
        assert contents([await reader.next()]) == ["two"]


async def test_a_stream_that_was_silent_is_resumed_from_where_it_was_opened(api: httpx.AsyncClient, room: Room) -> None:
    async with room.followed(api) as reader:
        await reader.placed()
    await room.say("missed")
    async with room.followed(api, headers={"Last-Event-ID": reader.last_id}) as reader:
        assert contents([await reader.next()]) == ["missed"]


async def test_a_reader_slower_than_the_chat_misses_nothing(
    api: httpx.AsyncClient, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("basejump_gateway.feed.WAITING", 3)
    async with room.followed(api) as reader:
        await asyncio.gather(*(room.say(f"{n}") for n in range(100)))
        heard = [await reader.next() for _ in range(100)]
    assert sorted(contents(heard), key=int) == [f"{n}" for n in range(100)]
    places = [int(event.last_id) for event in heard]
    assert places == sorted(set(places))


async def test_ids_that_the_stream_no_longer_keeps_are_told_as_a_gap(
    api: httpx.AsyncClient, room: Room, installation: Installation
) -> None:
    async with room.followed(api) as reader:
        for content in ("old", "kept"):
            await room.say(content)
        old, kept = await reader.next(), await reader.next()
    async with installation.bus(OPERATOR) as bus:
        await bus.jetstream.purge_stream(CHAT_STREAM, seq=int(kept.last_id))
    async with room.followed(api, headers={"Last-Event-ID": old.last_id}) as reader:
        assert contents([await reader.next()]) == ["kept"]  # nothing of it is missing
    for unknown in (str(int(old.last_id) - 1), str(10**15)):
        async with room.followed(api, headers={"Last-Event-ID": unknown}) as reader:
            gap = await reader.next()
            assert gap.name == "gap"
            assert "list of messages" in gap.json["detail"]
            assert contents([await reader.next()]) == ["kept"]


async def test_a_silent_stream_is_kept_open(api: httpx.AsyncClient, room: Room) -> None:
    async with room.followed(api) as reader:
        await asyncio.sleep(1.0)
        assert 2 <= reader.comments <= 6
        assert reader.events == []


async def test_a_deleted_chat_ends_its_streams(api: httpx.AsyncClient, room: Room) -> None:
    async with room.followed(api) as reader:
        await api.delete(f"/api/v1/chat/{room.chat_uuid}/", headers=room.owner.bearer())
        assert ending((await reader.rest())[-1]) == "chat_deleted"
    problem_of(await api.get(room.url, headers=room.owner.bearer()), 404)


async def test_hanging_up_leaves_no_subscription_behind(
    api: httpx.AsyncClient, room: Room, installation: Installation
) -> None:
    subject = chat.live_subject(room.owner.client_uuid, room.chat_uuid, uuid4())
    async with installation.bus(OPERATOR) as bus:
        async with room.followed(api):
            with pytest.raises(NatsTimeout):  # somebody listens
                await bus.nats.request(subject, b"", timeout=0.1)
        await asyncio.sleep(0.2)
        with pytest.raises(NoRespondersError):
            await bus.nats.request(subject, b"", timeout=0.1)


# -- who may ------------------------------------------------------------------------------------------------------


async def test_a_stream_is_its_owners_and_the_admins(api: httpx.AsyncClient, room: Room, signer: Signer) -> None:
    client_uuid = room.owner.client_uuid
    for other in (Member(signer, client_uuid=client_uuid), Member(signer), Member(signer, Role.ADMIN)):
        problem_of(await api.get(room.url, headers=other.bearer()), 404)
        problem_of(await api.post(room.url.replace("stream", "stream-ticket"), headers=other.bearer()), 404)
    async with listening(api, "GET", room.url, headers=Member(signer, Role.ADMIN, client_uuid).bearer()) as reader:
        await room.say("to the admin")
        assert contents([await reader.next()]) == ["to the admin"]


async def test_without_token_or_ticket_nothing_opens(api: httpx.AsyncClient, room: Room) -> None:
    problem_of(await api.get(room.url), 401)
    problem_of(await api.get(room.url, headers={"client-secret": "x"}), 401)
    problem_of(await api.get(room.url.replace(str(room.chat_uuid), "not-a-uuid")), 401)


@pytest.mark.parametrize("last_id", ["x", "-1", "1.5", "9" * 40])
async def test_a_last_id_that_is_none_is_named(api: httpx.AsyncClient, room: Room, last_id: str) -> None:
    refused = problem_of(await api.get(room.url, headers=room.owner.bearer() | {"Last-Event-ID": last_id}), 422)
    assert refused["errors"][0]["field"] == "Last-Event-ID"
    problem_of(await api.get(room.url, params={"last_event_id": last_id}, headers=room.owner.bearer()), 422)


async def test_a_user_has_a_bounded_number_of_streams(
    installation: Installation, database: Database, room: Room
) -> None:
    async with running(installation, streams_per_user="2") as url, client_of(url) as api, room.followed(api):
        async with room.followed(api):
            refused = await api.get(room.url, headers=room.owner.bearer())
            assert problem_of(refused, 429)["code"] == "too_many_requests"
        await asyncio.sleep(0.1)
        async with room.followed(api):
            pass


async def test_a_revoked_users_stream_closes_within_seconds(
    api: httpx.AsyncClient, room: Room, installation: Installation
) -> None:
    async with room.followed(api) as reader, installation.bus("auth") as auth:
        started = time.monotonic()
        await auth.put(REVOCATIONS, f"user.{room.owner.user_uuid}", str(int(time.time())).encode())
        assert ending((await reader.rest())[-1]) == "revoked"
        assert time.monotonic() - started < 5
    problem_of(await api.get(room.url, headers=room.owner.bearer(0.5)), 401)


async def test_a_stream_ends_with_its_token(api: httpx.AsyncClient, room: Room) -> None:
    async with listening(api, "GET", room.url, headers=room.owner.bearer(2)) as reader:
        await room.say("in time")
        heard = await reader.rest()
    assert contents(heard) == ["in time"]
    assert ending(heard[-1]) == "token_expired"


# -- tickets ------------------------------------------------------------------------------------------------------


async def test_a_ticket_opens_the_stream_once(api: httpx.AsyncClient, room: Room) -> None:
    ticket = await room.ticket(api)
    async with listening(api, "GET", room.url, params={"ticket": ticket}) as reader:
        await room.say("hello")
        assert contents([await reader.next()]) == ["hello"]
        problem_of(await api.get(room.url, params={"ticket": ticket}), 401)


async def test_of_many_who_bring_one_ticket_to_two_gateways_one_gets_in(
    installation: Installation, api: httpx.AsyncClient, room: Room
) -> None:
    ticket = await room.ticket(api)
    async with running(installation) as url, client_of(url) as other:

        async def status(client: httpx.AsyncClient) -> int:
            async with client.stream("GET", room.url, params={"ticket": ticket}) as response:
                return response.status_code

        assert sorted(await asyncio.gather(*(status(c) for c in (api, other) * 4))) == [200] + [401] * 7


async def test_a_ticket_is_for_one_chat_and_tells_nothing_of_others(
    api: httpx.AsyncClient, database: Database, agent: Bus, room: Room, signer: Signer
) -> None:
    ticket = await room.ticket(api)
    for owner in (room.owner, Member(signer)):
        other = await room_of(database, agent, owner)
        problem_of(await api.get(other.url, params={"ticket": ticket}), 401)
    problem_of(await api.get(room.url.replace(str(room.chat_uuid), str(uuid4())), params={"ticket": ticket}), 401)
    async with listening(api, "GET", room.url, params={"ticket": ticket}):  # was not used up by that
        pass


async def test_a_ticket_is_good_for_thirty_seconds(api: httpx.AsyncClient, database: Database, room: Room) -> None:
    ticket = await room.ticket(api)
    async with database.tenant(room.owner.client_uuid) as tx:
        left = await tx.fetchval("select extract(epoch from expires_at - now())::float from stream_ticket")
        assert 25 < left <= 30
        await tx.execute("update stream_ticket set expires_at = now()")
    problem_of(await api.get(room.url, params={"ticket": ticket}), 401)
    await room.ticket(api)
    async with database.tenant(room.owner.client_uuid) as tx:
        assert await tx.fetchval("select count(*) from stream_ticket") == 1  # expired ones are swept
        kept = await tx.fetchval("select ticket_hash from stream_ticket")
    assert len(kept) == 32  # a hash, not the ticket


@pytest.mark.parametrize("ticket", ["", "x", "st_", "st_" + "A" * 64, "st_" + "A" * 5000, "st_ä" + "A" * 63, "st_%00"])
async def test_what_is_no_ticket_opens_nothing(api: httpx.AsyncClient, room: Room, ticket: str) -> None:
    response = await api.get(room.url, params={"ticket": ticket})
    assert response.status_code in (401, 422), response.text
    problem_of(response, response.status_code)


async def test_a_stream_opened_by_ticket_ends_with_the_token_that_got_it(api: httpx.AsyncClient, room: Room) -> None:
    url = room.url.replace("stream", "stream-ticket")
    got = await api.post(url, headers=room.owner.bearer(3))
    async with listening(api, "GET", room.url, params={"ticket": got.json()["ticket"]}) as reader:
        assert ending((await reader.rest())[-1]) == "token_expired"


# -- gateways that end --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Gateway:
    """A gateway in a process of its own."""

    process: asyncio.subprocess.Process
    client: httpx.AsyncClient

    async def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        async with asyncio.timeout(20):
            return await self.process.wait()


@asynccontextmanager
async def gateways(installation: Installation, count: int) -> AsyncIterator[list[Gateway]]:
    async with AsyncExitStack() as stack:
        started = [await _gateway(installation, stack) for _ in range(count)]
        for gateway in started:
            assert await within(30, partial(is_ready, gateway.client))
        yield started


async def _gateway(installation: Installation, stack: AsyncExitStack) -> Gateway:
    port = free_port(0)
    environment = services.settings("gateway", installation.around) | {"BASEJUMP_PORT": str(port)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", services.module("gateway"), env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    client = await stack.enter_async_context(client_of(f"http://127.0.0.1:{port}"))
    gateway = Gateway(process, client)

    async def end() -> None:
        if process.returncode is None:
            await gateway.end(signal.SIGKILL)

    stack.push_async_callback(end)
    return gateway


async def is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/ready")).status_code == 200
    except httpx.TransportError:
        return False


async def test_a_gateway_is_killed_and_its_reader_goes_on_at_another_without_loss_or_repeat(
    installation: Installation, room: Room
) -> None:
    async with gateways(installation, 2) as (first, second):
        heard: list[Event] = []
        saying = asyncio.create_task(say_slowly(room, 200))
        async with room.followed(first.client) as reader:
            while len(heard) < 60:
                heard.append(await reader.next())
            await first.end(signal.SIGKILL)
            await asyncio.sleep(0.1)
            heard = list(reader.events)
            last_id = reader.last_id
        async with room.followed(second.client, headers={"Last-Event-ID": last_id}) as reader:
            while len(heard) < 200:
                heard.append(await reader.next())
            said = await saying
            assert [event.data.encode() for event in heard] == said
            await asyncio.sleep(0.2)
            assert len(reader.events) == 200 - heard.index(reader.events[0])
        assert len({event.last_id for event in heard}) == 200


async def say_slowly(room: Room, count: int) -> list[bytes]:
    await asyncio.sleep(0.2)
    said = []
    for number in range(count):
        said.append(await room.say(f"{number}"))
        await asyncio.sleep(0.003)
    return said


async def test_at_sigterm_a_hundred_open_streams_are_told_to_connect_again_and_end_whole(
    installation: Installation, room: Room
) -> None:
    async with gateways(installation, 1) as (gateway,), AsyncExitStack() as stack:
        limits = httpx.Limits(max_connections=200)
        client = await stack.enter_async_context(
            httpx.AsyncClient(base_url=gateway.client.base_url, limits=limits, timeout=30)
        )
        readers = await asyncio.gather(*(stack.enter_async_context(room.followed(client)) for _ in range(100)))
        last = await room.say("to all")
        for reader in readers:
            assert (await reader.next()).data.encode() == last
        started = time.monotonic()
        assert await gateway.end(signal.SIGTERM) == 0
        assert time.monotonic() - started < 5
        for reader in readers:
            (end,) = await reader.rest()
            assert ending(end) == "draining"
            assert 1000 <= reader.retry <= 2000
