"""The connector port: what the service does with a customer's database, whatever its engine.

An engine is an `Engine` (its facts) and a function that logs in and gives a `Session`; `adapters/connector.py` has
the table of them. What all engines share is built on the session: `adapters/values.py` looks phrases up,
`adapters/running.py` streams rows to a file within limits, `adapters/customer_pools.py` keeps sessions open.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

import msgspec

from basejump_common.contracts.connection import Estimate
from basejump_common.errors import StatementTimeout
from basejump_connection_indexer.domain.definition import IndexedTable, SeenTable
from basejump_connection_indexer.domain.likeness import Shape
from basejump_connection_indexer.domain.target import Target
from basejump_sqlguard import TextLiteral

Row: TypeAlias = Sequence[Any]
Query: TypeAlias = tuple[str, tuple[Any, ...]]
"""A statement of our own and the values of its parameters."""

Fetch: TypeAlias = Callable[[Query], Awaitable[Sequence[Row]]]


class BrokeOff(Exception):
    """The database went away, or refused a statement of our own, in the words of its driver."""


FETCH_BYTES = 32_000_000
"""What `Rows.fetch` takes from the database at most: it is held in memory, several times over."""


class TooMuchAtOnce(Exception):
    """The rows asked for are larger than FETCH_BYTES; the connection was cut off."""


class CatalogRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What of a database to read; tables whose names contain the filter, in any case, are left out."""

    schemas: tuple[str, ...]
    table_filter_string: str | None = None
    include_views: bool = True
    include_materialized_views: bool = True
    include_partitioned_tables: bool = True


class TextColumns(msgspec.Struct, frozen=True, kw_only=True):
    """Where to look for values: the text columns of one table."""

    schema: str
    table: str
    columns: tuple[str, ...]


class ValueQueries(Protocol):
    """How an engine looks values up. The rows of the first three are (place among the columns, value)."""

    def exactly(self, table: TextColumns, phrases: Sequence[str], per_column: int) -> Query:
        """Values that the database itself takes for equal to a phrase; served by an index where there is one."""

    def ignoring_case(self, table: TextColumns, phrases: Sequence[str], per_column: int) -> Query:
        """Values equal to a phrase but for case; `phrases` are in lower case."""

    def shaped(self, table: TextColumns, shapes: Sequence[Shape], most: int) -> Query:
        """Different values that have one of the shapes, at most `most`; an index for LIKE serves one column."""

    def holds(self, literal: TextLiteral) -> Query:
        """One row with one truth: whether the literal stands in its column, or the pattern matches there."""

    def fold(self, value: str) -> str:
        """Equal for values that `exactly` or `ignoring_case` may give for one phrase."""


class Kept(StrEnum):
    """How a column of a result is kept: its Parquet type. What has none is kept as text."""

    BOOL = "bool"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT = "float"
    DOUBLE = "double"
    DECIMAL = "decimal"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    TIMESTAMP_UTC = "timestamp_utc"
    BINARY = "binary"
    STRING = "string"
    AS_TEXT = "as_text"


class ColumnShape(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a result: its name, its type as people know it, and how it is kept."""

    name: str
    type: str
    kept: Kept


class Rows(Protocol):
    """The rows of a running statement."""

    @property
    def columns(self) -> tuple[ColumnShape, ...]: ...

    async def fetch(self, most: int) -> Sequence[Row]:
        """The next ones; fewer than `most` when there are no more. Raises TooMuchAtOnce."""


class Session(Protocol):
    """One login's open connection. Everything it does is read-only and bounded in time by the server as well.

    Methods raise BrokeOff unless they say something else.
    """

    @property
    def is_open(self) -> bool: ...

    @property
    def values(self) -> ValueQueries: ...

    async def check_schemas(self, names: Sequence[str]) -> None:
        """Raises SchemaMissing naming those that aren't there or that the login may not use."""

    async def risks(self, schemas: Sequence[str], /) -> tuple[str, ...]:
        """What the login may do beyond SELECT, in words that follow "it"."""

    async def catalog(self, request: CatalogRequest) -> list[SeenTable]:
        """Every table the login may read, by schema and name; one state where the engine can. Raises SchemaMissing."""

    def reading(self, seconds: float) -> AbstractAsyncContextManager[Fetch]:
        """Asks queries of our own."""

    async def explain(self, sql: str, label: str, seconds: float) -> Estimate:
        """What the database expects of a proved statement, which doesn't run. Raises as `rows` does."""

    def rows(self, sql: str, label: str, seconds: float) -> AbstractAsyncContextManager[Rows]:
        """Runs one proved statement; left early, the statement is canceled in the database.

        `label` names it where the database lists what runs. Raises StatementTimeout, QueryFailed and Unavailable.
        """

    async def end_others(self, label: str) -> None:
        """End what other sessions of the same login still run under the label: their process is gone."""

    async def reset(self) -> bool:
        """Undo what statements left in it, for the next borrower: settings, locks, temporary tables, everything that
        logging in anew would undo. False when that can't be done; never raises."""

    async def close(self) -> None:
        """End the session, after what was being canceled in it is canceled; never raises."""

    def terminate(self) -> None:
        """Cut the connection off."""


Connect: TypeAlias = Callable[[Target], Awaitable[Session]]


def text_columns(table: IndexedTable) -> TextColumns:
    """The text columns that may be read, aren't ignored, and whose values may be looked for."""
    return TextColumns(
        schema=table.definition.schema,
        table=table.definition.name,
        columns=tuple(column.name for column in table.columns if column.is_text and may_search(table, column.name)),
    )


def may_search(table: IndexedTable, column: str) -> bool:
    """Whether the column's values may be looked for."""
    notes = table.notes.of_column(column)
    return notes.search_values and not notes.ignore


def ran_too_long(seconds: float) -> StatementTimeout:
    """The error of a statement that met its limit."""
    return StatementTimeout(
        f"the statement ran longer than {seconds:g} s and was canceled", details={"limit_seconds": seconds}
    )
