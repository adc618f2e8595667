"""What an installation keeps, looked at from outside: the tables of its services, what NATS holds, and its files."""

import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import asyncpg
import nats
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from basejump_common.bus.connection import inbox_prefix
from basejump_common.bus.permissions import OPERATOR
from basejump_devstack import services
from basejump_devstack.postgres import EmbeddedPostgres
from basejump_devstack.state import State

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


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


async def uuids_of(folder: Path, client_uuid: str) -> set[str]:
    """Every UUID in a row that names the client; but for those of events, which consumers remember for a while."""
    rows = "select distinct m[1] from {} as r, regexp_matches(r::text, $2, 'g') m where strpos(r::text, $1) > 0"
    async with tables(folder) as (connection, names):
        found = [
            await connection.fetch(rows.format(name), client_uuid, f"({_UUID})")
            for name in names
            if not name.endswith(".outbox")
        ]
    return {uuid for table in found for (uuid,) in table}


async def traces(folder: Path, words: Iterable[str]) -> dict[str, set[str]]:
    """Each table, stream (buckets are streams) and folder of files in which any of the words stands, and which."""
    pattern = re.compile("|".join(map(re.escape, sorted(words))))
    found = await _in_tables(folder, pattern.pattern) | await _in_streams(folder, pattern)
    files = {"files": set[str]()}
    for path in (folder / "results").rglob("*"):
        content = path.read_bytes().decode(errors="replace") if path.is_file() else ""
        files["files"] |= set(pattern.findall(f"{path} {content}"))
    return {where: what for where, what in (found | files).items() if what}


async def _in_tables(folder: Path, pattern: str) -> dict[str, set[str]]:
    rows = "select distinct m[1] from {} as r, regexp_matches(r::text, $1, 'g') m"
    async with tables(folder) as (connection, names):
        return {name: {word for (word,) in await connection.fetch(rows.format(name), f"({pattern})")} for name in names}


async def _in_streams(folder: Path, pattern: re.Pattern[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    async with _jetstream(folder) as jetstream:
        for info in await jetstream.streams_info():
            name = info.config.name or ""
            found[name] = set()
            async for message in _messages(jetstream, name):
                found[name] |= set(pattern.findall(message))
    return found


async def _messages(jetstream: JetStreamContext, stream: str) -> AsyncIterator[str]:
    """Subject and payload of every message of a stream."""
    sequence = 1
    while True:
        try:
            message = await jetstream.get_msg(stream, seq=sequence, subject=">", next=True)
        except NotFoundError:
            return
        yield f"{message.subject} {message.headers} {(message.data or b'').decode(errors='replace')}"
        sequence = (message.seq or 0) + 1


@asynccontextmanager
async def _jetstream(folder: Path) -> AsyncIterator[JetStreamContext]:
    """A running stack's streams, as its operator sees them."""
    state = State(folder)
    bus = await nats.connect(
        f"nats://127.0.0.1:{state.kept_port(services.NATS)}",
        user=OPERATOR,
        password=state.secret(f"nats {OPERATOR}"),
        inbox_prefix=inbox_prefix(OPERATOR),
    )
    try:
        yield bus.jetstream()
    finally:
        await bus.close()
