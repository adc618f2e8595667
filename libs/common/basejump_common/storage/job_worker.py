"""Runs jobs: claims them, keeps their leases, stops those that are lost or canceled, hands the rest back at the end."""

import asyncio
import logging
import os
import random
import socket
from collections.abc import Mapping
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from uuid import UUID, uuid4

import msgspec

from basejump_common.errors import (
    BasejumpError,
    DeadlineExceeded,
    Internal,
    TooManyRequests,
    Unavailable,
)
from basejump_common.storage import job_rows
from basejump_common.storage.bells import wait_for_bell
from basejump_common.storage.database import Database, Transaction
from basejump_common.storage.job_rows import LEASE_SECONDS, JobRow, NewJob
from basejump_common.storage.jobs import AnyKind, LeaseLost, bell, bell_of_canceled, enqueue

POLL_SECONDS = 1.0
RENEW_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0
UNWIND_SECONDS = 5.0
_MAY_PASS = (Unavailable, DeadlineExceeded, TooManyRequests, Internal)

log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class _Held:
    attempt: int
    task: asyncio.Task[bool]
    lease_until: float  # on the loop's clock, and earlier than the database's


class JobWorker:
    """Runs at most `concurrency` jobs at once, at most `per_client` of one client over all workers.

    It looks for work when a transaction of this process has added a job of its kinds, and every second; for
    cancellations when one of any replica has canceled one, and whenever it renews its leases: every second too, and
    whatever the look for work waits for. A job added by its `enqueue` it begins itself, where it would be the next
    one anyway.
    """

    def __init__(
        self,
        database: Database,
        kinds: Mapping[str, AnyKind],
        *,
        concurrency: int = 4,
        per_client: int = 2,
    ) -> None:
        self.name = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"
        self._database = database
        self._kinds = kinds
        self._concurrency = concurrency
        self.per_client = per_client
        names = [*map(bell, kinds), *map(bell_of_canceled, kinds)]
        self._wake = database.bell(*names)
        self._canceled = database.bell(*map(bell_of_canceled, kinds))
        self._held: dict[UUID, _Held] = {}
        self._coming = 0
        self._context = copy_context()
        self._stop_by: float | None = None
        self._ended = asyncio.Event()
        self._ended.set()

    async def run(self) -> None:
        """Work until `stop` or cancellation; whatever is still running then is handed back for others to take."""
        self._ended.clear()
        keeping = asyncio.create_task(self._keep_leases())
        keeping.add_done_callback(lambda _: self._wake.set())  # it ends by itself only with an error: raised below
        try:
            while not self._is_done():
                if keeping.done():
                    keeping.result()
                await self._look_for_work()
                await self._rest()
        finally:
            try:
                await self._hand_back()
            finally:
                keeping.cancel()
                await asyncio.wait({keeping})
                self._ended.set()

    async def enqueue(self, tx: Transaction, new: NewJob) -> bool:
        """As `jobs.enqueue`; whether this worker begins it with the commit of `tx`, because it needn't wait."""
        if self._room() > 0 and await self._begin(tx, new):
            return True
        await enqueue(tx, new.kind, new.payload, new.client_uuid, job_uuid=new.job_uuid, at_once=new.at_once)
        return False

    async def stop(self, grace: float = 5.0) -> None:
        """Take nothing new, let running jobs end within `grace` seconds, hand the others back."""
        self._stop_by = _now() + grace
        self._wake.set()
        await self._ended.wait()

    def _is_done(self) -> bool:
        return self._stop_by is not None and (not (self._held or self._coming) or _now() >= self._stop_by)

    def _room(self) -> int:
        """How many more jobs it may take; none while it doesn't run."""
        if self._ended.is_set() or self._stop_by is not None:
            return 0
        return self._concurrency - len(self._held) - self._coming

    async def _begin(self, tx: Transaction, new: NewJob) -> bool:
        asked, begun = _now(), list[JobRow]()

        def ended(committed: bool) -> None:
            self._coming -= 1
            if committed and begun:
                self._start(begun[0], asked + LEASE_SECONDS)
            else:
                self._wake.set()  # others may have been left waiting for its place

        self._coming += 1
        tx.at_end(ended)
        row = await job_rows.begin(tx, new, self._kinds, worker=self.name, per_client=self.per_client)
        begun += [] if row is None else [row]
        return row is not None

    async def _look_for_work(self) -> None:
        try:
            await self._claim()
        except (Unavailable, DeadlineExceeded) as error:
            log.warning("can't look for jobs: %s", error)

    async def _rest(self) -> None:
        pause = POLL_SECONDS if self._stop_by is None else min(POLL_SECONDS, self._stop_by - _now())
        await wait_for_bell(self._wake, max(pause, 0))

    async def _keep_leases(self) -> None:
        while True:
            await wait_for_bell(self._canceled, RENEW_SECONDS)
            try:
                await self._renew()
            except (Unavailable, DeadlineExceeded) as error:
                log.warning("can't renew leases: %s", error)
                self._drop_expired()

    async def _renew(self) -> None:
        if not self._held:
            return
        asked = _now()
        holdings = [(job_uuid, held.attempt) for job_uuid, held in self._held.items()]
        async with self._database.platform() as tx:
            ours = await job_rows.renew(tx, holdings)
        for job_uuid, attempt in holdings:
            held = self._held.get(job_uuid)
            if held is None or held.attempt != attempt:
                continue  # it ended meanwhile, or was lost and claimed again
            if job_uuid in ours:
                held.lease_until = asked + LEASE_SECONDS
            else:
                self._drop(job_uuid)

    async def _claim(self) -> None:
        room = self._room()
        if room <= 0:
            return
        asked = _now()
        async with self._database.platform() as tx:
            rows = await job_rows.claim(tx, list(self._kinds), worker=self.name, per_client=self.per_client, limit=room)
        for row in rows:
            self._start(row, asked + LEASE_SECONDS)

    def _start(self, row: JobRow, lease_until: float) -> None:
        # A job that this worker lost, and claims again while the old attempt is still unwinding, replaces it.
        # In no request's context, also where a request begins it.
        name, context = f"{row.kind} {row.job_uuid}", self._context.copy()
        task = asyncio.create_task(self._perform(row), name=name, context=context)
        held = _Held(attempt=row.attempt, task=task, lease_until=lease_until)
        self._held[row.job_uuid] = held
        task.add_done_callback(lambda _: self._forget(row.job_uuid, held))

    def _forget(self, job_uuid: UUID, held: _Held) -> None:
        # Its end is no reason to look for work where none was left waiting for its place.
        left = len(self._held) >= self._concurrency or held.task.cancelled() or held.task.result()
        if self._held.get(job_uuid) is held:
            del self._held[job_uuid]
        if left or self._stop_by is not None:
            self._wake.set()

    def _drop(self, job_uuid: UUID) -> None:
        log.info("job %s is no longer ours: stopped", job_uuid)
        self._held.pop(job_uuid).task.cancel()

    def _drop_expired(self) -> None:
        """While the database is away others may take what we can't renew: stop before they can."""
        for job_uuid in [key for key, held in self._held.items() if held.lease_until <= _now()]:
            self._drop(job_uuid)

    async def _perform(self, row: JobRow) -> bool:
        """Whether another job may have waited for this one's end."""
        kind = self._kinds[row.kind]
        try:
            if row.attempt > row.max_attempts:
                raise Internal("every worker that tried this job died")
            await kind.function(kind.job(row))
            async with self._database.platform() as tx:
                # None when the job has finished itself, or is another's by now; both are fine.
                return await job_rows.end(tx, _holding(row), "finished") is not False
        except LeaseLost:
            log.info("job %s is no longer ours: what it wrote last was undone", row.job_uuid)
        except Exception as error:  # whatever a job raises ends that job, never the worker
            log.warning("%s job %s, attempt %s failed", row.kind, row.job_uuid, row.attempt, exc_info=error)
            await self._settle(kind, row, error)
        return True

    async def _settle(self, kind: AnyKind, row: JobRow, error: Exception) -> None:
        """Queue the job again or fail it. If even that fails, its lease runs out and the next attempt does it."""
        text = error.message if isinstance(error, BasejumpError) else f"unexpected {type(error).__name__}"
        final = isinstance(error, BasejumpError) and not isinstance(error, _MAY_PASS)
        try:
            if final or row.attempt >= row.max_attempts:
                await self._fail(kind, row, text)
            else:
                async with self._database.platform() as tx:
                    await job_rows.retry(tx, _holding(row), text, _delay(kind, row.attempt))
        except Exception:  # our tables or the kind's own `on_failure`: the worker goes on either way
            log.exception("the failure of job %s could not be recorded", row.job_uuid)

    async def _fail(self, kind: AnyKind, row: JobRow, text: str) -> None:
        async with self._database.tenant(row.client_uuid) as tx:
            ours = await job_rows.end(tx, _holding(row), "failed", text) is not None
            if ours and kind.on_failure is not None:
                # A payload that can't be read fails for good too, with nobody to tell.
                with suppress(msgspec.ValidationError):
                    await kind.on_failure(tx, kind.job(row), text)

    async def _hand_back(self) -> None:
        held = dict(self._held)
        if not held:
            return
        for job in held.values():
            job.task.cancel()
        await asyncio.wait([job.task for job in held.values()], timeout=UNWIND_SECONDS)
        # With the database away the leases run out by themselves.
        with suppress(Unavailable, DeadlineExceeded):
            async with self._database.platform() as tx:
                await job_rows.release(tx, [(job_uuid, job.attempt) for job_uuid, job in held.items()])


def _now() -> float:
    return asyncio.get_running_loop().time()


def _holding(row: JobRow) -> job_rows.Holding:
    return row.job_uuid, row.attempt


def _delay(kind: AnyKind, attempt: int) -> float:
    """Seconds until the next attempt, doubling, spread so that many jobs don't come back together."""
    longest = min(kind.retry_seconds * 2.0 ** (attempt - 1), LONGEST_RETRY_SECONDS)
    return longest * random.uniform(0.5, 1)  # noqa: S311 - no secret
