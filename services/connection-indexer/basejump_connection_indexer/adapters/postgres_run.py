"""Runs one proved statement in a customer's PostgreSQL: read-only, bounded in time, rows and bytes, row by batch."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec

from basejump_common.errors import BasejumpError, QueryFailed, ResultTooLarge, StatementTimeout, Unavailable
from basejump_connection_indexer.adapters.json_values import preview
from basejump_connection_indexer.adapters.parquet import ColumnShape, ParquetBatches
from basejump_connection_indexer.adapters.postgres_connect import CustomerConnection
from basejump_connection_indexer.adapters.quoting import literal
from basejump_connection_indexer.adapters.result_store import ResultFile

FIRST_ROWS = 500
HEAD_ROWS = 20_000
BATCH_BYTES = 16_000_000
_CLIENT_GRACE = 1.0  # the server's own timeout comes first and says more

# Types for which the driver has objects of its own, or (interval's months) less than the value.
_AS_WRITTEN = frozenset(
    ("interval", "bit", "varbit", "point", "line", "lseg", "box", "path", "polygon", "circle", "timetz")
)

Row = Sequence[Any]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds for the whole statement; a result that reaches `rows` is cut there, one beyond `bytes` is an error."""

    seconds: float
    rows: int
    bytes: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What was written."""

    columns: tuple[ColumnShape, ...]
    rows: int
    truncated: bool
    preview: tuple[tuple[Any, ...], ...]


async def run_statement(
    connection: CustomerConnection, sql: str, label: str, limits: Limits, file: ResultFile
) -> Outcome:
    """Stream the rows into `file`, which stays open. Raises StatementTimeout, QueryFailed, ResultTooLarge, Unavailable.

    `label` names the session in the customer's pg_stat_activity.
    """
    with _meanings(limits):
        async with asyncio.timeout(limits.seconds + _CLIENT_GRACE), _read_only(connection, label, limits):
            # Prepared: the extended protocol takes one statement, whatever is in the text.
            statement = await _prepared(connection, sql)
            columns = tuple(ColumnShape(name=a.name, type=a.type.name) for a in statement.get_attributes())
            cursor = await statement.cursor()
            return await _Stream(cursor, columns, limits, file).write()


class _Stream:
    def __init__(self, cursor: Any, columns: tuple[ColumnShape, ...], limits: Limits, file: ResultFile) -> None:
        self._cursor = cursor
        self._columns = columns
        self._limits = limits
        self._file = file
        self._rows = 0
        self._batch = FIRST_ROWS
        self._ended = False
        self._truncated = False

    async def write(self) -> Outcome:
        """The head decides the types of the columns; the rest follows in batches of a few megabytes."""
        head = await self._head()
        shown = preview(head)
        parquet = await asyncio.to_thread(ParquetBatches, self._columns, head, whole=self._ended)
        rows: Sequence[Row] = head
        while rows:
            await self._add(parquet, rows)
            rows = await self._next()
        await asyncio.to_thread(parquet.close)
        await self._file.write(parquet.take())
        return Outcome(columns=self._columns, rows=self._rows, truncated=self._truncated, preview=shown)

    async def _head(self) -> list[Row]:
        head: list[Row] = []
        size = 0
        while len(head) < HEAD_ROWS and size < BATCH_BYTES and (rows := await self._next()):
            head += rows
            size += sum(map(_weight, rows))
            self._batch = _next_batch(len(head), size)
        return head

    async def _next(self) -> list[Row]:
        """The next rows within the cap; at the cap, whether one more was there."""
        if self._ended:
            return []
        asked = min(self._batch, self._limits.rows - self._rows)
        if asked <= 0:
            self._truncated = bool(await self._cursor.fetch(1))
            self._ended = True
            return []
        rows: list[Row] = await self._cursor.fetch(asked)
        self._ended = len(rows) < asked
        self._rows += len(rows)
        return rows

    async def _add(self, parquet: ParquetBatches, rows: Sequence[Row]) -> None:
        await asyncio.to_thread(parquet.write, rows)
        if parquet.raw_bytes > self._limits.bytes:
            raise ResultTooLarge(
                f"the result has more than {self._limits.bytes:,} bytes: ask for less of it",
                details={"limit_bytes": self._limits.bytes},
            )
        await self._file.write(parquet.take())


def _weight(row: Row) -> int:
    """About how many bytes a row takes: long values count, the rest is a few bytes each."""
    return sum(len(cell) if isinstance(cell, str | bytes) else 8 for cell in row)


def _next_batch(rows: int, size: int) -> int:
    return max(1, min(HEAD_ROWS, BATCH_BYTES * rows // max(size, 1)))


async def _prepared(connection: CustomerConnection, sql: str) -> Any:
    """The statement, its values of odd types as the database writes them."""
    statement = await connection.prepare(sql)
    odd = {attribute.type.name.removesuffix("[]") for attribute in statement.get_attributes()} & _AS_WRITTEN
    for name in odd:
        await connection.set_type_codec(name, schema="pg_catalog", encoder=str, decoder=str, format="text")
    return await connection.prepare(sql) if odd else statement


@asynccontextmanager
async def _read_only(connection: CustomerConnection, label: str, limits: Limits) -> AsyncIterator[None]:
    async with connection.transaction(readonly=True):
        await connection.execute(
            "set local search_path = pg_catalog; set local timezone = 'UTC';"
            f"set local statement_timeout = {int(limits.seconds * 1000)};"
            f"set local application_name = {literal(label)}"
        )
        yield


class _meanings:  # noqa: N801 - used like a function, in `with`
    """What the driver raises, in our words; a statement's own mistakes are the customer's to see."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        meaning = None if error is None else self._meaning(error)
        if meaning is not None:
            raise meaning from error

    def _meaning(self, error: BaseException) -> BasejumpError | None:
        match error:
            case BasejumpError():
                return None
            case TimeoutError() | asyncpg.QueryCanceledError():
                return StatementTimeout(f"the statement ran longer than {self._limits.seconds:g} s and was canceled")
            case asyncpg.PostgresConnectionError() | asyncpg.OperatorInterventionError() | OSError():
                return Unavailable("the customer's database broke off", retry_after=1)
            case asyncpg.PostgresError():
                details = {"sqlstate": error.sqlstate, "position": error.as_dict().get("position")}
                return QueryFailed(f"the database refused the statement: {error.message}", details=details)
            case asyncpg.InterfaceError() | ValueError() | OverflowError():
                return QueryFailed(f"the result has a value that can't be represented: {error}")
            case _:
                return None
