"""Proof and running of SQL under a team's grant, and stopping it."""

import asyncio
import time
from uuid import UUID

import msgspec

import basejump_sqlguard as guard
from basejump_common.bus import Context
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
from basejump_common.errors import NotFound, NotProved
from basejump_connection_indexer.access import Access, Gate
from basejump_connection_indexer.adapters.customer_pools import CustomerPools
from basejump_connection_indexer.adapters.result_store import ResultFile
from basejump_connection_indexer.adapters.running import Outcome, run_statement
from basejump_connection_indexer.adapters.values import find_values, literals_found
from basejump_connection_indexer.domain.guard import Prover, contract_proof, contract_refusal
from basejump_connection_indexer.domain.limits import Limits, check_estimate
from basejump_connection_indexer.domain.session import text_columns
from basejump_connection_indexer.runs import Runs


class Statements:
    """What connection-indexer does with SQL on customers' databases."""

    def __init__(self, gate: Gate, pools: CustomerPools, runs: Runs, limits: Limits, prover: Prover) -> None:
        self._gate = gate
        self._pools = pools
        self._runs = runs
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

        Raises NotFound, NotProved, EstimateTooHigh, TooManyStatements, QueryFailed, StatementTimeout, ResultTooLarge,
        Canceled and Unavailable.
        """
        return await self._runs.once(context, request, lambda access, file: self._result(access, request, file))

    async def stop(self, context: Context, request: StopRun) -> Done:
        """Whichever replica runs it cancels it in the database within a second; one that hasn't begun won't."""
        await self._runs.stop(context.caller.tenant, request.run_uuid)
        return Done()

    async def _proof(self, access: Access, sql: str) -> guard.Proof | guard.Refusal:
        # One more than is kept, so that a result is called truncated only when something was cut.
        policy = guard.Policy(row_limit=self._limits.within(access.settings).rows + 1)
        return await asyncio.to_thread(self._prover, sql, access.dialect, access.catalog.guard, policy)

    async def _result(self, access: Access, request: Run, file: ResultFile) -> RunResult:
        proved = await self._proof(access, request.sql)
        if isinstance(proved, guard.Refusal):
            refusal: Refusal = contract_refusal(proved)
            raise NotProved(refusal.reason, details=msgspec.to_builtins(refusal))
        limits = self._limits.within(access.settings)
        label = f"basejump {str(access.client_uuid)[:8]} {request.prompt_uuid}"
        async with self._pools.borrow(access.conn_uuid, access.target) as session:
            estimate = await session.explain(proved.sql, label, limits.seconds)
            check_estimate(estimate, self._limits, access.settings, request.approved)
            if proved.literals:
                proved = proved.with_found(await literals_found(session, proved.literals))
            started = time.perf_counter()
            outcome = await run_statement(session, proved.sql, label, limits, file)
            seconds = time.perf_counter() - started
        return _reply(request.run_uuid, outcome, file, contract_proof(proved), seconds)


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
