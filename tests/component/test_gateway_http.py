"""The gateway over real NATS and real HTTP; behind it, endpoints that only say what reached them."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from basejump_common.bus import KEYS, REVOCATIONS, Bus, Context, KeyValueMirror, Server, handle
from basejump_common.contracts import account, auth, chat, wire
from basejump_common.contracts.common import Nothing
from basejump_common.errors import Conflict, NotFound, Unauthenticated
from basejump_common.security.principal import Credential, Principal, Role
from basejump_common.security.secret import Secret
from basejump_common.security.tokens import Signer, Verifier, jwk
from installation import Installation

CLIENT, USER, SECRET = uuid4(), uuid4(), uuid4()
GOOD_SECRET = "bj_test_good"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
async def signer(installation: Installation) -> Signer:
    key = Ed25519PrivateKey.generate()
    kid = f"test-{uuid4().hex[:8]}"
    async with installation.bus("auth") as bus:
        await bus.put(KEYS, kid, json.dumps(jwk(kid, key.public_key())).encode())
    return Signer(kid, key)


def token(
    signer: Signer,
    role: Role = Role.ADMIN,
    credential: Credential = Credential.ACCESS,
    seconds: float = 60,
    secret_uuid: UUID | None = None,
) -> str:
    principal = Principal(
        credential=credential,
        role=role,
        client_uuid=CLIENT,
        user_uuid=USER,
        session_uuid=uuid4(),
        secret_uuid=secret_uuid,
    )
    return signer.sign(principal, seconds)[0].reveal()


@asynccontextmanager
async def served(installation: Installation, service: str, *endpoints: Any) -> AsyncIterator[Bus]:
    """Endpoints of a service, over its own NATS user and with its own verification."""
    async with (
        installation.bus(service) as bus,
        KeyValueMirror(bus, KEYS).running() as keys,
        KeyValueMirror(bus, REVOCATIONS).running() as revocations,
    ):
        await asyncio.gather(keys.wait_fresh(), revocations.wait_fresh())
        server = Server(bus, service, endpoints, Verifier(keys, revocations))
        await server.start()
        try:
            yield bus
        finally:
            await server.drain()


class Account:
    """Says what it was asked."""

    def __init__(self) -> None:
        self.contexts: list[Context] = []

    async def create_team(self, context: Context, request: account.CreateTeam) -> account.Team:
        self.contexts.append(context)
        if request.team_name == "conflict":
            raise Conflict("taken")
        if request.team_name == "defect":
            raise RuntimeError("hunter2")
        if request.team_name == "slow":
            await asyncio.sleep(1)
        return account.Team(team_uuid=uuid4(), team_name=request.team_name, team_desc=request.team_desc, created_at=NOW)

    async def get_team(self, _context: Context, _request: account.ByTeam) -> account.Team:
        raise NotFound("no such team")

    async def create_user(self, context: Context, request: account.CreateUser) -> account.User:
        self.contexts.append(context)
        return account.User(
            user_uuid=uuid4(),
            client_uuid=context.caller.tenant,
            username=request.username,
            role=request.role,
            email_address=None,
            service_user_uuid=None,
            created_at=NOW,
        )


class Auth:
    """Exchanges one secret, and counts how often."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self.exchanges = 0
        self.secret_uuid = SECRET

    async def exchange(self, _context: Context, request: auth.ExchangeSecret) -> auth.ExchangedToken:
        self.exchanges += 1
        if request.client_secret.reveal() != GOOD_SECRET:
            raise Unauthenticated("the client secret is not valid")
        found = token(self._signer, Role.OWNER, Credential.CLIENT_SECRET, secret_uuid=self.secret_uuid)
        return auth.ExchangedToken(token=Secret(found), expires_at=NOW)

    async def jwks(self, _context: Context, _request: Nothing) -> auth.Jwks:
        return auth.Jwks(keys=())


class Asked:
    """Answers a question with the initial message; what follows is the test's to say."""

    def __init__(self) -> None:
        self.bus: Bus
        self.prompts: asyncio.Queue[chat.Ask] = asyncio.Queue()
        self.stored: dict[UUID, chat.Message] = {}

    async def ask(self, _context: Context, request: chat.Ask) -> chat.Message:
        if request.prompt == "known":
            return message(request, "response")
        self.prompts.put_nowait(request)
        return message(request, "initial")

    async def get(self, _context: Context, request: chat.ByMessage) -> chat.Message:
        return self.stored[request.msg_uuid]

    async def says(self, asked: chat.Ask, kind: str) -> None:
        assert asked.prompt_uuid is not None
        subject = chat.stream_subject(CLIENT, asked.chat_uuid, asked.prompt_uuid)
        await self.bus.publish_durably(subject, uuid4().hex, wire.encode(message(asked, kind)))


def message(asked: chat.Ask, kind: str) -> chat.Message:
    """One message per prompt keeps its uuid, as chat-agent's does."""
    assert asked.prompt_uuid is not None
    return chat.Message(
        msg_uuid=asked.prompt_uuid,
        chat_uuid=asked.chat_uuid,
        role="assistant",
        msg_type=chat.MessageType(kind),
        content=kind,
        timestamp=NOW,
    )


@pytest.fixture(scope="module")
async def account_service(installation: Installation) -> AsyncIterator[Account]:
    service = Account()
    endpoints = (
        handle(account.CREATE_TEAM, service.create_team),
        handle(account.GET_TEAM, service.get_team),
        handle(account.CREATE_USER, service.create_user),
    )
    async with served(installation, "account", *endpoints):
        yield service


@pytest.fixture(scope="module")
async def auth_service(installation: Installation, signer: Signer) -> AsyncIterator[Auth]:
    service = Auth(signer)
    endpoints = (handle(auth.EXCHANGE_SECRET, service.exchange), handle(auth.GET_JWKS, service.jwks))
    async with served(installation, "auth", *endpoints):
        yield service


@pytest.fixture(scope="module")
async def chat_service(installation: Installation) -> AsyncIterator[Asked]:
    service = Asked()
    endpoints = (handle(chat.ASK, service.ask), handle(chat.GET_MESSAGE, service.get))
    async with served(installation, "chat-agent", *endpoints) as bus:
        service.bus = bus
        yield service


@pytest.fixture(scope="module")
async def api(
    installation: Installation, account_service: Account, auth_service: Auth, chat_service: Asked
) -> AsyncIterator[httpx.AsyncClient]:
    async with running(installation) as client:
        yield client


@asynccontextmanager
async def running(installation: Installation, **settings: str) -> AsyncIterator[httpx.AsyncClient]:
    base_url = f"http://127.0.0.1:{installation.around.port}"
    async with installation.running("gateway", **settings), httpx.AsyncClient(base_url=base_url, timeout=30) as client:
        yield client


def bearer(value: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {value}"} | more


def problem_of(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["detail"]
    assert body["request_id"] == response.headers["x-request-id"]
    return body


async def test_a_call_goes_to_its_service_and_the_reply_comes_back(api: httpx.AsyncClient, signer: Signer) -> None:
    response = await api.post("/api/v1/account/team/", params={"team_name": "analysts"}, headers=bearer(token(signer)))
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json()["team_name"] == "analysts"


async def test_an_empty_json_body_is_an_empty_object(api: httpx.AsyncClient, signer: Signer) -> None:
    headers = bearer(token(signer), **{"Content-Type": "application/json"})
    response = await api.post("/api/v1/account/team/?team_name=a", headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/auth/jwks", "/api/v1/auth/jwks/", "/api/v1/auth//jwks/"])
async def test_slashes_are_tolerated(api: httpx.AsyncClient, path: str) -> None:
    assert (await api.get(path)).json() == {"keys": []}


@pytest.mark.parametrize("path", ["/api/v1/auth/access_token/", "/api/v1/auth/access-token/"])
async def test_a_path_is_spelled_with_dashes_or_underscores(api: httpx.AsyncClient, path: str) -> None:
    problem_of(await api.post(path), 401)


async def test_an_unknown_path_is_404_and_a_wrong_method_405(api: httpx.AsyncClient) -> None:
    problem_of(await api.get("/api/v1/nowhere/"), 404)
    problem_of(await api.get("/"), 404)
    response = await api.patch("/api/v1/account/team/")
    problem_of(response, 405)
    assert set(response.headers["allow"].split(", ")) >= {"GET", "POST"}


async def test_checks_come_in_order(api: httpx.AsyncClient, signer: Signer) -> None:
    url = "/api/v1/account/team/"
    wrong = {"nonsense": "1"}
    member = bearer(token(signer, Role.MEMBER))
    admin = bearer(token(signer))
    assert problem_of(await api.post(url, params=wrong), 401)["code"] == "unauthenticated"
    assert problem_of(await api.post(url, params=wrong, headers=member), 403)["code"] == "forbidden"
    found = problem_of(await api.post(url, params=wrong, headers=admin), 422)
    assert {error["field"] for error in found["errors"]} == {"nonsense", "team_name"}
    problem_of(await api.get(f"{url}{uuid4()}/", headers=admin), 404)


async def test_an_error_of_a_service_becomes_its_problem(api: httpx.AsyncClient, signer: Signer) -> None:
    headers = bearer(token(signer))
    conflict = await api.post("/api/v1/account/team/?team_name=conflict", headers=headers)
    assert problem_of(conflict, 409)["detail"] == "taken"
    defect = await api.post("/api/v1/account/team/?team_name=defect", headers=headers)
    assert problem_of(defect, 500)["code"] == "internal"
    assert "hunter2" not in defect.text


async def test_a_service_that_nobody_answers_for_is_503_at_once(api: httpx.AsyncClient, signer: Signer) -> None:
    started = time.perf_counter()
    response = await api.get("/api/v1/connection/database/", headers=bearer(token(signer)))
    assert problem_of(response, 503)["code"] == "unavailable"
    assert int(response.headers["retry-after"]) >= 1
    assert time.perf_counter() - started < 1


# -- credentials --------------------------------------------------------------------------------------------------


async def test_a_token_of_the_wrong_kind_is_401_and_says_what_to_send(api: httpx.AsyncClient, signer: Signer) -> None:
    url = "/api/v1/account/team/"
    for kind in (Credential.REFRESH, Credential.DELEGATED, Credential.CLIENT_SECRET):
        response = await api.get(url, headers=bearer(token(signer, credential=kind)))
        assert "access token" in problem_of(response, 401)["detail"]
        assert response.headers["www-authenticate"].startswith("Bearer")
    response = await api.get(url, headers={"client-secret": GOOD_SECRET})
    assert "access token" in problem_of(response, 401)["detail"]
    response = await api.post("/api/v1/auth/access-token/", headers=bearer(token(signer)))
    assert "refresh token" in problem_of(response, 401)["detail"]
    response = await api.post(f"/api/v1/auth/token/?user_uuid={USER}", headers=bearer(token(signer)))
    assert "client-secret" in problem_of(response, 401)["detail"]


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer x.y.z", "Basic YTpi", "Bearer é", "Bearer a b c"])
async def test_a_malformed_credential_is_401(api: httpx.AsyncClient, value: str) -> None:
    headers = {b"Authorization": value.encode()}
    problem_of(await api.get("/api/v1/account/team/", headers=headers), 401)


async def test_an_expired_token_is_401(api: httpx.AsyncClient, signer: Signer) -> None:
    problem_of(await api.get("/api/v1/account/team/", headers=bearer(token(signer, seconds=-5))), 401)


async def test_a_client_secret_is_exchanged_once_in_a_minute(
    api: httpx.AsyncClient, auth_service: Auth, account_service: Account
) -> None:
    before = auth_service.exchanges
    for _ in range(3):
        headers = {"client-secret": GOOD_SECRET}
        assert (await api.post("/api/v1/account/user/?username=ann", headers=headers)).status_code == 200
    assert auth_service.exchanges - before <= 1
    assert account_service.contexts[-1].caller.credential is Credential.CLIENT_SECRET


async def test_a_wrong_client_secret_is_401(api: httpx.AsyncClient) -> None:
    for wrong in (b"bj_test_bad", b"\xff\xfe", b""):
        response = await api.post("/api/v1/account/user/?username=ann", headers={b"client-secret": wrong})
        problem_of(response, 401)


async def test_a_revoked_client_secret_is_noticed_at_once(
    api: httpx.AsyncClient, auth_service: Auth, installation: Installation
) -> None:
    headers = {"client-secret": GOOD_SECRET}
    url = "/api/v1/account/user/?username=ann"
    assert (await api.post(url, headers=headers)).status_code == 200
    async with installation.bus("auth") as bus:
        await bus.put(REVOCATIONS, f"secret.{auth_service.secret_uuid}", str(int(time.time())).encode())
    await asyncio.sleep(0.2)
    problem_of(await api.post(url, headers=headers), 401)
    auth_service.secret_uuid = uuid4()
    assert (await api.post(url, headers=headers)).status_code == 200


# -- bodies -------------------------------------------------------------------------------------------------------


async def test_a_wrong_content_type_is_415(api: httpx.AsyncClient, signer: Signer) -> None:
    url = "/api/v1/account/team/"
    for kind in ("text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"):
        headers = bearer(token(signer), **{"Content-Type": kind})
        problem_of(await api.post(url, content=b'{"team_name": "a"}', headers=headers), 415)
    headers = bearer(token(signer), **{"Content-Type": "Application/JSON; charset=utf-8"})
    assert (await api.post(url, content=b'{"team_name": "a"}', headers=headers)).status_code == 200


@pytest.mark.parametrize("body", [b"{", b'{"team_name": "\xff"}', b"[]", b'{"team_name": "\\u0000"}'])
async def test_a_malformed_body_is_422(api: httpx.AsyncClient, signer: Signer, body: bytes) -> None:
    headers = bearer(token(signer), **{"Content-Type": "application/json"})
    found = problem_of(await api.post("/api/v1/account/team/", content=body, headers=headers), 422)
    assert found["errors"][0]["field"] in ("body", "team_name")


async def test_an_oversized_body_is_413_announced_or_streamed(api: httpx.AsyncClient, signer: Signer) -> None:
    headers = bearer(token(signer), **{"Content-Type": "application/json"})
    url = "/api/v1/account/team/"
    problem_of(await api.post(url, content=b" " * 1_100_000, headers=headers), 413)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 65_536

    problem_of(await api.post(url, content=chunks(), headers=headers), 413)


async def test_a_body_just_within_the_limit_reaches_the_service(api: httpx.AsyncClient, signer: Signer) -> None:
    body = b'{"team_name": "a"}'.ljust(1_032_192)
    headers = bearer(token(signer), **{"Content-Type": "application/json"})
    assert (await api.post("/api/v1/account/team/", content=body, headers=headers)).status_code == 200


# -- ids, traces, logs --------------------------------------------------------------------------------------------


async def test_a_request_id_and_a_trace_are_kept(
    api: httpx.AsyncClient, signer: Signer, account_service: Account
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = bearer(token(signer), **{"X-Request-Id": "mine-1", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    response = await api.post("/api/v1/account/team/?team_name=a", headers=headers)
    assert response.headers["x-request-id"] == "mine-1"
    seen = account_service.contexts[-1]
    assert seen.request_id == "mine-1"
    assert seen.traceparent.split("-")[1] == trace
    assert seen.traceparent.split("-")[2] != "00f067aa0ba902b7"


@pytest.mark.parametrize("given", ["has space", "x" * 200, 'quo"te', ""])
async def test_a_strange_request_id_is_replaced(api: httpx.AsyncClient, given: str) -> None:
    response = await api.get("/health/live", headers={"X-Request-Id": given})
    UUID(response.headers["x-request-id"])


async def test_the_access_log_tells_the_route_and_no_values(
    api: httpx.AsyncClient, signer: Signer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="basejump.gateway")
    secret = token(signer)
    await api.get(f"/api/v1/account/team/{uuid4()}/?planted=value-in-query", headers=bearer(secret))
    await api.get("/api/v1/value-in-path/")
    lines = [vars(record) for record in caplog.records if record.name == "basejump.gateway"]
    assert [line["route"] for line in lines] == ["/api/v1/account/team/{team_uuid}", ""]
    assert [line["status"] for line in lines] == [422, 404]
    assert all(line["ms"] > 0 and line["method"] == "GET" and line["request_id"] for line in lines)
    assert not any(planted in str(line) for line in lines for planted in ("value-in", secret))


# -- questions ----------------------------------------------------------------------------------------------------


def ask(api: httpx.AsyncClient, signer: Signer, prompt: str = "how many?", **more: str) -> Any:
    url = f"/api/v1/chat/{uuid4()}/message/"
    return api.post(url, json={"prompt": prompt}, headers=bearer(token(signer, Role.MEMBER), **more))


async def test_the_call_waits_for_the_final_message(
    api: httpx.AsyncClient, signer: Signer, chat_service: Asked
) -> None:
    waiting = asyncio.create_task(ask(api, signer))
    asked = await chat_service.prompts.get()
    for kind in ("initial", "status", "thought"):
        await chat_service.says(asked, kind)
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await chat_service.says(asked, "response")
    response = await waiting
    assert response.status_code == 200
    assert response.json()["msg_type"] == "response"


async def test_an_answer_that_is_there_already_is_given(api: httpx.AsyncClient, signer: Signer) -> None:
    assert (await ask(api, signer, "known")).json()["msg_type"] == "response"


async def test_after_the_wait_the_initial_message_is_answered(
    api: httpx.AsyncClient, signer: Signer, chat_service: Asked
) -> None:
    waiting = asyncio.create_task(ask(api, signer, Prefer="respond-async, wait=1"))
    asked = await chat_service.prompts.get()
    await chat_service.says(asked, "status")
    started = time.perf_counter()
    response = await waiting
    assert response.json()["msg_type"] == "initial"
    assert 0.5 < time.perf_counter() - started < 2


async def test_a_final_message_that_was_missed_is_read_from_the_store(
    api: httpx.AsyncClient, signer: Signer, chat_service: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("basejump_gateway.prompts.LOOK_AGAIN_SECONDS", 0.1)
    waiting = asyncio.create_task(ask(api, signer))
    asked = await chat_service.prompts.get()
    assert asked.prompt_uuid is not None
    chat_service.stored[asked.prompt_uuid] = message(asked, "initial")
    await asyncio.sleep(0.3)
    assert not waiting.done()
    chat_service.stored[asked.prompt_uuid] = message(asked, "clarification")
    assert (await waiting).json()["msg_type"] == "clarification"


async def test_a_wrong_question_is_a_problem(api: httpx.AsyncClient, signer: Signer) -> None:
    problem_of(await ask(api, signer, ""), 422)


async def test_hanging_up_leaves_no_subscription_behind(
    installation: Installation, signer: Signer, chat_service: Asked, account_service: Account, api: httpx.AsyncClient
) -> None:
    waiting = asyncio.create_task(ask(api, signer))
    asked = await chat_service.prompts.get()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await asyncio.sleep(0.2)
    await chat_service.says(asked, "response")  # nobody listens; nothing breaks
    assert (await ask(api, signer, "known")).status_code == 200
