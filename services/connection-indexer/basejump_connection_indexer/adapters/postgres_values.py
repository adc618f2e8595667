"""Looks for phrases among the values of text columns: exactly first, then without case; bounded in rows and time."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import asyncpg
import msgspec

from basejump_common.contracts.connection import FoundValue
from basejump_connection_indexer.adapters.postgres_connect import CustomerConnection
from basejump_connection_indexer.adapters.quoting import quoted, relation
from basejump_connection_indexer.domain.definition import IndexedTable
from basejump_sqlguard import TextLiteral

SECONDS = 2.0
PER_COLUMN = 20
# A table may have been dropped or closed since it was indexed.
_CUT_SHORT = (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
MOST_FOUND = 500


class TextColumns(msgspec.Struct, frozen=True, kw_only=True):
    """Where to look: the text columns of one table."""

    schema: str
    table: str
    columns: tuple[str, ...]


def text_columns(table: IndexedTable) -> TextColumns:
    """The text columns that may be read and aren't ignored."""
    notes = table.notes.columns
    names = (c.name for c in table.columns if c.is_text and not (c.name in notes and notes[c.name].ignore))
    return TextColumns(schema=table.definition.schema, table=table.definition.name, columns=tuple(names))


async def find_values(
    connection: CustomerConnection, tables: Sequence[TextColumns], phrases: Sequence[str]
) -> tuple[list[FoundValue], bool]:
    """What was found, and whether every column was asked before time ran out or the database refused."""
    found: list[FoundValue] = []
    try:
        async with asyncio.timeout(SECONDS), _read_only(connection):
            await _look(connection, tables, phrases, found)
    except _CUT_SHORT:
        return found, False
    return found[:MOST_FOUND], len(found) <= MOST_FOUND


async def literals_found(connection: CustomerConnection, literals: Iterable[TextLiteral]) -> set[TextLiteral]:
    """Those that stand in their column; when time runs out or the database refuses, those seen until then."""
    found: set[TextLiteral] = set()
    try:
        async with asyncio.timeout(SECONDS), _read_only(connection):
            for literal in literals:
                found |= {literal} if await connection.fetchval(_is_there(literal), literal.value) else set()
    except _CUT_SHORT:
        return found
    return found


@asynccontextmanager
async def _read_only(connection: CustomerConnection) -> AsyncIterator[None]:
    async with connection.transaction(readonly=True):
        limit = f"set local statement_timeout = {int(SECONDS * 1000)}"
        await connection.execute(f"set local search_path = pg_catalog; {limit}")
        yield


async def _look(
    connection: CustomerConnection,
    tables: Sequence[TextColumns],
    phrases: Sequence[str],
    found: list[FoundValue],
) -> None:
    """Exact values in all tables (an index on the column serves that), then the phrases that had none."""
    for table in tables:
        found += await _ask(connection, _exactly(table), table, {phrase: phrase for phrase in phrases})
    rest = _missing(phrases, found)
    for table in tables if rest else ():
        found += await _ask(connection, _ignoring_case(table), table, rest)


def _missing(phrases: Iterable[str], found: Iterable[FoundValue]) -> dict[str, str]:
    seen = {value.phrase for value in found}
    return {phrase.lower(): phrase for phrase in phrases if phrase not in seen}


async def _ask(
    connection: CustomerConnection, sql: str, table: TextColumns, phrases: dict[str, str]
) -> list[FoundValue]:
    """`phrases`: as they are compared → as they were asked."""
    if not table.columns:
        return []
    rows = await connection.fetch(sql, list(phrases))
    return [
        FoundValue(
            phrase=phrases[row["compared"]],
            schema_name=table.schema,
            table_name=table.table,
            column_name=table.columns[row["place"]],
            value=row["value"],
        )
        for row in rows
        if row["compared"] in phrases
    ]


# `::text` costs text and varchar columns nothing, their indexes included, and makes an enum comparable.


def _is_there(literal: TextLiteral) -> str:
    column = f"{quoted(literal.column)}::text"
    compared = f"pg_catalog.lower({column}) = pg_catalog.lower($1)" if literal.ignore_case else f"{column} = $1"
    return f"select exists (select from {relation(literal.schema, literal.table)} where {compared})"  # noqa: S608 - quoted names


def _exactly(table: TextColumns) -> str:
    """One part per column, so that each can use its own index."""
    return " union all ".join(
        f"(select distinct {place} as place, {column} as compared, {column} as value"  # noqa: S608 - quoted names
        f" from {relation(table.schema, table.table)} where {column} = any($1::text[]) limit {PER_COLUMN})"
        for place, column in enumerate(f"{quoted(name)}::text" for name in table.columns)
    )


def _ignoring_case(table: TextColumns) -> str:
    """One scan for all columns: no index would serve it."""
    cells = ", ".join(f"({place}, {quoted(column)}::text)" for place, column in enumerate(table.columns))
    return (
        f"select distinct cell.place, pg_catalog.lower(cell.value) as compared, cell.value"  # noqa: S608 - quoted names
        f" from {relation(table.schema, table.table)}, lateral (values {cells}) as cell (place, value)"
        f" where pg_catalog.lower(cell.value) = any($1::text[]) limit {PER_COLUMN * len(table.columns)}"
    )
