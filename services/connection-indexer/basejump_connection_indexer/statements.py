"""Proof and running of SQL under a team's grant, and stopping it."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

import basejump_sqlguard as guard
from basejump_common.bus import Context
from basejump_common.contracts import wire
from basejump_common.contracts.common import Done
from basejump_common.contracts.connection import (
    FindValues,
    FoundValues,
    Proof,
    Prove,
    Proved,
    Refusal,
    ResultColumn,
    Run,
    RunResult,
    StopRun,
)
from basejump_common.errors import (
    BasejumpError,
    Canceled,
    InvalidInput,
    NotFound,
    NotProved,
    QueryFailed,
    ResultTooLarge,
    StatementTimeout,
    from_body,
)
from basejump_common.storage.database import Database
from basejump_connection_indexer.access import Access, Gate
from basejump_connection_indexer.adapters import run_rows
from basejump_connection_indexer.adapters.customer_pools import CustomerPools
from basejump_connection_indexer.adapters.result_store import ResultFile, ResultStore
from basejump_connection_indexer.adapters.run_rows import RunRow
from basejump_connection_indexer.adapters.running import Limits, Outcome, run_statement
from basejump_connection_indexer.adapters.values import find_values, literals_found
from basejump_connection_indexer.domain.guard import Prover, contract_proof, contract_refusal
from basejump_connection_indexer.domain.session import text_columns

POLL_SECONDS = 0.3
"""How often a running statement asks whether it was stopped, and a second call for the same run whether it ended."""

_LASTING = (NotProved, QueryFailed, StatementTimeout, ResultTooLarge, Canceled)
"""Ends that would only come again: a run that had one answers with it."""

Work: TypeAlias = Coroutine[Any, Any, RunResult]


class Statements:
    """What connection-indexer does with SQL on customers' databases."""

    def __init__(
        self, database: Database, gate: Gate, pools: CustomerPools, store: ResultStore, limits: Limits, prover: Prover
    ) -> None:
        self._database = database
        self._gate = gate
        self._pools = pools
        self._store = store
        self._limits = limits
        self._prover = prover

    async def find_values(self, context: Context, request: FindValues) -> FoundValues:
        """Where the phrases stand in the data. Raises NotFound."""
        access = await self._gate.open(context, request.team_uuid, request.conn_uuid)
        try:
            tables = [access.catalog.tables[tbl_uuid] for tbl_uuid in request.tbl_uuids]
        except KeyError as error:
            raise NotFound("there is no such table") from error
        asked = [text_columns(table) for table in tables if not table.notes.ignore]
        async with self._pools.borrow(access.conn_uuid, access.target) as session:
            found, complete = await find_values(session, asked, request.phrases)
        return FoundValues(data=tuple(found), complete=complete)

    async def prove(self, context: Context, request: Prove) -> Proved:
        """The proof, or why there is none. Raises NotFound."""
        access = await self._gate.open(context, request.team_uuid, request.conn_uuid)
        outcome = await self._proof(access, request.sql)
        if isinstance(outcome, guard.Refusal):
            return Proved(refusal=contract_refusal(outcome))
        if outcome.literals:
            async with self._pools.borrow(access.conn_uuid, access.target) as session:
                outcome = outcome.with_found(await literals_found(session, outcome.literals))
        return Proved(proof=contract_proof(outcome))

    async def run(self, context: Context, request: Run) -> RunResult:
        """Prove and run, once for each run_uuid; whoever asks again waits for that end and gets it too.

        Raises NotFound, NotProved, QueryFailed, StatementTimeout, ResultTooLarge, Canceled and Unavailable.
        """
        access = await self._gate.open(context, request.team_uuid, request.conn_uuid)
        while True:
            attempt = await self._claim(access, request)
            if attempt is not None:
                return await self._perform(access, request, attempt)
            ended = await self._ended(access, request)
            if ended is not None:
                return ended
            await asyncio.sleep(POLL_SECONDS)

    async def stop(self, context: Context, request: StopRun) -> Done:
        """Whichever replica runs it cancels it in the database within a second; one that hasn't begun won't."""
        tenant = context.caller.tenant
        async with self._database.tenant(tenant) as tx:
            await run_rows.request_stop(tx, tenant, request.run_uuid)
        return Done()

    async def _proof(self, access: Access, sql: str) -> guard.Proof | guard.Refusal:
        # One more than is kept, so that a result is called truncated only when something was cut.
        policy = guard.Policy(row_limit=self._limits.rows + 1)
        return await asyncio.to_thread(self._prover, sql, access.dialect, access.catalog.guard, policy)

    async def _claim(self, access: Access, request: Run) -> int | None:
        """The attempt under which this call runs it; None when it isn't this call's."""
        async with self._database.tenant(access.client_uuid) as tx:
            if await run_rows.claim(tx, access.client_uuid, request):
                return 1
            return await run_rows.take_over(tx, request.run_uuid)

    async def _ended(self, access: Access, request: Run) -> RunResult | None:
        """How it ended; None while another call runs it, or when it may be run again."""
        async with self._database.tenant(access.client_uuid) as tx:
            row = await run_rows.find(tx, request.run_uuid)
        if row is None:
            return None
        _check_same(row, request)
        if row.reply is not None:
            return wire.decode(row.reply, RunResult)
        if row.error is not None:
            raise from_body(row.error)
        if row.stop_requested and row.lease_over:
            raise Canceled("it was stopped")
        return None

    async def _perform(self, access: Access, request: Run, attempt: int) -> RunResult:
        file = self._store.create(access.client_uuid, request.run_uuid, attempt)
        try:
            work = self._result(access, request, file)
            result = await self._unless_stopped(access.client_uuid, request.run_uuid, attempt, work)
            await self._keep(access.client_uuid, attempt, result, file)
        except BaseException as error:
            # A cancellation (deadline, drain) too: the row must not say that it still runs.
            await asyncio.shield(self._settle(access.client_uuid, request.run_uuid, attempt, error))
            raise
        return result

    async def _result(self, access: Access, request: Run, file: ResultFile) -> RunResult:
        proved = await self._proof(access, request.sql)
        if isinstance(proved, guard.Refusal):
            refusal: Refusal = contract_refusal(proved)
            raise NotProved(refusal.reason, details=msgspec.to_builtins(refusal))
        label = f"basejump {str(access.client_uuid)[:8]} {request.prompt_uuid}"
        async with self._pools.borrow(access.conn_uuid, access.target) as session:
            if proved.literals:
                proved = proved.with_found(await literals_found(session, proved.literals))
            started = time.perf_counter()
            outcome = await run_statement(session, proved.sql, label, self._limits, file)
            seconds = time.perf_counter() - started
        return _reply(request.run_uuid, outcome, file, contract_proof(proved), seconds)

    async def _keep(self, client_uuid: UUID, attempt: int, result: RunResult, file: ResultFile) -> None:
        await file.close()
        result_bytes = wire.encode(result)
        async with self._database.tenant(client_uuid) as tx:
            ours = await run_rows.finish(tx, result.run_uuid, attempt, result_bytes, file.key)
        if not ours:
            await self._store.delete(file.key)
            raise Canceled("it was stopped")

    async def _settle(self, client_uuid: UUID, run_uuid: UUID, attempt: int, error: BaseException) -> None:
        async with self._database.tenant(client_uuid) as tx:
            if isinstance(error, _LASTING):
                await run_rows.fail(tx, run_uuid, attempt, error.body())
            else:
                await run_rows.forget(tx, run_uuid, attempt)

    async def _unless_stopped(self, client_uuid: UUID, run_uuid: UUID, attempt: int, work: Work) -> RunResult:
        """What `work` gives; canceled, and Canceled raised, when the run is to be stopped or is no longer ours."""
        task = asyncio.create_task(work)
        watch = asyncio.create_task(self._watch(client_uuid, run_uuid, attempt))
        try:
            await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise Canceled("it was stopped")
        finally:
            task.cancel()
            watch.cancel()
            # Until the statement is canceled in the customer's database.
            await asyncio.gather(task, watch, return_exceptions=True)

    async def _watch(self, client_uuid: UUID, run_uuid: UUID, attempt: int) -> None:
        """Renew the lease; return when the run is to be stopped."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                async with self._database.tenant(client_uuid) as tx:
                    stop = await run_rows.renew(tx, run_uuid, attempt)
            except BasejumpError:
                # Our own database is away for a moment: the statement goes on, its lease may run out.
                continue
            if stop is not False:
                return


def _check_same(row: RunRow, request: Run) -> None:
    if row.statement is not None and (row.statement, row.conn_uuid) != (request.sql, request.conn_uuid):
        raise InvalidInput.field("run_uuid", "another statement ran under it")


def _reply(run_uuid: UUID, outcome: Outcome, file: ResultFile, proof: Proof, seconds: float) -> RunResult:
    return RunResult(
        run_uuid=run_uuid,
        columns=tuple(ResultColumn(name=column.name, type=column.type) for column in outcome.columns),
        row_count=outcome.rows,
        truncated=outcome.truncated,
        preview=outcome.preview,
        bytes=file.bytes,
        database_seconds=round(seconds, 6),
        proof=proof,
    )
