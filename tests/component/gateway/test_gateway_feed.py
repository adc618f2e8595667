"""Following a chat while NATS goes and comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from basejump_common.bus import Bus
from basejump_common.bus.topology import declare
from basejump_common.contracts import chat
from basejump_common.errors import Unavailable
from basejump_common.security.secret import Secret
from basejump_devstack.nats import EmbeddedNats
from basejump_gateway.feed import ChatFeed, Deleted, Drained, Listener

CLIENT, CHAT, PROMPT = uuid4(), uuid4(), uuid4()


@pytest.fixture
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedNats]:
    """A NATS server that a test may kill."""
    async with EmbeddedNats(tmp_path_factory.mktemp("feed"), users=()) as nats, connected(nats) as bus:
        await declare(bus.jetstream)
        yield nats


@asynccontextmanager
async def connected(server: EmbeddedNats) -> AsyncIterator[Bus]:
    bus = await Bus.connect(server.url, "any", Secret("any"))
    try:
        yield bus
    finally:
        await bus.close()


async def say(bus: Bus, *contents: str, about: object = PROMPT) -> None:
    for content in contents:
        subject = chat.stream_subject(CLIENT, CHAT, str(about))
        await bus.publish_durably(subject, uuid4().hex, content.encode())


async def heard(listener: Listener, count: int) -> list[str]:
    async with asyncio.timeout(10):
        return [(await listener.next()).data.decode() for _ in range(count)]


async def test_what_is_said_while_nats_is_lost_to_the_gateway_is_heard_once_it_is_back(server: EmbeddedNats) -> None:
    async with connected(server) as bus, ChatFeed(bus).listening(CLIENT, CHAT) as listener:
        async with connected(server) as agent:
            await say(agent, "one", "two")
        assert await heard(listener, 2) == ["one", "two"]
        server.kill()
        waiting = asyncio.create_task(heard(listener, 4))
        await asyncio.sleep(0.1)
        await server.start()
        async with connected(server) as agent:
            await say(agent, "three", "four")  # sooner than the gateway's own connection is back
            await asyncio.sleep(0.5)
            await say(agent, "five", "six")
        assert await waiting == ["three", "four", "five", "six"]


async def test_a_wait_that_is_given_up_loses_nothing(server: EmbeddedNats) -> None:
    async with connected(server) as bus, ChatFeed(bus).listening(CLIENT, CHAT) as listener:
        told: list[str] = []
        saying = asyncio.create_task(say(bus, *(f"{n}" for n in range(100))))
        async with asyncio.timeout(20):
            while len(told) < 100:
                try:
                    async with asyncio.timeout(0.0005):
                        told += await heard(listener, 1)
                except TimeoutError:
                    listener.may_have_missed()
        await saying
    assert told == [f"{n}" for n in range(100)]


async def test_other_chats_and_prompts_are_not_heard(server: EmbeddedNats) -> None:
    async with connected(server) as bus, ChatFeed(bus).listening(CLIENT, CHAT, PROMPT) as listener:
        await say(bus, "another prompt's", about=uuid4())
        await bus.publish_durably(chat.stream_subject(CLIENT, uuid4(), PROMPT), uuid4().hex, b"another chat's")
        await bus.publish_durably(chat.stream_subject(uuid4(), CHAT, PROMPT), uuid4().hex, b"another client's")
        listener.may_have_missed()
        await say(bus, "ours")
        assert await heard(listener, 1) == ["ours"]


async def test_a_deleted_chat_and_a_gateway_that_ends_are_told_apart(server: EmbeddedNats) -> None:
    async with connected(server) as bus:
        feed = ChatFeed(bus)
        async with feed.listening(CLIENT, CHAT) as one, feed.listening(CLIENT, uuid4()) as other:
            await say(bus, "{}", about=chat.DELETED)
            with pytest.raises(Deleted):
                await one.next()
            feed.drain()
            with pytest.raises(Drained):
                await other.next()
        async with feed.listening(CLIENT, CHAT) as late:
            with pytest.raises(Drained):
                await late.next()


async def test_nothing_is_followed_while_nats_is_away(server: EmbeddedNats) -> None:
    async with connected(server) as bus:
        feed = ChatFeed(bus)
        server.kill()
        await asyncio.sleep(0.2)
        with pytest.raises(Unavailable):
            async with feed.listening(CLIENT, CHAT):
                pass
        with pytest.raises(Unavailable):
            await feed.window()
        await server.start()
