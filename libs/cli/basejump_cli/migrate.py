"""Roles, schemas, migrations and streams of an installation, in the order in which they need each other."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import psycopg
from msgspec import Meta
from nats.errors import Error as NatsError

from basejump_cli.failure import CommandError
from basejump_common.bus.connection import Bus
from basejump_common.bus.topology import declare
from basejump_common.errors import BasejumpError
from basejump_common.security.secret import Secret
from basejump_common.storage.migrations import ServiceRole, migrate, provision

_NATS_SECONDS = 10.0  # a connection that NATS doesn't take at once is tried again until then
_CHECKOUT = Path(__file__).resolve().parents[3] / "services"


class MigrationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What `basejump migrate` reads from the environment."""

    admin_dsn: Annotated[Secret, Meta(description="PostgreSQL DSN of a login that may create roles and schemas.")]
    auth_database_password: Annotated[Secret, Meta(description="Password that the login basejump_auth gets.")]
    account_database_password: Annotated[Secret, Meta(description="Password that the login basejump_account gets.")]
    connection_indexer_database_password: Annotated[
        Secret, Meta(description="Password that the login basejump_connection_indexer gets.")
    ]
    chat_agent_database_password: Annotated[
        Secret, Meta(description="Password that the login basejump_chat_agent gets.")
    ]
    nats_url: Annotated[str, Meta(description="Where NATS listens.")]
    nats_user: Annotated[str, Meta(description="The NATS user that may declare streams.")] = "operator"
    nats_password: Annotated[Secret, Meta(description="That user's password.")]
    nats_replicas: Annotated[int, Meta(ge=1, le=5, description="Copies of each stream; 3 in production.")] = 1
    migrations: Annotated[str, Meta(description="Folder that holds <service>/migrations/.")] = str(_CHECKOUT)

    def roles(self) -> Iterator[tuple[str, ServiceRole]]:
        """Each service with tables, and its role."""
        passwords = {
            "auth": self.auth_database_password,
            "account": self.account_database_password,
            "connection-indexer": self.connection_indexer_database_password,
            "chat-agent": self.chat_agent_database_password,
        }
        for service, password in passwords.items():
            schema = service.replace("-", "_")
            yield service, ServiceRole(schema=schema, login=f"basejump_{schema}", password=password)


async def migrate_all(settings: MigrationSettings) -> list[str]:
    """Do it all; one line for each thing that changed. Raises CommandError."""
    applied = await asyncio.to_thread(_migrate_databases, settings)
    await _declare_streams(settings)
    return applied or ["nothing to migrate"]


async def _declare_streams(settings: MigrationSettings) -> None:
    try:
        connecting = Bus.connect(settings.nats_url, settings.nats_user, settings.nats_password)
        bus = await asyncio.wait_for(connecting, _NATS_SECONDS)
    except (BasejumpError, TimeoutError):
        raise CommandError(f"NATS can't be reached at {settings.nats_url}, or refuses the login") from None
    try:
        await declare(bus.jetstream, settings.nats_replicas)
    except (NatsError, TimeoutError) as error:
        raise CommandError(f"the streams can't be declared: {error}") from error
    finally:
        await bus.close()


def _migrate_databases(settings: MigrationSettings) -> list[str]:
    roles = list(settings.roles())
    admin_dsn = settings.admin_dsn.reveal()
    try:
        provision(admin_dsn, [role for _, role in roles])
        return [
            f"{service}: {name}"
            for service, role in roles
            for name in migrate(admin_dsn, role.schema, Path(settings.migrations) / service / "migrations")
        ]
    except (psycopg.Error, OSError, ValueError) as error:
        raise CommandError(" ".join(str(error).split())) from error
