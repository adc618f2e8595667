"""The gateway over real NATS and real HTTP, with the test endpoints behind it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from basejump_common.bus import handle
from basejump_common.contracts import account, auth, chat
from basejump_common.security.tokens import Signer
from gateway_backend import Account, Asked, Auth, client_of, running, served
from installation import Installation


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
    async with running(installation) as url, client_of(url) as client:
        yield client
