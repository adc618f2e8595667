"""One proved statement in a customer's PostgreSQL: what is expected of it, and its rows, read-only, by a cursor.

The floor below the proof, should that have a hole: the server itself is asked whether the text is one query and
nothing else, it runs in a read-only transaction that is rolled back, and `Session.reset` undoes what outlives that.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias

import asyncpg
import msgspec

from basejump_common.contracts.connection import Estimate
from basejump_common.errors import QueryFailed, Unavailable
from basejump_connection_indexer.adapters.inflow import Inflow
from basejump_connection_indexer.adapters.postgres.plan import estimated, filtered_scans
from basejump_connection_indexer.adapters.postgres.quoting import literal
from basejump_connection_indexer.adapters.postgres.types import kept, spelled
from basejump_connection_indexer.domain.session import FETCH_BYTES, ColumnShape, Row, ran_too_long

_EXPLAIN = "explain (format json, verbose) "
_MOST_TABLES = 1_000
_TABLE_ROWS = """
    select nspname, relname, reltuples from pg_catalog.pg_class
    join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
    where (nspname, relname) in (select * from unnest($1::text[], $2::text[]))
"""

_AS_A_QUERY = "declare proved cursor for\n"
# Types for which the driver has objects of its own, or (interval's months) less than the value.
_AS_WRITTEN = frozenset(
    ("interval", "bit", "varbit", "point", "line", "lseg", "box", "path", "polygon", "circle", "timetz")
)
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


class PostgresRows:
    """The port's `Rows`."""

    def __init__(self, cursor: Any, columns: tuple[ColumnShape, ...], inflow: Inflow) -> None:
        self._cursor = cursor
        self._inflow = inflow
        self.columns = columns

    async def fetch(self, most: int) -> Sequence[Row]:
        with self._inflow.at_most(FETCH_BYTES):
            rows: Sequence[Row] = await self._cursor.fetch(most)
        return rows


class Running:
    """What is done with proved statements in one connection. The latest is checked and prepared once, and its estimate
    and its run are of the same one and in one transaction: they cost the customer few round trips."""

    def __init__(self, connection: Connection, inflow: Inflow) -> None:
        self._connection = connection
        self._inflow = inflow
        self._latest: tuple[str, Any] | None = None
        self._begun: tuple[str, float] | None = None

    def forget(self) -> None:
        """The session is as if it had just logged in: nothing is prepared, no transaction is open."""
        self._latest = self._begun = None

    @asynccontextmanager
    async def rows(self, sql: str, label: str, seconds: float) -> AsyncIterator[PostgresRows]:
        """As `Session.rows`; `label` is the session's application_name in pg_stat_activity."""
        async with self._transaction(label, seconds):
            statement = await self._prepared(sql)
            columns = tuple(_shape(attribute) for attribute in statement.get_attributes())
            yield PostgresRows(await statement.cursor(), columns, self._inflow)

    async def explain(self, sql: str, label: str, seconds: float) -> Estimate:
        """As `Session.explain`. What the planner has computed beforehand stands in the plan, however large."""
        connection = self._connection
        async with self._transaction(label, seconds, goes_on=True):
            await self._prepared(sql)
            with self._inflow.at_most(FETCH_BYTES):
                explained = await connection.fetchval(_EXPLAIN + sql)
            plan = msgspec.json.decode(explained)[0]["Plan"]
            names = list(filtered_scans(plan))[:_MOST_TABLES]
            rows = await connection.fetch(_TABLE_ROWS, *map(list, zip(*names, strict=True))) if names else []
        return estimated(plan, {(row[0], row[1]): row[2] for row in rows})

    async def _prepared(self, sql: str) -> Any:
        """The statement, its values of odd types as the database writes them; one query and nothing else."""
        if self._latest is not None and self._latest[0] == sql:
            return self._latest[1]
        statement = await self._connection.prepare(sql)
        await _refuse_what_is_no_query(self._connection, sql)
        odd = {attribute.type.name.removesuffix("[]") for attribute in statement.get_attributes()} & _AS_WRITTEN
        for name in odd:
            await self._connection.set_type_codec(name, schema="pg_catalog", encoder=str, decoder=str, format="text")
        statement = await self._connection.prepare(sql) if odd else statement
        self._latest = sql, statement
        return statement

    @asynccontextmanager
    async def _transaction(self, label: str, seconds: float, *, goes_on: bool = False) -> AsyncIterator[None]:
        """A read-only transaction of which nothing is left: no setting, no notification. One that goes on is left open
        for the next that is like it; a session that is given back in it is closed."""
        with _in_our_words(seconds):
            try:
                if self._begun != (label, seconds):
                    await self._connection.execute(_begin(label, seconds, first="rollback;" if self._begun else ""))
                self._begun = None
                yield
                self._begun = (label, seconds) if goes_on else None
            finally:
                if self._begun is None and not self._connection.is_closed():
                    await self._connection.execute("rollback")


def _begin(label: str, seconds: float, first: str) -> str:
    return (
        f"{first} begin read only; set local search_path = pg_catalog; set local timezone = 'UTC';"
        "set local standard_conforming_strings = on;"  # as the statement was proved
        f"set local statement_timeout = {int(seconds * 1000)};"
        f"set local application_name = {literal(label)}"
    )


async def _refuse_what_is_no_query(connection: Connection, sql: str) -> None:
    """Let the server's parser say so: a cursor is declared for one query that writes nothing, not even by WITH.

    Only parsed, never executed. The extended protocol takes one statement, whatever is in the text.
    """
    await connection.prepare(_AS_A_QUERY + sql)


def _shape(attribute: asyncpg.Attribute) -> ColumnShape:
    kind = attribute.type.name
    return ColumnShape(name=attribute.name, type=spelled(kind), kept=kept(kind))


@contextmanager
def _in_our_words(seconds: float) -> Iterator[None]:
    """What the driver raises; a statement's own mistakes are the customer's to see."""
    try:
        yield
    except asyncpg.QueryCanceledError as error:
        raise ran_too_long(seconds) from error
    except (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, OSError) as error:
        raise Unavailable("the customer's database broke off", retry_after=1) from error
    except asyncpg.PostgresError as error:
        details = {"sqlstate": error.sqlstate, "position": error.as_dict().get("position")}
        raise QueryFailed(f"the database refused the statement: {error.message}", details=details) from error
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise QueryFailed(f"the result has a value that can't be represented: {error}") from error
