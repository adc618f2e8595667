"""Looks for phrases among the values of text columns: exactly first, then without case; bounded in rows and time."""

import asyncio
from collections.abc import Iterable, Sequence

from basejump_common.contracts.connection import FoundValue
from basejump_connection_indexer.domain.session import BrokeOff, Fetch, Query, Session, TextColumns
from basejump_sqlguard import TextLiteral

SECONDS = 2.0
PER_COLUMN = 20
MOST_FOUND = 500
# A table may have been dropped or closed since it was indexed.
_CUT_SHORT = (TimeoutError, BrokeOff)


async def find_values(
    session: Session, tables: Sequence[TextColumns], phrases: Sequence[str]
) -> tuple[list[FoundValue], bool]:
    """What was found, and whether every column was asked before time ran out or the database refused."""
    search = _Search(session, phrases)
    asked = [table for table in tables if table.columns]
    try:
        async with asyncio.timeout(SECONDS), session.reading(SECONDS) as fetch:
            await search.look(fetch, asked)
    except _CUT_SHORT:
        return search.found, False
    return search.found[:MOST_FOUND], len(search.found) <= MOST_FOUND


async def literals_found(session: Session, literals: Iterable[TextLiteral]) -> set[TextLiteral]:
    """Those that stand in their column; when time runs out or the database refuses, those seen until then."""
    found: set[TextLiteral] = set()
    try:
        async with asyncio.timeout(SECONDS), session.reading(SECONDS) as fetch:
            for literal in literals:
                rows = await fetch(session.values.holds(literal))
                found |= {literal} if rows[0][0] else set()
    except _CUT_SHORT:
        return found
    return found


class _Search:
    def __init__(self, session: Session, phrases: Sequence[str]) -> None:
        self._queries = session.values
        self._phrases = phrases
        self.found: list[FoundValue] = []

    async def look(self, fetch: Fetch, tables: Sequence[TextColumns]) -> None:
        """Exact values in all tables (an index on the column serves that), then the phrases that had none."""
        for table in tables:
            query = self._queries.exactly(table, self._phrases, PER_COLUMN)
            await self._ask(fetch, query, table, self._phrases)
        seen = {value.phrase for value in self.found}
        if rest := [phrase for phrase in self._phrases if phrase not in seen]:
            lower = [phrase.lower() for phrase in rest]
            for table in tables:
                await self._ask(fetch, self._queries.ignoring_case(table, lower, PER_COLUMN), table, rest)

    async def _ask(self, fetch: Fetch, query: Query, table: TextColumns, phrases: Sequence[str]) -> None:
        fold = self._queries.fold
        folded = {fold(phrase): phrase for phrase in phrases}
        for place, value in await fetch(query):
            phrase = value if value in phrases else folded.get(fold(value))
            if phrase is not None:
                self.found.append(_found(phrase, table, place, value))


def _found(phrase: str, table: TextColumns, place: int, value: str) -> FoundValue:
    return FoundValue(
        phrase=phrase,
        schema_name=table.schema,
        table_name=table.table,
        column_name=table.columns[place],
        value=value,
    )
