"""Results that are kept: read again under the grants as they are now."""

import asyncio
from typing import Any
from uuid import UUID

import msgspec

import basejump_sqlguard as guard
from basejump_common.bus import Context
from basejump_common.contracts import wire
from basejump_common.contracts.connection import ReadRun, RunResult, RunRows
from basejump_common.errors import InvalidInput, NotFound
from basejump_common.storage.database import Database
from basejump_connection_indexer.access import Access, Gate
from basejump_connection_indexer.adapters import run_rows, stored_rows
from basejump_connection_indexer.adapters.result_store import ResultStore
from basejump_connection_indexer.domain.guard import Prover

_GONE = "the rows of this result are no longer kept"


class StoredRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that has finished, and the file that holds its rows."""

    result: RunResult
    object_key: str


class Stored:
    """Whoever may no longer run a statement may no longer read what it gave."""

    def __init__(self, database: Database, gate: Gate, store: ResultStore, prover: Prover) -> None:
        self._database = database
        self._gate = gate
        self._store = store
        self._prover = prover

    async def read(self, context: Context, request: ReadRun) -> RunRows:
        """Raises NotFound, InvalidInput, Unavailable."""
        access = await self._gate.open_stored(context, request.team_uuid, request.conn_uuid)
        run = await self._run(access, request.run_uuid)
        columns = run.result.columns
        if max(*request.columns, request.by or 0) >= len(columns):
            raise InvalidInput.field("columns", f"the result has {len(columns)} columns")
        picked = await asyncio.to_thread(self._pick, run.object_key, request)
        return RunRows(
            columns=tuple(columns[place] for place in request.columns),
            rows=picked.rows,
            row_count=run.result.row_count,
            rest=picked.rest,
        )

    def _pick(self, key: str, request: ReadRun) -> stored_rows.Picked:
        try:
            file = self._store.open(key)
        except FileNotFoundError as error:
            raise NotFound(_GONE) from error
        return stored_rows.pick(request.pick, file, request.columns, request.by, request.most, request.longest_text)

    async def _run(self, access: Access, run_uuid: UUID) -> StoredRun:
        """The run, whose statement may be run over this access. Raises NotFound."""
        async with self._database.tenant(access.client_uuid) as tx:
            row = await run_rows.find(tx, run_uuid)
        if row is None or row.conn_uuid != access.conn_uuid:
            raise NotFound("there is no such result")
        if row.reply is None or row.object_key is None or row.statement is None:
            raise NotFound(_GONE)
        await self._check(access, row.statement)
        return StoredRun(result=wire.decode(row.reply, RunResult), object_key=row.object_key)

    async def _check(self, access: Access, statement: str) -> None:
        policy: Any = guard.Policy()
        proved = await asyncio.to_thread(self._prover, statement, access.dialect, access.catalog.guard, policy)
        if isinstance(proved, guard.Refusal):
            raise NotFound(f"what this result rests on may not be read any more: {proved.reason}")
