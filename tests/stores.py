"""What an installation keeps, looked at from outside: the tables of its services, and what NATS holds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import asyncpg
import nats

from basejump_common.bus.connection import inbox_prefix
from basejump_common.bus.permissions import OPERATOR
from basejump_devstack import services
from basejump_devstack.postgres import EmbeddedPostgres
from basejump_devstack.state import State

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@asynccontextmanager
async def tables(folder: Path) -> AsyncIterator[tuple[Connection, list[str]]]:
    """The superuser's connection to a running stack's database, and the names of every service's tables."""
    state = State(folder)
    server = EmbeddedPostgres(state.path / services.POSTGRES_FOLDER, port=state.kept_port(services.POSTGRES))
    connection = await asyncpg.connect(server.dsn(database=services.APP_DATABASE))
    try:
        rows = await connection.fetch(
            "select format('%I.%I', schemaname, tablename) from pg_tables "
            "where schemaname in ('auth', 'account', 'connection_indexer', 'chat_agent')"
        )
        yield connection, [name for (name,) in rows]
    finally:
        await connection.close()


async def subjects(folder: Path) -> list[str]:
    """Every subject on which a stream of a running stack has messages; keys of buckets are subjects too."""
    state = State(folder)
    bus = await nats.connect(
        f"nats://127.0.0.1:{state.kept_port(services.NATS)}",
        user=OPERATOR,
        password=state.secret(f"nats {OPERATOR}"),
        inbox_prefix=inbox_prefix(OPERATOR),
    )
    try:
        jetstream = bus.jetstream()
        names = [info.config.name or "" for info in await jetstream.streams_info()]
        found = [await jetstream.stream_info(name, subjects_filter=">") for name in names]
        return [subject for info in found for subject in info.state.subjects or ()]
    finally:
        await bus.close()
