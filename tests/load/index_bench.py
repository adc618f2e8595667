"""Indexing against SQLAlchemy, to the same end: the index written. Called by bench.py; also runs alone."""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import sqlalchemy as sa

from basejump_common.contracts.connection import DatabaseFields, DatabaseType
from basejump_common.security.secret import Secret
from basejump_common.storage.database import Database, Transaction
from basejump_common.storage.migrations import ServiceRole, migrate, provision
from basejump_connection_indexer.adapters import database_rows, index_rows, login_rows
from basejump_connection_indexer.adapters.postgres.session import PostgresSession
from basejump_connection_indexer.domain.definition import (
    ColumnDefinition,
    KeyDefinition,
    SeenTable,
    TableDefinition,
)
from basejump_connection_indexer.domain.session import CatalogRequest
from basejump_connection_indexer.indexing import write_index
from basejump_connection_indexer.prepared import PreparedCatalog
from basejump_devstack.postgres import EmbeddedPostgres

Line = tuple[str, float, str, float | None, bool]
"""Name, value, unit, aim, and whether the aim is a least."""

Read = Callable[[], Awaitable[list[SeenTable]]]

SCHEMA = "s"
MIGRATIONS = Path(__file__).parents[2] / "services" / "connection-indexer" / "migrations"
_TYPES = ("integer", "text", "numeric(10,2)", "timestamptz", "varchar(40)")
_PASSWORD = "bench"


async def measure(folder: Path) -> list[Line]:
    """Seconds and ratios; about a minute. The database lives in `folder` and is stopped at the end."""
    async with EmbeddedPostgres(folder / "index-bench" / "postgres", durable=False) as server:
        await asyncio.to_thread(_prepare, server.dsn())
        await _build(server, "wide", tables=1_000, columns=20)
        await _build(server, "many", tables=10_000, columns=10)
        database = await Database.connect(
            server.dsn("indexer", _PASSWORD), schema="connection_indexer", application_name="bench"
        )
        try:
            return [*await _against_sqlalchemy(server, database), await _ten_thousand(server, database)]
        finally:
            await database.close()


async def _against_sqlalchemy(server: EmbeddedPostgres, database: Database) -> list[Line]:
    engine = sa.create_engine(server.dsn(database="wide").replace("postgresql:", "postgresql+psycopg:"))
    own = min([await _timed(database, lambda: _own(server, "wide")) for _ in range(5)])
    reflect = min([await _timed(database, lambda: asyncio.to_thread(_reflect, engine)) for _ in range(2)])
    inspector = await _timed(database, lambda: asyncio.to_thread(_inspect, engine))
    engine.dispose()
    return [
        ("indexing 1,000 tables of 20 columns", own * 1000, "ms", None, False),
        ("  times faster than MetaData.reflect", reflect / own, "x", 10, True),
        ("  times faster than the Inspector table by table", inspector / own, "x", 30, True),
    ]


async def _ten_thousand(server: EmbeddedPostgres, database: Database) -> Line:
    started = time.perf_counter()
    async with _stored(database) as (client_uuid, db_uuid, conn_uuid):
        seen = await _own(server, "many")
        async with database.tenant(client_uuid) as tx:
            await write_index(tx, client_uuid, db_uuid, {conn_uuid: seen})
        async with database.tenant(client_uuid) as tx:
            tables = [table async for page in index_rows.seen_by(tx, conn_uuid) for table in page]
        catalog = PreparedCatalog(1, tables)
        best = catalog.retrieval.rank("What is in table 4711?", 10).tables
        assert best[0].table.definition.name == "table_4711"
        seconds = time.perf_counter() - started
    return ("10,000 tables indexed and searchable", seconds, "s", 15, False)


async def _timed(database: Database, read: Read) -> float:
    """Seconds to read the tables and write them into an empty index."""
    async with _stored(database) as (client_uuid, db_uuid, conn_uuid):
        started = time.perf_counter()
        seen = await read()
        async with database.tenant(client_uuid) as tx:
            tables = (await write_index(tx, client_uuid, db_uuid, {conn_uuid: seen})).tables
        seconds = time.perf_counter() - started
        assert tables == 1_000
    return seconds


async def _own(server: EmbeddedPostgres, name: str) -> list[SeenTable]:
    session = PostgresSession(await asyncpg.connect(server.dsn(database=name), statement_cache_size=0))
    try:
        return await session.catalog(CatalogRequest(schemas=(SCHEMA,)))
    finally:
        await session.close()


def _reflect(engine: sa.Engine) -> list[SeenTable]:
    metadata = sa.MetaData()
    metadata.reflect(engine, schema=SCHEMA, views=True)
    dialect = engine.dialect
    return [
        _seen(
            table.name,
            [(c.name, c.type.compile(dialect), c.comment) for c in table.columns],
            table.comment,
            [c.name for c in table.primary_key.columns],
            [([e.parent.name for e in key.elements], key.referred_table.name) for key in table.foreign_key_constraints],
        )
        for table in metadata.tables.values()
    ]


def _inspect(engine: sa.Engine) -> list[SeenTable]:
    inspector = sa.inspect(engine)
    dialect = engine.dialect
    return [
        _seen(
            name,
            [(c["name"], c["type"].compile(dialect), c.get("comment")) for c in inspector.get_columns(name, SCHEMA)],
            inspector.get_table_comment(name, SCHEMA)["text"],
            inspector.get_pk_constraint(name, SCHEMA)["constrained_columns"],
            [(key["constrained_columns"], key["referred_table"]) for key in inspector.get_foreign_keys(name, SCHEMA)],
        )
        for name in inspector.get_table_names(SCHEMA)
    ]


def _seen(
    name: str,
    columns: Iterable[tuple[str, str, str | None]],
    comment: str | None,
    primary: Sequence[str],
    foreign: Iterable[tuple[Sequence[str], str]],
) -> SeenTable:
    # str(): SQLAlchemy's names are a subclass of it that JSON encoders refuse.
    definition = TableDefinition(
        schema=SCHEMA,
        name=str(name),
        kind="table",
        columns=tuple(ColumnDefinition(str(column), kind, False, said or "") for column, kind, said in columns),
        comment=comment or "",
        primary_key=tuple(map(str, primary)),
        foreign_keys=tuple(KeyDefinition(tuple(map(str, own)), SCHEMA, str(other), ("id",)) for own, other in foreign),
    )
    return SeenTable(definition=definition)


@asynccontextmanager
async def _stored(database: Database) -> Any:
    """A client with a database and a connection, gone with its index at the end."""
    client_uuid, db_uuid, conn_uuid = uuid4(), uuid4(), uuid4()
    async with database.tenant(client_uuid) as tx:
        await _add(tx, client_uuid, db_uuid, conn_uuid)
    yield client_uuid, db_uuid, conn_uuid
    async with database.tenant(client_uuid) as tx:
        await database_rows.delete(tx, db_uuid)


async def _add(tx: Transaction, client_uuid: UUID, db_uuid: UUID, conn_uuid: UUID) -> None:
    fields = DatabaseFields(
        database_type=DatabaseType.POSTGRES,
        host="127.0.0.1",
        database_name="bench",
        username="bench",
        password=Secret(_PASSWORD),
    )
    await database_rows.insert(tx, database_rows.new_row(client_uuid, db_uuid, fields, "bench"))
    login = login_rows.ConnectionRow(
        conn_uuid=conn_uuid, db_uuid=db_uuid, username="bench", password=b"", data_source_desc="", warnings=()
    )
    await login_rows.insert(tx, client_uuid, login)


def _prepare(dsn: str) -> None:
    role = ServiceRole(schema="connection_indexer", login="indexer", password=Secret(_PASSWORD))
    provision(dsn, [role])
    migrate(dsn, "connection_indexer", MIGRATIONS)


async def _build(server: EmbeddedPostgres, name: str, *, tables: int, columns: int) -> None:
    admin = await asyncpg.connect(server.dsn())
    await admin.execute(f"create database {name}")
    await admin.close()
    owner = await asyncpg.connect(server.dsn(database=name))
    await owner.execute(f"create schema {SCHEMA}")
    statements = list(_ddl(tables, columns))
    for place in range(0, tables, 200):
        await owner.execute("".join(statements[place : place + 200]))
    await owner.close()


def _ddl(tables: int, columns: int) -> Iterator[str]:
    rest = ", ".join(f"col_{number} {_TYPES[number % len(_TYPES)]}" for number in range(columns - 2))
    for number in range(tables):
        key = f"references {SCHEMA}.table_{number - 1}" if number else ""
        yield (
            f"create table {SCHEMA}.table_{number} (id integer primary key, other_id integer {key}, {rest});"
            f"comment on table {SCHEMA}.table_{number} is 'Table number {number}';"
        )


async def main() -> int:
    """Print every line."""
    with tempfile.TemporaryDirectory(prefix="basejump-index-bench-") as folder:
        for name, value, unit, aim, at_least in await measure(Path(folder)):
            print(f"{name:<56}{value:>10.2f} {unit:<4}", f"aim: {'>=' if at_least else '<='} {aim}" if aim else "")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
