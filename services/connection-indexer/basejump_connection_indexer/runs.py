"""Runs: each is carried out once, whoever asks for it, in one of the places that there are for statements."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeAlias
from uuid import UUID

from basejump_common.bus import Context
from basejump_common.contracts import wire
from basejump_common.contracts.connection import LONGEST_RUN_SECONDS, Run, RunResult
from basejump_common.errors import (
    BasejumpError,
    Canceled,
    DeadlineExceeded,
    InvalidInput,
    NotFound,
    NotProved,
    QueryFailed,
    ResultTooLarge,
    StatementTimeout,
    TooManyStatements,
    Unauthenticated,
    Unavailable,
    from_body,
)
from basejump_common.storage.bells import wait_for_bell
from basejump_common.storage.database import Database
from basejump_connection_indexer.access import Access, Gate
from basejump_connection_indexer.adapters import grant_rows, run_rows
from basejump_connection_indexer.adapters.result_store import ResultFile, ResultStore, key_of
from basejump_connection_indexer.adapters.run_rows import LEASE_SECONDS, Claim, Running, RunRow
from basejump_connection_indexer.domain.limits import Limits

POLL_SECONDS = 0.8
"""How often a running statement renews its lease and asks whether it was stopped, and who waits looks again, when no
bell rang: so that a statement is canceled within a second even if a bell is missed."""

GIVE_UP_SECONDS = LEASE_SECONDS - 2.0
"""A statement whose lease couldn't be renewed for so long is canceled before another may begin it."""

_LASTING = (NotProved, QueryFailed, StatementTimeout, ResultTooLarge, Canceled)
"""Ends that would only come again: a run that had one answers with it."""


Work: TypeAlias = Callable[[Access, ResultFile, int], Coroutine[Any, Any, RunResult]]
"""Takes the number of the attempt too: from the second on an earlier one, whose replica is gone, may be left over."""

log = logging.getLogger(__name__)


class Runs:
    """`limits` are the installation's; `wait_seconds`: how long a run waits for a place.

    A run is a task of the replica, not of a call: who calls waits for its end, and going away cancels nothing.
    """

    def __init__(self, database: Database, gate: Gate, store: ResultStore, limits: Limits, wait_seconds: float) -> None:
        self._database = database
        self._gate = gate
        self._store = store
        self._limits = limits
        self._wait_seconds = wait_seconds
        self._tasks: set[asyncio.Task[RunResult]] = set()

    async def once(self, context: Context, request: Run, work: Work) -> RunResult:
        """What `work` gives; whoever asks again waits for that end and gets it too.

        The access is looked at whenever the run might begin, and while it goes on. Raises NotFound, what `work` raises,
        TooManyStatements, and Canceled.
        """
        give_up = (request.asked_at or time.time()) + self._wait_seconds
        while True:
            access = await self._gate.open(context, request.team_uuid, request.conn_uuid)
            names = (run_rows.bell_of_run(request.run_uuid), run_rows.bell_of_places(access.client_uuid))
            with self._database.bells.listening(*names) as bell:
                match await self._begin(access, request):
                    case Claim() as ours:
                        return await asyncio.shield(self._begun(self._perform(context, access, request, ours, work)))
                    case RunResult() as ended:
                        return ended
                    case TooManyStatements() as full if time.time() >= give_up:
                        raise full
                await wait_for_bell(bell, POLL_SECONDS)

    async def stop(self, client_uuid: UUID, run_uuid: UUID) -> None:
        """Whichever replica runs it cancels it in the database within a second; one that hasn't begun won't."""
        async with self._database.tenant(client_uuid) as tx:
            await run_rows.request_stop(tx, client_uuid, run_uuid)

    async def end_with_the_service(self) -> None:
        """Until canceled: then cancel what still runs, for another replica to run it as soon as it is asked again."""
        try:
            await asyncio.Event().wait()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begun(self, run: Coroutine[Any, Any, RunResult]) -> asyncio.Task[RunResult]:
        task = asyncio.create_task(run)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[RunResult]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.info("a run ended with %r", task.exception())  # perhaps nobody waits for it any more

    async def _begin(self, access: Access, request: Run) -> Claim | RunResult | TooManyStatements | None:
        """That this call is to run it, or how it ended, or that there is no place; None while another
        call runs it. Raises how it ended."""
        async with self._database.tenant(access.client_uuid, first=run_rows.lock(access.client_uuid)) as tx:
            limits = self._limits.within(access.settings)
            if claimed := await run_rows.claim(tx, access.client_uuid, request, limits):
                return claimed
            row = await run_rows.find(tx, request.run_uuid)
            if row is not None and (ended := _ended(row, request)):
                return ended
            if row is not None and not row.lease_over:
                return None
            full = _full(await run_rows.others_running(tx, request), limits)
            if full is not None:
                return full
            return await run_rows.take_over(tx, request.run_uuid)

    async def _perform(self, context: Context, access: Access, request: Run, ours: Claim, work: Work) -> RunResult:
        client_uuid, attempt = access.client_uuid, ours.attempt
        try:
            place = await self._store.place(client_uuid, ours.storage_uuid)
            name = key_of(client_uuid, request.run_uuid, attempt)
            async with place.create(name) as file, asyncio.timeout(_seconds_left(context, request)):
                result = await self._unless_ended(work(access, file, attempt), self._watch(context, request, attempt))
                await self._keep(client_uuid, ours, result, file)
        except BaseException as error:
            # A cancellation (deadline, drain) too: the row must not say that it still runs.
            await asyncio.shield(self._settle(client_uuid, request.run_uuid, attempt, error))
            if isinstance(error, TimeoutError):
                raise DeadlineExceeded("the statement was canceled: its time was over") from error
            raise
        return result

    async def _keep(self, client_uuid: UUID, ours: Claim, result: RunResult, file: ResultFile) -> None:
        await file.close()
        result_bytes = wire.encode(result)
        async with self._database.tenant(client_uuid) as tx:
            kept = await run_rows.finish(tx, result.run_uuid, ours, result_bytes, file.key)
        if not kept:
            await file.delete()
            raise _lost()

    async def _settle(self, client_uuid: UUID, run_uuid: UUID, attempt: int, error: BaseException) -> None:
        try:
            async with self._database.tenant(client_uuid) as tx:
                if isinstance(error, _LASTING):
                    await run_rows.fail(tx, run_uuid, attempt, error.body())
                else:
                    await run_rows.forget(tx, run_uuid, attempt)
        except (Unavailable, DeadlineExceeded) as away:
            log.warning("the end of run %s could not be recorded, its lease will run out: %s", run_uuid, away.message)

    async def _unless_ended(
        self, work: Coroutine[Any, Any, RunResult], watching: Coroutine[Any, Any, BasejumpError]
    ) -> RunResult:
        """What `work` gives; canceled when there is a reason to, which is raised."""
        task, watch = asyncio.create_task(work), asyncio.create_task(watching)
        try:
            await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise watch.result()
        finally:
            task.cancel()
            watch.cancel()
            # Until the statement is canceled in the customer's database.
            await asyncio.gather(task, watch, return_exceptions=True)

    async def _watch(self, context: Context, request: Run, attempt: int) -> BasejumpError:
        """Renew the lease; return why the run is to end: it was stopped (Canceled), is no longer allowed (NotFound,
        Unauthenticated), or may be another's (Unavailable)."""
        try:
            names = run_rows.bell_of_run(request.run_uuid), grant_rows.bell(request.conn_uuid)
            with self._database.bells.listening(*names) as bell:
                async with asyncio.timeout(GIVE_UP_SECONDS) as until:
                    while True:
                        await wait_for_bell(bell, POLL_SECONDS)
                        asked = _now()
                        # Our own database may be away for a moment: the statement goes on while its lease lasts.
                        with suppress(BasejumpError):
                            reason = await self._reason_to_end(context, request, attempt)
                            if reason is not None:
                                return reason
                            until.reschedule(asked + GIVE_UP_SECONDS)
        except TimeoutError:
            return Unavailable("the statement was canceled: its lease could not be renewed", retry_after=1)

    async def _reason_to_end(self, context: Context, request: Run, attempt: int) -> BasejumpError | None:
        async with self._database.tenant(context.caller.tenant) as tx:
            stop = await run_rows.renew(tx, request.run_uuid, attempt)
        if stop is not False:
            return Canceled("it was stopped") if stop else _lost()
        try:
            await self._gate.check(context, request.team_uuid, request.conn_uuid)
        except (NotFound, Unauthenticated) as error:
            return type(error)(f"the statement was canceled: {error.message}")
        return None


def _ended(row: RunRow, request: Run) -> RunResult | None:
    """How it ended; None while it runs, or when it may be run again. Raises how it ended, and InvalidInput."""
    if row.statement is not None and (row.statement, row.conn_uuid) != (request.sql, request.conn_uuid):
        raise InvalidInput.field("run_uuid", "another statement ran under it")
    if row.reply is not None:
        return wire.decode(row.reply, RunResult)
    if row.error is not None:
        raise from_body(row.error)
    if row.stop_requested and row.lease_over:
        raise Canceled("it was stopped")
    return None


def _full(running: Running, limits: Limits) -> TooManyStatements | None:
    """What to say when there is no place."""
    for limit, count, most, where in (
        ("statements_at_once", running.of_client, limits.per_client, "for your organisation"),
        ("statements_per_database", running.in_database, limits.per_database, "in this database"),
    ):
        if count >= most:
            details = {"limit": limit, "most": most}
            return TooManyStatements(
                f"{most} statements run {where}, as many as may run at once", retry_after=2, details=details
            )
    return None


def _lost() -> Unavailable:
    return Unavailable("the statement was begun again elsewhere", retry_after=1)


def _seconds_left(context: Context, request: Run) -> float:
    """Until it is canceled, whoever waits for it."""
    until: float = request.deadline or context.deadline
    return min(until - time.time(), LONGEST_RUN_SECONDS)


def _now() -> float:
    return asyncio.get_running_loop().time()
