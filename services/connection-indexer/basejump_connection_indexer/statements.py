"""Proof and running of SQL under a team's grant, and stopping it."""

import asyncio
from collections.abc import Sequence
from functools import partial
from uuid import UUID

import msgspec

import basejump_sqlguard as guard
from basejump_common.bus import Context
from basejump_common.contracts.common import Done
from basejump_common.contracts.connection import (
    Proof,
    Prove,
    Proved,
    Refusal,
    ResultColumn,
    Run,
    RunResult,
    StopRun,
)
from basejump_common.errors import NotProved, Unavailable
from basejump_connection_indexer.access import Access, Gate
from basejump_connection_indexer.adapters.customer_pools import CustomerPools
from basejump_connection_indexer.adapters.result_store import ResultFile
from basejump_connection_indexer.adapters.running import Outcome, estimated, run_statement
from basejump_connection_indexer.adapters.waited import Waited
from basejump_connection_indexer.domain.guard import Prover, contract_proof, contract_refusal
from basejump_connection_indexer.domain.limits import Limits, check_estimate
from basejump_connection_indexer.domain.session import BrokeOff, Session
from basejump_connection_indexer.looking_up import LookUps, missing_of, named, values_missing
from basejump_connection_indexer.runs import Runs
from basejump_sqlguard import TextLiteral


class Statements:
    """What connection-indexer does with SQL on customers' databases."""

    def __init__(
        self, gate: Gate, pools: CustomerPools, look_ups: LookUps, runs: Runs, limits: Limits, prover: Prover
    ) -> None:
        self._gate = gate
        self._pools = pools
        self._look_ups = look_ups
        self._runs = runs
        self._limits = limits
        self._prover = prover

    async def prove(self, context: Context, request: Prove) -> Proved:
        """The proof, or why there is none. Raises NotFound."""
        access = await self._gate.open(context, request.team_uuid, request.conn_uuid)
        outcome = await self._proof(access, request.sql)
        if isinstance(outcome, guard.Refusal):
            return Proved(refusal=contract_refusal(outcome))
        looked_up = await self._look_ups.outcomes(access, outcome.literals)
        missing = await self._look_ups.closest(access, missing_of(looked_up))
        proof = contract_proof(outcome.with_looked_up(looked_up), missing)
        return Proved(proof=proof, ground=access.ground(outcome))

    async def run(self, context: Context, request: Run) -> RunResult:
        """Prove and run, once for each run_uuid; whoever asks again waits for that end and gets it too.

        Raises NotFound, NotProved, ValuesMissing, EstimateTooHigh, TooManyStatements, QueryFailed, StatementTimeout,
        ResultTooLarge, Canceled and Unavailable.
        """
        return await self._runs.once(context, request, partial(self._result, request))

    async def stop(self, context: Context, request: StopRun) -> Done:
        """Whichever replica runs it cancels it in the database within a second; one that hasn't begun won't."""
        await self._runs.stop(context.caller.tenant, request.run_uuid)
        return Done()

    async def _proof(self, access: Access, sql: str) -> guard.Proof | guard.Refusal:
        # One more than is kept, so that a result is called truncated only when something was cut.
        most = self._limits.within(access.settings).rows + 1
        policy = guard.Policy(row_limit=most, extra_functions=access.functions)
        # A hop of 0.2 ms beside a proof's 0.6: one of 50,000 characters would hold everybody up for 0.3 s.
        return await asyncio.to_thread(access.proof, self._prover, sql, policy)

    async def _result(self, request: Run, access: Access, file: ResultFile, attempt: int) -> RunResult:
        proved = await self._proof(access, request.sql)
        if isinstance(proved, guard.Refusal):
            refusal: Refusal = contract_refusal(proved)
            raise NotProved(refusal.reason, details=msgspec.to_builtins(refusal))
        waited = Waited()
        looked_up = await self._look_ups.outcomes(access, proved.literals, waited)
        await self._check_missing(access, request, missing_of(looked_up))
        limits = self._limits.within(access.settings)
        label = _label(access, request)
        async with self._pools.borrow(access.conn_uuid, access.target, waited) as session:
            with waited.waiting():
                if attempt > 1:
                    await _end_others(session, label)
                estimate = await estimated(session, proved.sql, label, limits)
            check_estimate(estimate, self._limits, access.settings, request.approved)
            outcome = await run_statement(session, proved.sql, label, limits, file, waited)
        proof = contract_proof(proved.with_looked_up(looked_up), named(missing_of(looked_up), access.catalog))
        reply = _reply(request.run_uuid, outcome, file, proof, waited.seconds, access.dialect)
        return msgspec.structs.replace(reply, ground=access.ground(proved))

    async def _check_missing(self, access: Access, request: Run, missing: Sequence[TextLiteral]) -> None:
        """Raises ValuesMissing. What a statement leaves out needn't be there."""
        known = request.known_missing
        if known is None:
            return
        unknown = [one for one in missing if not one.negated and one.value not in known]
        if unknown:
            raise values_missing(await self._look_ups.closest(access, unknown))


async def _end_others(session: Session, label: str) -> None:
    try:
        await session.end_others(label)
    except BrokeOff as error:
        raise Unavailable("the customer's database broke off", retry_after=1) from error


def _label(access: Access, request: Run) -> str:
    """Client, prompt and run: as long as PostgreSQL keeps it. Equal for every attempt."""
    return f"basejump {str(access.client_uuid)[:8]} {request.prompt_uuid} {str(request.run_uuid)[:8]}"


def _reply(run_uuid: UUID, outcome: Outcome, file: ResultFile, proof: Proof, seconds: float, dialect: str) -> RunResult:
    return RunResult(
        run_uuid=run_uuid,
        columns=tuple(ResultColumn(name=column.name, type=column.type) for column in outcome.columns),
        row_count=outcome.rows,
        truncated=outcome.truncated,
        preview=outcome.preview,
        bytes=file.bytes,
        database_seconds=round(seconds, 6),
        proof=proof,
        dialect=dialect,
    )
