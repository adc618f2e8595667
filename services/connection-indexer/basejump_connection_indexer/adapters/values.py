"""Looks text values up in the columns of a customer's database; bounded in rows and time, kept nowhere.

Equal ones first, which an index on the column serves; then without case; then what is like them. A database that
refuses or takes too long only leaves something unknown.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import msgspec

from basejump_common.contracts.connection import FoundValue, Likeness
from basejump_connection_indexer.domain.likeness import Alike, Shape, closest, core_of, only_form, shapes, variants
from basejump_connection_indexer.domain.session import BrokeOff, Fetch, Query, Row, Session, TextColumns
from basejump_sqlguard import LookUp, TextLiteral

SECONDS = 2.0
PER_COLUMN = 20
MOST_FOUND = 500
MOST_LIKE = 10_000
"""So many different values are ranked; of a column that has more like the phrase some remain unseen."""

# A table may have been dropped or closed since it was indexed.
_CUT_SHORT = (TimeoutError, BrokeOff)


class Closest(msgspec.Struct, frozen=True, kw_only=True):
    """What is like a missing value, best first; `all_seen`: False when there may be more."""

    alike: tuple[Alike, ...] = ()
    all_seen: bool = False

    @property
    def same(self) -> str | None:
        """The one that differs in nothing but form."""
        return only_form(self.alike)


async def find_values(
    session: Session, tables: Sequence[TextColumns], phrases: Sequence[str], *, like: bool = False
) -> tuple[list[FoundValue], bool]:
    """What was found, and whether every column was asked before time ran out or the database refused.

    `like`: for phrases that weren't found, the values that are like them.
    """
    search = _Search(session, phrases)
    asked = [table for table in tables if table.columns]
    async with _asking(session) as fetch:
        await search.look(fetch, asked)
        if like:
            await search.look_for_like(fetch, asked)
        search.is_complete = True
    return search.found[:MOST_FOUND], search.is_complete and len(search.found) <= MOST_FOUND


async def look_up(session: Session, literals: Iterable[TextLiteral]) -> dict[TextLiteral, LookUp]:
    """Whether each stands in its column; what time didn't suffice for is unknown."""
    outcomes = dict.fromkeys(literals, LookUp.UNKNOWN)
    async with _asking(session) as fetch:
        for literal in outcomes:
            ((holds,),) = await fetch(session.values.holds(literal))
            outcomes[literal] = LookUp.FOUND if holds else LookUp.MISSING
    return outcomes


async def find_closest(session: Session, literals: Iterable[TextLiteral]) -> dict[TextLiteral, Closest]:
    """Values of each literal's column that are like it."""
    outcomes = dict.fromkeys(literals, Closest())
    async with _asking(session) as fetch:
        for literal in outcomes:
            phrase = core_of(literal.value) if literal.pattern else literal.value
            if phrase is not None:
                column = TextColumns(schema=literal.schema, table=literal.table, columns=(literal.column,))
                outcomes[literal] = await _closest(fetch, session, column, phrase)
    return outcomes


async def _closest(fetch: Fetch, session: Session, column: TextColumns, phrase: str) -> Closest:
    rows = await fetch(session.values.exactly(column, variants(phrase), PER_COLUMN))
    forms = Closest(alike=tuple(closest(phrase, (value for _, value in rows))), all_seen=True)
    wanted = shapes(phrase)
    if forms.same is not None or not wanted:
        return forms
    rows = await fetch(session.values.shaped(column, wanted, MOST_LIKE))
    alike = await asyncio.to_thread(closest, phrase, [value for _, value in rows])
    return Closest(alike=tuple(alike), all_seen=len(rows) < MOST_LIKE)


@asynccontextmanager
async def _asking(session: Session) -> AsyncIterator[Fetch]:
    """What is asked within ends when time does, or when the database refuses; then the block is left without more."""
    try:
        async with asyncio.timeout(SECONDS), session.reading(SECONDS) as fetch:
            yield fetch
    except _CUT_SHORT:
        return


class _Search:
    def __init__(self, session: Session, phrases: Sequence[str]) -> None:
        self._queries = session.values
        self._phrases = phrases
        self.found: list[FoundValue] = []
        self.is_complete = False

    async def look(self, fetch: Fetch, tables: Sequence[TextColumns]) -> None:
        """Exact values in all tables (an index on the column serves that), then the phrases that had none."""
        for table in tables:
            query = self._queries.exactly(table, self._phrases, PER_COLUMN)
            await self._ask(fetch, query, table, self._phrases)
        if rest := self._not_found():
            lower = [phrase.lower() for phrase in rest]
            for table in tables:
                await self._ask(fetch, self._queries.ignoring_case(table, lower, PER_COLUMN), table, rest)

    async def look_for_like(self, fetch: Fetch, tables: Sequence[TextColumns]) -> None:
        """One scan of each table for all phrases that had nothing; the closest first."""
        rest = self._not_found()
        alike: list[tuple[int, FoundValue]] = []
        wanted: list[Shape] = list(dict.fromkeys(shape for phrase in rest for shape in shapes(phrase)))
        for table in tables if wanted else ():
            rows = await fetch(self._queries.shaped(table, wanted, MOST_LIKE))
            alike += await asyncio.to_thread(_ranked, rest, table, rows)
        self.found += [value for _, value in sorted(alike, key=lambda one: one[0])]

    def _not_found(self) -> list[str]:
        seen = {value.phrase for value in self.found}
        return [phrase for phrase in self._phrases if phrase not in seen]

    async def _ask(self, fetch: Fetch, query: Query, table: TextColumns, phrases: Sequence[str]) -> None:
        fold = self._queries.fold
        folded = {fold(phrase): phrase for phrase in phrases}
        for place, value in await fetch(query):
            phrase = value if value in phrases else folded.get(fold(value))
            if phrase is not None:
                self.found.append(_found(phrase, table, place, value))


def _ranked(phrases: Sequence[str], table: TextColumns, rows: Sequence[Row]) -> list[tuple[int, FoundValue]]:
    """What is like the phrases in each column, with how many edits away it is."""
    return [
        (one.edits, _found(phrase, table, place, one.value, one.likeness))
        for place in range(len(table.columns))
        for phrase in phrases
        for one in closest(phrase, (value for at, value in rows if at == place))
    ]


def _found(phrase: str, table: TextColumns, place: int, value: str, likeness: Likeness = Likeness.EQUAL) -> FoundValue:
    return FoundValue(
        phrase=phrase,
        schema_name=table.schema,
        table_name=table.table,
        column_name=table.columns[place],
        value=value,
        likeness=likeness,
    )
