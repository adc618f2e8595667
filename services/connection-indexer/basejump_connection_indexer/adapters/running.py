"""Runs one proved statement, whatever the engine: bounded in time, rows and bytes, batch by batch into a file."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from basejump_common.errors import QueryFailed, ResultTooLarge
from basejump_connection_indexer.adapters.json_values import preview
from basejump_connection_indexer.adapters.parquet import ParquetBatches
from basejump_connection_indexer.adapters.result_store import ResultFile
from basejump_connection_indexer.domain.limits import Limits
from basejump_connection_indexer.domain.session import ColumnShape, Row, Rows, Session, ran_too_long

FIRST_ROWS = 500
HEAD_ROWS = 20_000
BATCH_BYTES = 16_000_000
_CLIENT_GRACE = 1.0  # the server's own timeout comes first and says more


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What was written."""

    columns: tuple[ColumnShape, ...]
    rows: int
    truncated: bool
    preview: tuple[tuple[Any, ...], ...]


async def run_statement(session: Session, sql: str, label: str, limits: Limits, file: ResultFile) -> Outcome:
    """Stream the rows into `file`, which stays open.

    Raises StatementTimeout, QueryFailed, ResultTooLarge and Unavailable.
    """
    try:
        async with (
            asyncio.timeout(limits.seconds + _CLIENT_GRACE),
            session.rows(sql, label, limits.seconds) as rows,
        ):
            return await _Stream(rows, limits, file).write()
    except TimeoutError as error:
        raise ran_too_long(limits.seconds) from error
    except (ValueError, OverflowError) as error:
        raise QueryFailed(f"the result has a value that can't be represented: {error}") from error


class _Stream:
    def __init__(self, source: Rows, limits: Limits, file: ResultFile) -> None:
        self._source = source
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
        parquet = await asyncio.to_thread(ParquetBatches, self._source.columns, head, whole=self._ended)
        rows: Sequence[Row] = head
        while rows:
            await self._add(parquet, rows)
            rows = await self._next()
        await asyncio.to_thread(parquet.close)
        await self._file.write(parquet.take())
        return Outcome(columns=self._source.columns, rows=self._rows, truncated=self._truncated, preview=shown)

    async def _head(self) -> list[Row]:
        head: list[Row] = []
        size = 0
        while len(head) < HEAD_ROWS and size < BATCH_BYTES and (rows := await self._next()):
            head += rows
            size += sum(map(_weight, rows))
            self._batch = _next_batch(len(head), size)
        return head

    async def _next(self) -> Sequence[Row]:
        """The next rows within the cap; at the cap, whether one more was there."""
        if self._ended:
            return []
        asked = min(self._batch, self._limits.rows - self._rows)
        if asked <= 0:
            self._truncated = bool(await self._source.fetch(1))
            self._ended = True
            return []
        rows = await self._source.fetch(asked)
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
