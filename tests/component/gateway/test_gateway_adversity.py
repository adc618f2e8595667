"""Slow services, NATS away, and an end in the middle of everything."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from basejump_common.bus import KEYS, Bus
from basejump_common.bus.topology import declare
from basejump_common.contracts import account
from basejump_common.security.secret import Secret
from basejump_common.security.tokens import Signer
from basejump_devstack.child import free_port
from basejump_devstack.nats import EmbeddedNats
from basejump_gateway.bootstrap import bootstrap
from basejump_gateway.settings import Settings
from gateway_backend import Account, Asked, Auth, ask, bearer, client_of, problem_of, running, token
from installation import Installation


@pytest.fixture
def impatient() -> Iterator[None]:
    """The operation's timeout, for a while too short for its service."""
    usual = account.CREATE_TEAM.timeout
    object.__setattr__(account.CREATE_TEAM, "timeout", 0.2)
    yield
    object.__setattr__(account.CREATE_TEAM, "timeout", usual)


@pytest.mark.usefixtures("impatient")
async def test_a_reply_that_does_not_come_in_time_is_504(api: httpx.AsyncClient, signer: Signer) -> None:
    started = time.perf_counter()
    response = await api.post("/api/v1/account/team/?team_name=slow", headers=bearer(token(signer)))
    assert problem_of(response, 504)["code"] == "deadline_exceeded"
    assert time.perf_counter() - started < 0.9


async def test_live_and_ready_while_it_serves(api: httpx.AsyncClient) -> None:
    assert (await api.get("/health/live")).status_code == 200
    assert (await api.get("/health/ready")).status_code == 200


async def test_at_the_end_requests_in_flight_finish_and_questions_get_their_initial_message(
    installation: Installation, signer: Signer, chat_service: Asked, account_service: Account, auth_service: Auth
) -> None:
    slow = "/api/v1/account/team/?team_name=slow"
    async with contextlib.AsyncExitStack() as clients:
        async with running(installation) as url:
            api = await clients.enter_async_context(client_of(url))
            asking = [asyncio.create_task(ask(api, signer)) for _ in range(10)]
            for _ in asking:
                await chat_service.prompts.get()
            served = len(account_service.contexts) + 10
            calling = [asyncio.create_task(api.post(slow, headers=bearer(token(signer)))) for _ in range(10)]
            async with asyncio.timeout(20):
                while len(account_service.contexts) < served:  # noqa: ASYNC110 (ten arrivals, no one event)
                    await asyncio.sleep(0.01)
        assert [(await task).json()["msg_type"] for task in asking] == ["initial"] * 10
        assert [(await task).status_code for task in calling] == [200] * 10
        with pytest.raises(httpx.ConnectError):
            await api.get("/health/live")


async def test_an_end_under_load_loses_no_request(
    installation: Installation, signer: Signer, account_service: Account, auth_service: Auth
) -> None:
    headers = bearer(token(signer))
    answered = [0] * 32

    async def call_until_refused(url: str, caller: int) -> None:
        async with client_of(url) as client:
            while True:
                try:
                    response = await client.post("/api/v1/account/team/?team_name=a", headers=headers)
                except httpx.ConnectError:
                    return
                assert response.status_code == 200
                answered[caller] += 1

    async with running(installation) as url:
        callers = [asyncio.create_task(call_until_refused(url, caller)) for caller in range(len(answered))]
        async with asyncio.timeout(20):
            while min(answered) < 5:  # noqa: ASYNC110 (thirty-two counters, no one event)
                await asyncio.sleep(0.01)
    await asyncio.gather(*callers)


async def test_with_nats_away_calls_fail_at_once_and_it_heals(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with (
        EmbeddedNats(tmp_path_factory.mktemp("away"), users=()) as nats,
        gateway_without_permissions(nats) as client,
    ):
        assert (await client.get("/health/ready")).status_code == 200
        nats.kill()
        await asyncio.sleep(0.1)
        started = time.perf_counter()
        for path in ("/health/ready", "/api/v1/auth/jwks/"):
            response = await client.get(path)
            assert problem_of(response, 503)["code"] == "unavailable"
            assert response.headers["retry-after"] == "1"
        refused = await client.get("/api/v1/account/team/", headers=bearer("x.y.z"))
        problem_of(refused, 503)  # not 401: without revocations nobody can say
        assert time.perf_counter() - started < 0.5
        assert (await client.get("/health/live")).status_code == 200
        await nats.start()
        await becomes_ready(client)


@contextlib.asynccontextmanager
async def gateway_without_permissions(nats: EmbeddedNats) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway on a NATS server of its own, which a test may kill."""
    secret = Secret("any")
    setup = await Bus.connect(nats.url, "operator", secret)
    await declare(setup.jetstream)
    await setup.put(KEYS, "kid", b"{}")
    await setup.close()
    port = free_port(0)
    settings = Settings(nats_url=nats.url, nats_user="gateway", nats_password=secret, port=port)
    async with bootstrap(settings) as service, service.serving(), client_of(f"http://127.0.0.1:{port}") as client:
        await becomes_ready(client)
        yield client


async def becomes_ready(client: httpx.AsyncClient) -> None:
    for _ in range(200):
        if (await client.get("/health/ready")).status_code == 200:
            return
        await asyncio.sleep(0.05)
    pytest.fail("not ready in 10 s")


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /api/v1/%00/%ff%fe/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /api/v1/chat/%2e%2e/ HTTP/1.1\r\nHost: \xff\r\n\r\n",
        b"POST /api/v1/account/team/ HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/account/team/ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"POST /api/v1/account/team/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"NONSENSE\r\n\r\n",
        b"GET /api/openapi.json HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 2_000_000,
    ],
)
async def test_what_is_no_proper_http_is_refused_and_nothing_breaks(api: httpx.AsyncClient, sent: bytes) -> None:
    reader, writer = await asyncio.open_connection(api.base_url.host, api.base_url.port)
    writer.write(sent)
    async with asyncio.timeout(5):
        status_line = await reader.readline()
    assert status_line.split()[1].startswith(b"4"), status_line
    writer.close()
    assert (await api.get("/health/live")).status_code == 200
