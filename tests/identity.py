"""People and credentials for component tests: real clients, users and tokens, made by calling auth and account.

async with people(installation) as house:
    tenant = await house.tenant()
    admin = await tenant.person(UserRole.ADMIN)
    await admin.call(account.CREATE_TEAM, CreateTeam(team_name="sales"))
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import msgspec

from basejump_auth.operator import create_internal_secret
from basejump_common.bus import Bus, Context
from basejump_common.contracts import account, auth
from basejump_common.contracts.account import CreateClient, CreateUser
from basejump_common.contracts.auth import CreateAccessToken, CreateRefreshToken, ExchangeSecret
from basejump_common.contracts.operation import Operation
from basejump_common.security.principal import UserRole
from basejump_common.security.secret import Secret
from basejump_devstack import services
from installation import Installation, unique

In = TypeVar("In", bound=msgspec.Struct)
Out = TypeVar("Out", bound=msgspec.Struct)


@dataclass(frozen=True)
class Caller:
    """Someone with a token, calling as the gateway does."""

    bus: Bus
    token: Secret | None

    async def call(self, operation: Operation[In, Out], request: In) -> Out:
        return await self.bus.call(operation, request, Context.new(self.token))


@dataclass(frozen=True)
class Person(Caller):
    """A user with an access token; `refresh_token` is where it came from."""

    user_uuid: UUID
    refresh_token: Secret


@dataclass(frozen=True)
class Tenant:
    """A client and its first secret."""

    bus: Bus
    client_uuid: UUID
    owner_uuid: UUID
    secret: Secret
    secret_uuid: UUID

    async def key(self, secret: Secret | None = None) -> Caller:
        """Who calls with the client secret, by default the first one."""
        return await exchange(self.bus, secret or self.secret)

    async def owner(self) -> Person:
        return await self.sign_in(self.owner_uuid)

    async def person(self, role: UserRole) -> Person:
        """A new user of that role, signed in."""
        user = await (await self.key()).call(account.CREATE_USER, CreateUser(username=unique("user"), role=role))
        return await self.sign_in(user.user_uuid)

    async def sign_in(self, user_uuid: UUID, secret: Secret | None = None) -> Person:
        key = await self.key(secret)
        refresh = (await key.call(auth.CREATE_REFRESH_TOKEN, CreateRefreshToken(user_uuid=user_uuid))).refresh_token
        return Person(self.bus, await access_token(self.bus, refresh), user_uuid, refresh)


class House:
    """auth and account are running; `operator` may create clients."""

    def __init__(self, bus: Bus, operator: Caller) -> None:
        self.bus = bus
        self.operator = operator

    async def tenant(self) -> Tenant:
        made = await self.operator.call(account.CREATE_CLIENT, CreateClient(client_name=unique("client")))
        return Tenant(self.bus, made.client_uuid, made.owner_user_uuid, made.client_secret, made.client_secret_uuid)


@asynccontextmanager
async def people(installation: Installation) -> AsyncIterator[House]:
    """auth and account, called by the gateway's NATS user."""
    async with installation.running("auth", "account"), installation.bus("gateway") as bus:
        yield House(bus, await exchange(bus, await internal_secret(installation)))


async def internal_secret(installation: Installation) -> Secret:
    settings = auth_settings(installation)
    made = await create_internal_secret(
        Secret(settings["BASEJUMP_DATABASE_DSN"]),
        Secret(settings["BASEJUMP_SECRET_PEPPER"]),
        settings["BASEJUMP_ENVIRONMENT"],
        "component tests",
    )
    return made.client_secret


def auth_settings(installation: Installation) -> dict[str, str]:
    return services.settings("auth", installation.around)


async def exchange(bus: Bus, secret: Secret) -> Caller:
    exchanged = await bus.call(auth.EXCHANGE_SECRET, ExchangeSecret(client_secret=secret), Context.new())
    return Caller(bus, exchanged.token)


async def access_token(bus: Bus, refresh_token: Secret) -> Secret:
    reply = await Caller(bus, refresh_token).call(auth.CREATE_ACCESS_TOKEN, CreateAccessToken())
    return reply.access_token


async def within(seconds: float, holds: Callable[[], Awaitable[bool]]) -> bool:
    """Whether it becomes true in that time."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await holds():
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(0.05)
    return True
