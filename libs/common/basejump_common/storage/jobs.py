"""Work that outlives a request: rows, written in the transaction that causes them, run by whichever worker is free.

    async with database.tenant(client_uuid) as tx:
        await jobs.enqueue(tx, "index", IndexDatabase(db_uuid=db_uuid), client_uuid)

    async def index(job: Job[IndexDatabase]) -> None:
        ...                                               # may run twice: a worker can die at any moment
        async with job.writing(database) as tx:           # raises LeaseLost when another worker has taken over
            ...
            await job.finish(tx)                          # these writes and the end of the job are one commit

    worker = JobWorker(database, {"index": JobKind(index, IndexDatabase)})

A job that raises is tried again with back-off, unless its error can only come again (`InvalidInput`, `NotFound` …);
after `max_attempts` it is `failed`, with an error text that is safe to show.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID, uuid4

import msgspec

from basejump_common.storage import job_rows
from basejump_common.storage.database import Database, Transaction

P = TypeVar("P", bound=msgspec.Struct)

MAX_ATTEMPTS = 5

_ENQUEUE = """
    insert into job (job_uuid, client_uuid, kind, payload, run_after, at_once)
    values ($1, $2, $3, $4, coalesce($5, clock_timestamp()), $6)
    on conflict (job_uuid) do nothing
"""
_UNFINISHED = "select count(*) from job where kind = $1 and client_uuid = $2 and state in ('queued', 'running')"
_CANCEL = """
    update job set state = 'canceled', lease_until = null, finished_at = now()
    where job_uuid = $1 and state in ('queued', 'running')
    returning kind
"""


class LeaseLost(Exception):
    """The job is no longer this worker's: another one has it, or it was canceled. Write nothing, and let it pass."""


@dataclass(frozen=True, kw_only=True)
class Job(Generic[P]):
    """One attempt at a job. `attempt` counts from 1."""

    job_uuid: UUID
    client_uuid: UUID
    kind: str
    payload: P
    attempt: int

    @asynccontextmanager
    async def writing(self, database: Database) -> AsyncIterator[Transaction]:
        """The tenant's transaction, which goes through only while the job is ours. Raises LeaseLost."""
        async with database.tenant(self.client_uuid, first=job_rows.fence((self.job_uuid, self.attempt))) as tx:
            if tx.first == 0:
                raise LeaseLost
            yield tx

    async def finish(self, tx: Transaction) -> None:
        """Fence, and end the job in the same commit as its last writes. Raises LeaseLost."""
        if await job_rows.end(tx, (self.job_uuid, self.attempt), "finished") is None:
            raise LeaseLost


@dataclass(frozen=True)
class JobKind(Generic[P]):
    """What to do with jobs of one kind.

    `on_failure` runs in the tenant's transaction that marks the job failed, with the error text: whoever waits for
    the job learns of it there. It gets the job even if every worker that tried it died.
    The n-th retry comes after about `retry_seconds` × 2ⁿ⁻¹, at most a minute.
    """

    function: Callable[[Job[P]], Awaitable[None]]
    payload_type: type[P]
    on_failure: Callable[[Transaction, Job[P], str], Awaitable[None]] | None = None
    retry_seconds: float = 1.0

    def job(self, row: job_rows.JobRow) -> Job[P]:
        """The row with its payload typed. Raises msgspec.ValidationError."""
        return Job(
            job_uuid=row.job_uuid,
            client_uuid=row.client_uuid,
            kind=row.kind,
            payload=msgspec.convert(row.payload, self.payload_type),
            attempt=row.attempt,
        )


AnyKind: TypeAlias = JobKind[Any]


def bell(kind: str) -> str:
    """Rings when a job of this kind was added or canceled."""
    return f"job {kind}"


def bell_of_canceled(kind: str) -> str:
    """Rings when a job of this kind was canceled: who runs some looks whether they are still to be run."""
    return f"job canceled {kind}"


async def enqueue(
    tx: Transaction,
    kind: str,
    payload: msgspec.Struct,
    client_uuid: UUID,
    *,
    job_uuid: UUID | None = None,
    run_after: datetime | None = None,
    at_once: int | None = None,
) -> UUID:
    """Add a job, to run once `tx` is committed. A `job_uuid` that is there already adds nothing.

    `at_once`: it begins only while that many jobs of the client run, itself included; the worker's limit holds too.
    """
    job_uuid = job_uuid or uuid4()
    if await tx.execute(_ENQUEUE, job_uuid, client_uuid, kind, payload, run_after, at_once):
        tx.ring(bell(kind))
    return job_uuid


async def unfinished(tx: Transaction, kind: str, client_uuid: UUID) -> int:
    """How many jobs of the client wait or run."""
    return int(await tx.fetchval(_UNFINISHED, kind, client_uuid))


async def cancel(tx: Transaction, job_uuid: UUID) -> bool:
    """End a job before its time; whether it hadn't ended yet.

    A worker that runs it is stopped: at once, in whichever replica it is; within a second while NATS is away.
    """
    kind = await tx.fetchval(_CANCEL, job_uuid)
    if kind is not None:
        for name in (bell(kind), bell_of_canceled(kind)):
            tx.ring(name, everywhere=True)
    return kind is not None


async def forget_ended(tx: Transaction, older_than: timedelta) -> int:
    """Delete rows of jobs that ended long ago; how many."""
    return await tx.execute("delete from job where finished_at < now() - $1::interval", older_than)
