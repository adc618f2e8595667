"""Operations over real NATS with the permissions that the contracts give."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest
from nats.aio.client import Client

from basejump_common.bus import KEYS, REVOCATIONS, Bus, Context, KeyValueMirror, Server, handle
from basejump_common.bus.permissions import EXTERNAL
from basejump_common.contracts import account, auth
from basejump_common.contracts.common import PageRequest
from basejump_common.errors import (
    Conflict,
    DeadlineExceeded,
    Forbidden,
    Internal,
    InvalidInput,
    Unauthenticated,
    Unavailable,
)
from basejump_common.security.principal import Credential, Principal, Role
from basejump_common.security.secret import Secret
from basejump_common.security.tokens import Signer, Verifier
from installation import Installation

CLIENT, USER = uuid4(), uuid4()


@pytest.fixture(scope="module")
async def gateway(installation: Installation) -> AsyncIterator[Bus]:
    async with installation.bus("gateway") as bus:
        yield bus


@pytest.fixture
async def verified(installation: Installation) -> AsyncIterator[tuple[Bus, Verifier]]:
    async with (
        installation.bus("account") as bus,
        KeyValueMirror(bus, KEYS).running() as keys,
        KeyValueMirror(bus, REVOCATIONS).running() as revocations,
    ):
        await asyncio.gather(keys.wait_fresh(), revocations.wait_fresh())
        yield bus, Verifier(keys, revocations)


def token(signer: Signer, role: Role = Role.ADMIN, credential: Credential = Credential.ACCESS) -> Secret:
    principal = Principal(credential=credential, role=role, client_uuid=CLIENT, user_uuid=USER, session_uuid=uuid4())
    return signer.sign(principal, 60)[0]


async def no_teams(context: Context, request: PageRequest) -> account.TeamPage:
    assert context.caller.client_uuid == CLIENT
    return account.TeamPage(data=(), next_cursor=str(request.limit))


async def test_a_call_reaches_the_function_with_the_verified_caller(
    verified: tuple[Bus, Verifier], gateway: Bus, signer: Signer
) -> None:
    server = Server(verified[0], "account", [handle(account.LIST_TEAMS, no_teams)], verified[1])
    await server.start()
    reply = await gateway.call(account.LIST_TEAMS, PageRequest(limit=7), Context.new(token(signer)))
    assert reply.next_cursor == "7"
    await server.drain()


@pytest.mark.parametrize(
    ("credential", "role", "error"),
    [
        (None, Role.ADMIN, Unauthenticated),
        (Credential.REFRESH, Role.ADMIN, Unauthenticated),
        (Credential.CLIENT_SECRET, Role.OWNER, Unauthenticated),
        (Credential.ACCESS, Role.MEMBER, Forbidden),
    ],
)
async def test_a_call_without_the_right_credential_does_not_reach_the_function(
    verified: tuple[Bus, Verifier],
    gateway: Bus,
    signer: Signer,
    credential: Credential | None,
    role: Role,
    error: type[Exception],
) -> None:
    async def never(_context: Context, _request: account.CreateTeam) -> account.Team:
        raise AssertionError("reached")

    server = Server(verified[0], "account", [handle(account.CREATE_TEAM, never)], verified[1])
    await server.start()
    sent = None if credential is None else token(signer, role, credential)
    with pytest.raises(error):
        await gateway.call(account.CREATE_TEAM, account.CreateTeam(team_name="a"), Context.new(sent))
    await server.drain()


async def test_errors_cross_the_bus_and_unknown_ones_tell_nothing(
    verified: tuple[Bus, Verifier], gateway: Bus, signer: Signer
) -> None:
    async def fail(_context: Context, request: account.CreateTeam) -> account.Team:
        if request.team_name == "ours":
            raise Conflict("taken", details={"why": "test"})
        raise RuntimeError("a secret: hunter2")

    server = Server(verified[0], "account", [handle(account.CREATE_TEAM, fail)], verified[1])
    await server.start()
    context = Context.new(token(signer))
    with pytest.raises(Conflict) as conflict:
        await gateway.call(account.CREATE_TEAM, account.CreateTeam(team_name="ours"), context)
    assert (conflict.value.message, conflict.value.details) == ("taken", {"why": "test"})
    with pytest.raises(Internal) as internal:
        await gateway.call(account.CREATE_TEAM, account.CreateTeam(team_name="theirs"), context)
    assert "hunter2" not in str(vars(internal.value))
    with pytest.raises(InvalidInput):
        await gateway.call_bytes(account.CREATE_TEAM, b'{"team_name": 1}', context)
    await server.drain()


async def test_nobody_there_is_unavailable_at_once_and_too_slow_is_a_deadline(
    verified: tuple[Bus, Verifier], gateway: Bus, signer: Signer
) -> None:
    started = time.perf_counter()
    with pytest.raises(Unavailable):
        await gateway.call(account.LIST_TEAMS, PageRequest(), Context.new(token(signer)))
    assert time.perf_counter() - started < 1.0

    async def slow(_context: Context, _request: PageRequest) -> account.TeamPage:
        await asyncio.sleep(5)
        raise AssertionError("not canceled at the deadline")

    server = Server(verified[0], "account", [handle(account.LIST_TEAMS, slow)], verified[1])
    await server.start()
    with pytest.raises(DeadlineExceeded):
        await gateway.call(account.LIST_TEAMS, PageRequest(), Context.new(token(signer)), timeout=0.3)
    await server.drain()


async def test_draining_one_of_two_replicas_under_load_loses_no_request(
    verified: tuple[Bus, Verifier], installation: Installation, gateway: Bus, signer: Signer
) -> None:
    async def slowly(_context: Context, _request: PageRequest) -> account.TeamPage:
        await asyncio.sleep(0.005)
        return account.TeamPage(data=())

    answered = 0
    stop = asyncio.Event()

    async def caller() -> None:
        nonlocal answered
        while not stop.is_set():
            await gateway.call(account.LIST_TEAMS, PageRequest(), Context.new(token(signer)), timeout=5)
            answered += 1

    async with installation.bus("account") as second:
        servers = [
            Server(bus, "account", [handle(account.LIST_TEAMS, slowly)], verified[1]) for bus in (verified[0], second)
        ]
        for server in servers:
            await server.start()
        async with asyncio.TaskGroup() as group:
            for _ in range(32):
                group.create_task(caller())
            await asyncio.sleep(0.5)
            await servers[0].drain()
            await asyncio.sleep(0.5)
            stop.set()
        await servers[1].drain()
    assert answered > 200


async def test_requests_of_one_endpoint_run_side_by_side(
    verified: tuple[Bus, Verifier], gateway: Bus, signer: Signer
) -> None:
    async def slowly(_context: Context, _request: PageRequest) -> account.TeamPage:
        await asyncio.sleep(0.2)
        return account.TeamPage(data=())

    server = Server(verified[0], "account", [handle(account.LIST_TEAMS, slowly)], verified[1])
    await server.start()
    context = Context.new(token(signer))
    started = time.perf_counter()
    await asyncio.gather(*(gateway.call(account.LIST_TEAMS, PageRequest(), context) for _ in range(20)))
    assert time.perf_counter() - started < 2.0
    await server.drain()


async def violations(installation: Installation, user: str, act: Callable[[Client], Awaitable[None]]) -> int:
    """How often NATS refuses what `act` tries."""
    async with installation.bus(user) as bus:
        seen: list[str] = []

        async def note(error: Exception) -> None:
            seen.append(str(error).lower())

        bus.nats._error_cb = note
        await act(bus.nats)
        await bus.nats.flush()
        await asyncio.sleep(0.2)
    return len([line for line in seen if "permissions violation" in line])


async def test_a_service_can_not_act_outside_its_permissions(installation: Installation) -> None:
    async def trespass(nats: Client) -> None:
        await nats.publish(account.USER_STANDING.subject, b"{}")
        await nats.publish(f"$KV.{KEYS}.mine", b"{}")
        await nats.publish(account.USER_DELETED.subject(CLIENT), b"{}")
        await nats.subscribe(auth.EXCHANGE_SECRET.subject)
        await nats.subscribe("_INBOX_auth.>")

    assert await violations(installation, "gateway", trespass) == 5


async def test_an_outside_service_takes_no_event_away_from_ours(installation: Installation) -> None:
    async def trespass(nats: Client) -> None:
        await nats.publish("$JS.API.CONSUMER.MSG.NEXT.EVENTS.auth", b"")
        await nats.publish("$JS.API.CONSUMER.CREATE.EVENTS.auth.basejump.v1.event.>", b"{}")
        await nats.publish("$JS.ACK.EVENTS.auth.1.1.1.1.0", b"")
        await nats.publish("$JS.API.CONSUMER.DELETE.EVENTS.auth", b"")
        await nats.publish(account.USER_DELETED.subject(CLIENT), b"{}")
        await nats.publish("$JS.API.CONSUMER.CREATE.CHAT.mine.>", b"{}")
        await nats.publish(account.LIST_TEAMS.subject, b"{}")

    assert await violations(installation, EXTERNAL, trespass) == 7
