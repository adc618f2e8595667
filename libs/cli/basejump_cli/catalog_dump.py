"""`basejump catalog dump`: what connection-indexer would index of a database, as a catalog file."""

import asyncpg

from basejump_cli.catalog_file import CatalogFile, Column, ForeignKey, References, Table
from basejump_cli.failure import CommandError
from basejump_common.errors import BasejumpError
from basejump_connection_indexer.adapters.postgres.session import PostgresSession
from basejump_connection_indexer.domain.definition import KeyDefinition, SeenTable
from basejump_connection_indexer.domain.session import BrokeOff, CatalogRequest

CONNECT_SECONDS = 10.0
_POSTGRES = ("postgres://", "postgresql://")
_SCHEMAS = """
    select nspname from pg_catalog.pg_namespace
    where nspname not like 'pg\\_%' and nspname <> 'information_schema' order by nspname
"""


async def dump(database_url: str, schemas: tuple[str, ...]) -> CatalogFile:
    """What the login may read, of those schemas or of all. Raises CommandError, which never holds the password."""
    if not database_url.startswith(_POSTGRES):
        raise CommandError("the URL of the database begins with postgresql://")
    try:
        connection = await asyncpg.connect(database_url, timeout=CONNECT_SECONDS, statement_cache_size=0)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise CommandError(f"the database can't be reached: {error or type(error).__name__}") from error
    session = PostgresSession(connection)
    try:
        chosen = schemas or tuple([row["nspname"] for row in await connection.fetch(_SCHEMAS)])
        seen = await session.catalog(CatalogRequest(schemas=chosen))
    except (BasejumpError, BrokeOff) as error:
        raise CommandError(str(error)) from error
    finally:
        await session.close()
    return CatalogFile(tables=tuple(map(_table, seen)))


def _table(seen: SeenTable) -> Table:
    definition = seen.definition
    visible = None if seen.visible is None else set(seen.visible)
    return Table(
        schema=definition.schema,
        name=definition.name,
        columns=tuple(
            Column(name=column.name, type=column.type)
            for column in definition.columns
            if visible is None or column.name in visible
        ),
        primary_key=definition.primary_key,
        foreign_keys=tuple(_key(key) for key in definition.foreign_keys),
    )


def _key(key: KeyDefinition) -> ForeignKey:
    return ForeignKey(
        columns=key.columns, references=References(schema=key.schema, table=key.table, columns=key.references)
    )
