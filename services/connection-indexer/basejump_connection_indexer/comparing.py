"""Two stored results side by side: their statements, and all their rows."""

import asyncio
import secrets

import basejump_sqlguard as guard
from basejump_common.bus import Context
from basejump_common.contracts.connection import (
    CompareRuns,
    QueryDifference,
    QueryLikeness,
    RunsCompared,
)
from basejump_connection_indexer.adapters import stored_rows
from basejump_connection_indexer.stored import Stored, StoredRun

MOST_ROWS = 100_000
MOST_BYTES = 50_000_000
"""Larger results aren't compared row by row: it takes about ten microseconds a row."""


class Comparing:
    """Who may not read one of the two learns nothing of it."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored

    async def compare(self, context: Context, request: CompareRuns) -> RunsCompared:
        """Raises NotFound and Unavailable."""
        source, target = [await self._stored.run(context, one) for one in (request.source, request.target)]
        queries: QueryLikeness = QueryLikeness.OTHER
        differences: tuple[QueryDifference, ...] = ()
        same_database = source.db_uuid == target.db_uuid
        if same_database:
            queries, differences = await asyncio.to_thread(_queries, source, target)
        return RunsCompared(
            queries=queries,
            differences=differences,
            same_database=same_database,
            same_rows=await self._same_rows(source, target),
        )

    async def _same_rows(self, source: StoredRun, target: StoredRun) -> bool | None:
        one, other = source.result, target.result
        if one.truncated or other.truncated:
            return None
        if (one.row_count, len(one.columns)) != (other.row_count, len(other.columns)):
            return False
        if one.row_count > MOST_ROWS or max(one.bytes, other.bytes) > MOST_BYTES:
            return None
        key = secrets.token_bytes(16)
        files = [await self._stored.file(run) for run in (source, target)]
        rows, other_rows = await asyncio.to_thread(lambda: [stored_rows.multiset(file, key) for file in files])
        return rows == other_rows


def _queries(source: StoredRun, target: StoredRun) -> tuple[QueryLikeness, tuple[QueryDifference, ...]]:
    """Both were proved in the dialect of one database, so both are queries."""
    compared = guard.compare(source.result.proof.sql, target.result.proof.sql, source.dialect)
    differences = tuple(
        QueryDifference(part=one.part, only_source=one.only_first, only_target=one.only_second)
        for one in compared.differences
    )
    match compared.verdict:
        case "identical":
            return QueryLikeness.IDENTICAL, differences
        case "equivalent":
            return QueryLikeness.EQUIVALENT, differences
        case _:
            return QueryLikeness.OTHER, differences
