"""What stands behind the gateway in its own tests: endpoints that only say what reached them, over real NATS.

No service's logic is here; the services themselves are behind it in the end-to-end tests.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx

from basejump_common.bus import KEYS, REVOCATIONS, Bus, Context, KeyValueMirror, Server
from basejump_common.contracts import account, auth, chat, wire
from basejump_common.contracts.common import Nothing
from basejump_common.errors import Conflict, NotFound, Unauthenticated
from basejump_common.security.principal import Credential, Principal, Role
from basejump_common.security.secret import Secret
from basejump_common.security.tokens import Signer, Verifier
from basejump_devstack.child import free_port
from installation import Installation

CLIENT, USER, SECRET = uuid4(), uuid4(), uuid4()
GOOD_SECRET = "bj_test_good"
NOW = datetime.now(UTC)


def token(
    signer: Signer,
    role: Role = Role.ADMIN,
    credential: Credential = Credential.ACCESS,
    seconds: float = 60,
    secret_uuid: UUID | None = None,
    client_uuid: UUID = CLIENT,
) -> str:
    principal = Principal(
        credential=credential,
        role=role,
        client_uuid=client_uuid,
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


@asynccontextmanager
async def running(installation: Installation, **settings: str) -> AsyncIterator[str]:
    """A gateway on a port of its own; its URL."""
    port = free_port(0)
    async with installation.running("gateway", port=str(port), **settings):
        yield f"http://127.0.0.1:{port}"


def client_of(url: str) -> httpx.AsyncClient:
    """A client of a gateway."""
    return httpx.AsyncClient(base_url=url, timeout=30, verify=False)


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


async def ask(api: httpx.AsyncClient, signer: Signer, prompt: str = "how many?", **headers: str) -> httpx.Response:
    """Ask a question in some chat, as a member."""
    url = f"/api/v1/chat/{uuid4()}/message/"
    return await api.post(url, json={"prompt": prompt}, headers=bearer(token(signer, Role.MEMBER), **headers))
