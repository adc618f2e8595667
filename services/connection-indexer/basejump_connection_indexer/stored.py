"""Results that are kept: read again under the grants as they are now."""

import asyncio
from contextlib import suppress
from uuid import UUID

import msgspec

import basejump_sqlguard as guard
from basejump_common.bus import Context
from basejump_common.contracts import wire
from basejump_common.contracts.connection import (
    CheckGrants,
    ForgetRuns,
    HeldGrants,
    OpenedRun,
    OpenRun,
    RanUnder,
    ReadRun,
    RunResult,
    RunRows,
    StoredRunOf,
)
from basejump_common.contracts.erasing import Erased
from basejump_common.errors import InvalidInput, NotFound
from basejump_common.storage.database import Database
from basejump_connection_indexer.access import Access, Gate
from basejump_connection_indexer.adapters import run_rows, stored_rows
from basejump_connection_indexer.adapters.result_store import ResultStore, StoredFile
from basejump_connection_indexer.domain.guard import Prover
from basejump_connection_indexer.downloads import Tickets

_GONE = "the rows of this result are no longer kept"


class StoredRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that has finished, and the file that holds its rows."""

    result: RunResult
    client_uuid: UUID
    storage_uuid: UUID | None
    object_key: str
    db_uuid: UUID
    dialect: str


class Stored:
    """Whoever may no longer run a statement may no longer read what it gave."""

    def __init__(self, database: Database, gate: Gate, store: ResultStore, prover: Prover, tickets: Tickets) -> None:
        self._database = database
        self._gate = gate
        self._store = store
        self._prover = prover
        self._tickets = tickets

    async def read(self, context: Context, request: ReadRun) -> RunRows:
        """Raises NotFound, InvalidInput, StorageAway."""
        run = await self.run(context, request)
        columns = run.result.columns
        if max(*request.columns, request.by or 0) >= len(columns):
            raise InvalidInput.field("columns", f"the result has {len(columns)} columns")
        how = request.pick, await self.file(run), request.columns, request.by, request.most, request.longest_text
        picked = await asyncio.to_thread(stored_rows.pick, *how)
        return RunRows(
            columns=tuple(columns[place] for place in request.columns),
            rows=picked.rows,
            row_count=run.result.row_count,
            rest=picked.rest,
        )

    async def open(self, context: Context, request: OpenRun) -> OpenedRun:
        """A ticket for all rows, which are there at this moment. Raises NotFound and StorageAway."""
        stored = await self.run(context, request)
        await self.file(stored)
        run = stored.result
        url, until = self._tickets.issue(context.caller.tenant, run.run_uuid, request.format)
        return OpenedRun(url=url, expires_at=until, row_count=run.row_count, truncated=run.truncated)

    async def run(self, context: Context, asked: ReadRun | OpenRun | StoredRunOf) -> StoredRun:
        """The run, which the caller may read under that grant. Raises NotFound."""
        access = await self._gate.open_stored(context, asked.team_uuid, asked.conn_uuid)
        return await self._run(access, asked.run_uuid)

    async def held(self, context: Context, request: CheckGrants) -> HeldGrants:
        """Those that the caller may read at this moment."""
        asked: dict[tuple[UUID, UUID], list[RanUnder]] = {}
        for one in request.data:
            asked.setdefault((one.team_uuid, one.conn_uuid), []).append(one)
        held: list[RanUnder] = []
        for grant, runs in asked.items():
            # Of a grant that is gone nothing is held.
            with suppress(NotFound):
                held += await self._provable(await self._gate.open_stored(context, *grant), runs)
        return HeldGrants(data=tuple(held))

    async def forget(self, _context: Context, request: ForgetRuns) -> Erased:
        """The files first: what is left when this fails is found again. Raises StorageAway."""
        async with self._database.tenant(request.client_uuid) as tx:
            files = await run_rows.files(tx, request.run_uuids)
        for file in files:
            await self._store.delete(request.client_uuid, file.storage_uuid, file.object_key)
        async with self._database.tenant(request.client_uuid) as tx:
            return Erased(count=len(files) + await run_rows.delete(tx, request.run_uuids))

    async def _provable(self, access: Access, runs: list[RanUnder]) -> list[RanUnder]:
        """The grants alone, and those whose statement could still run."""
        named = [one.run_uuid for one in runs if one.run_uuid is not None]
        async with self._database.tenant(access.client_uuid) as tx:
            statements = await run_rows.statements(tx, access.conn_uuid, named) if named else {}

        def provable() -> set[UUID]:
            return {run_uuid for run_uuid, sql in statements.items() if self._refusal(access, sql) is None}

        readable = {None, *(await asyncio.to_thread(provable))}
        return [one for one in runs if one.run_uuid in readable]

    async def file(self, run: StoredRun) -> StoredFile:
        """Its rows, for a thread. Raises NotFound and StorageAway."""
        try:
            return await self._store.open(run.client_uuid, run.storage_uuid, run.object_key)
        except FileNotFoundError as error:
            raise NotFound(_GONE) from error

    async def _run(self, access: Access, run_uuid: UUID) -> StoredRun:
        """The run, whose statement may be run over this access. Raises NotFound."""
        async with self._database.tenant(access.client_uuid) as tx:
            row = await run_rows.find(tx, run_uuid)
        if row is None or row.conn_uuid != access.conn_uuid:
            raise NotFound("there is no such result")
        if row.reply is None or row.object_key is None or row.statement is None:
            raise NotFound(_GONE)
        refusal = await asyncio.to_thread(self._refusal, access, row.statement)
        if refusal is not None:
            raise NotFound(f"what this result rests on may not be read any more: {refusal.reason}")
        return StoredRun(
            result=wire.decode(row.reply, RunResult),
            client_uuid=access.client_uuid,
            storage_uuid=row.storage_uuid,
            object_key=row.object_key,
            db_uuid=access.db_uuid,
            dialect=access.dialect,
        )

    def _refusal(self, access: Access, statement: str) -> guard.Refusal | None:
        """Why the statement could not run any more."""
        policy = guard.Policy(extra_functions=access.functions)
        proved = access.proof(self._prover, statement, policy)
        return proved if isinstance(proved, guard.Refusal) else None
