"""What an operator does with no API key yet: the first client, and INTERNAL secrets.

An INTERNAL secret is made in auth's own tables, so these commands need what auth has: its DSN, pepper and environment.
A client is then created as through the API, over NATS as the user `cli`, with a secret that lives for that moment.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from basejump_auth.operator import (
    InternalSecret,
    InternalSecrets,
    create_internal_secret,
    list_internal_secrets,
    revoke_internal_secret,
)
from basejump_cli.failure import CommandError
from basejump_common.bus import Bus, Context
from basejump_common.bus.permissions import CLI
from basejump_common.contracts import account, auth
from basejump_common.contracts.account import CreateClient, CreatedClient
from basejump_common.contracts.auth import ExchangeSecret
from basejump_common.errors import BasejumpError
from basejump_common.security.secret import Secret


class SecretSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What making an INTERNAL secret reads from the environment."""

    auth_database_dsn: Annotated[Secret, Meta(description="PostgreSQL DSN of auth's login role.")]
    secret_pepper: Annotated[Secret, Meta(description="The pepper that auth has.")]
    environment: Annotated[str, Meta(description="The environment that auth has, e.g. live.")]


class OperatorSettings(SecretSettings, frozen=True, kw_only=True):
    """What creating a client reads from the environment."""

    nats_url: Annotated[str, Meta(description="Where NATS listens.")]
    nats_user: Annotated[str, Meta(description="The NATS user that may create clients.")] = CLI
    nats_password: Annotated[Secret, Meta(description="That user's password.")]


async def create_internal(settings: SecretSettings, description: str) -> InternalSecret:
    """An INTERNAL secret, good until it is revoked. Raises CommandError."""
    try:
        return await create_internal_secret(
            settings.auth_database_dsn, settings.secret_pepper, settings.environment, description
        )
    except BasejumpError as error:
        raise CommandError(error.message) from error


async def list_internal(settings: SecretSettings) -> InternalSecrets:
    """The INTERNAL secrets that aren't revoked, without their values. Raises CommandError."""
    try:
        return await list_internal_secrets(settings.auth_database_dsn)
    except BasejumpError as error:
        raise CommandError(error.message) from error


async def revoke_internal(settings: SecretSettings, client_secret_uuid: UUID) -> None:
    """End an INTERNAL secret and its tokens. Raises CommandError, also when there is none."""
    try:
        revoked = await revoke_internal_secret(settings.auth_database_dsn, client_secret_uuid)
    except BasejumpError as error:
        raise CommandError(error.message) from error
    if not revoked:
        raise CommandError("there is no such INTERNAL secret, or it is revoked already")


async def create_client(settings: OperatorSettings, request: CreateClient) -> CreatedClient:
    """A client with its OWNER user and first secret, whose value is shown here only. Raises CommandError."""
    try:
        async with _bus(settings) as bus, _internal_secret(settings) as secret:
            exchange = ExchangeSecret(client_secret=secret)
            exchanged = await bus.call(auth.EXCHANGE_SECRET, exchange, Context.new())
            return await bus.call(account.CREATE_CLIENT, request, Context.new(exchanged.token))
    except BasejumpError as error:
        raise CommandError(error.message) from error


@asynccontextmanager
async def _internal_secret(settings: OperatorSettings) -> AsyncIterator[Secret]:
    made = await create_internal(settings, "made by `basejump client create` for one call")
    try:
        yield made.client_secret
    finally:
        await revoke_internal_secret(settings.auth_database_dsn, made.client_secret_uuid)


@asynccontextmanager
async def _bus(settings: OperatorSettings) -> AsyncIterator[Bus]:
    bus = await Bus.connect(settings.nats_url, settings.nats_user, settings.nats_password)
    try:
        yield bus
    finally:
        await bus.close()
