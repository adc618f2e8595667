"""Runs one proved statement, whatever the engine: bounded in time, rows and bytes, batch by batch into a file."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from basejump_common.contracts.connection import Estimate
from basejump_common.errors import QueryFailed, ResultTooLarge
from basejump_connection_indexer.adapters.json_values import preview
from basejump_connection_indexer.adapters.parquet import ParquetBatches
from basejump_connection_indexer.adapters.result_store import ResultFile
from basejump_connection_indexer.adapters.waited import Waited
from basejump_connection_indexer.domain.limits import Limits
from basejump_connection_indexer.domain.session import (
    FETCH_BYTES,
    ColumnShape,
    Row,
    Rows,
    Session,
    TooMuchAtOnce,
    ran_too_long,
)

FIRST_ROWS = 20
FETCH_ROWS = 5_000
FETCH_AIM_BYTES = 8_000_000
BATCH_ROWS = 20_000
BATCH_BYTES = 16_000_000
_CLIENT_GRACE = 1.0  # the server's own timeout comes first and says more


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What was written."""

    columns: tuple[ColumnShape, ...]
    rows: int
    truncated: bool
    preview: tuple[tuple[Any, ...], ...]


async def estimated(session: Session, sql: str, label: str, limits: Limits) -> Estimate:
    """What the database expects of the statement. Raises what `run_statement` raises."""
    try:
        return await session.explain(sql, label, limits.seconds)
    except TooMuchAtOnce as error:
        raise _too_large(limits, at_once=True) from error


async def run_statement(
    session: Session, sql: str, label: str, limits: Limits, file: ResultFile, waited: Waited
) -> Outcome:
    """Stream the rows into `file`, which stays open. What is done with them isn't waited for.

    Raises StatementTimeout, QueryFailed, ResultTooLarge and Unavailable.
    """
    try:
        async with (
            asyncio.timeout(limits.seconds + _CLIENT_GRACE),
            waited.around(session.rows(sql, label, limits.seconds)) as rows,
        ):
            return await _Stream(rows, limits, file, waited).write()
    except TimeoutError as error:
        raise ran_too_long(limits.seconds) from error
    except TooMuchAtOnce as error:
        raise _too_large(limits, at_once=True) from error
    except (ValueError, OverflowError) as error:
        raise QueryFailed(f"the result has a value that can't be represented: {error}") from error


class _Stream:
    def __init__(self, source: Rows, limits: Limits, file: ResultFile, waited: Waited) -> None:
        self._source = source
        self._limits = limits
        self._file = file
        self._waited = waited
        self._rows = 0
        self._fetch = FIRST_ROWS
        self._ended = False
        self._truncated = False

    async def write(self) -> Outcome:
        """The head decides the types of the columns; the rest follows in batches of a few megabytes."""
        head = await self._gather()
        shown = preview(head)
        if self._ended:
            await self._take(await asyncio.to_thread(_all_at_once, self._source.columns, head))
        else:
            await self._stream(head)
        return Outcome(columns=self._source.columns, rows=self._rows, truncated=self._truncated, preview=shown)

    async def _stream(self, head: Sequence[Row]) -> None:
        parquet = await asyncio.to_thread(ParquetBatches, self._source.columns, head, whole=False)
        rows = head
        while rows:
            await asyncio.to_thread(parquet.write, rows)
            await self._take(parquet)
            rows = await self._gather()
        await asyncio.to_thread(parquet.close)
        await self._take(parquet)

    async def _gather(self) -> list[Row]:
        """A batch, fetched in parts: a few rows at first, then more, as many as their size allows."""
        batch: list[Row] = []
        size = 0
        while len(batch) < BATCH_ROWS and size < BATCH_BYTES and (rows := await self._next()):
            batch += rows
            weights = [_weight(row) for row in rows]
            size += sum(weights)
            self._fetch = max(1, min(4 * len(rows), FETCH_ROWS, FETCH_AIM_BYTES // max(*weights, 1)))
        return batch

    async def _next(self) -> Sequence[Row]:
        """The next rows within the cap; at the cap, whether one more was there."""
        if self._ended:
            return []
        asked = min(self._fetch, self._limits.rows - self._rows)
        if asked <= 0:
            self._truncated = bool(await self._fetched(1))
            self._ended = True
            return []
        rows = await self._fetched(asked)
        self._ended = len(rows) < asked
        self._rows += len(rows)
        return rows

    async def _fetched(self, most: int) -> Sequence[Row]:
        with self._waited.waiting():
            return await self._source.fetch(most)

    async def _take(self, parquet: ParquetBatches) -> None:
        if parquet.raw_bytes > self._limits.bytes:
            raise _too_large(self._limits)
        await self._file.write(parquet.take())


def _all_at_once(columns: Sequence[ColumnShape], rows: Sequence[Row]) -> ParquetBatches:
    """A small result, in one visit to a thread."""
    parquet = ParquetBatches(columns, rows, whole=True)
    parquet.write(rows)
    parquet.close()
    return parquet


def _weight(row: Row) -> int:
    """About how many bytes a row takes: long values count, the rest is a few bytes each."""
    return sum(len(cell) if isinstance(cell, str | bytes) else 8 for cell in row)


def _too_large(limits: Limits, *, at_once: bool = False) -> ResultTooLarge:
    """`at_once`: the rows of one fetch are more than is held in memory."""
    if at_once and limits.bytes > FETCH_BYTES:
        most, what = FETCH_BYTES, "a row of the result, or a few together, have"
    else:
        most, what = limits.bytes, "the result has"
    return ResultTooLarge(f"{what} more than {most:,} bytes: ask for less of it", details={"limit_bytes": most})
