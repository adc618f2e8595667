"""The job table as the worker sees it: claim, renew, settle. Services use `jobs`.

Time is the database's alone. A claim counts an attempt; that number is the fence: a worker whose lease ran out and
whose job another one took can't write under its old number.
"""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import msgspec

from basejump_common.storage.database import Transaction

LEASE_SECONDS = 6.0
"""How long a job waits for its worker to be heard of. Workers renew every second, so one that is alive may be deaf for
five; and whoever waits for a job whose worker was killed waits six at most, and what the step at work takes again."""

Holding = tuple[UUID, int]  # job and attempt


class JobRow(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed job; `payload` as plain JSON values."""

    job_uuid: UUID
    client_uuid: UUID
    kind: str
    payload: Any
    attempt: int
    max_attempts: int


class NewJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that is due; see `jobs.enqueue`."""

    job_uuid: UUID
    client_uuid: UUID
    kind: str
    payload: msgspec.Struct
    at_once: int | None = None


_CLAIMING = "hashtextextended(current_schema() || ' job claim', 0)"

# For each client with work: its oldest jobs, as many as its cap or their own leaves. The fewest come first.
_CLAIM = """
    with client as (
        select distinct client_uuid from job where state in ('queued', 'running') and kind = any($1)
    ),
    candidate as (
        select due.job_uuid, due.run_after, busy.number + due.place as turn
        from client
        cross join lateral (
            select count(*) as number from job
            where job.client_uuid = client.client_uuid and state = 'running' and kind = any($1)
              and lease_until > statement_timestamp()
        ) as busy
        cross join lateral (
            select job_uuid, run_after, at_once, row_number() over (order by run_after, job_uuid) as place from job
            where job.client_uuid = client.client_uuid and kind = any($1)
              and (state = 'queued' and run_after <= statement_timestamp()
                   or state = 'running' and lease_until <= statement_timestamp())
            order by run_after, job_uuid
            limit greatest($2 - busy.number, 0)
        ) as due
        where busy.number + due.place <= coalesce(due.at_once, $2)
    ),
    picked as (
        select job.job_uuid from job join candidate using (job_uuid)
        where job.state = 'queued' or (job.state = 'running' and job.lease_until <= statement_timestamp())
        order by candidate.turn, candidate.run_after
        limit $3
        for update of job skip locked
    )
    update job
    set state = 'running', attempt = attempt + 1, worker = $4,
        lease_until = statement_timestamp() + make_interval(secs => $5)
    from picked where job.job_uuid = picked.job_uuid
    returning job.job_uuid, client_uuid, kind, payload, attempt, max_attempts
"""

# Begun as it is added: where no other is due, and the cap of its client or its own leaves it a place.
_BEGIN = """
    insert into job (job_uuid, client_uuid, kind, payload, at_once, state, attempt, worker, lease_until)
    select $1, $2, $3, $4, $5, 'running', 1, $6, statement_timestamp() + make_interval(secs => $7)
    where not exists (
        select from job where kind = any($8)
            and (state = 'queued' and run_after <= statement_timestamp()
                 or state = 'running' and lease_until <= statement_timestamp())
    ) and least($5::integer, $9::integer) > (
        select count(*) from job where client_uuid = $2 and state = 'running' and kind = any($8)
            and lease_until > statement_timestamp()
    )
    on conflict (job_uuid) do nothing
    returning job_uuid, client_uuid, kind, payload, attempt, max_attempts
"""

# A row that a long transaction of its own job has locked is not renewed: nobody else can take it meanwhile either.
_RENEW = """
    with held as (select * from unnest($1::uuid[], $2::integer[]) as held (job_uuid, attempt)),
    free as (
        select job.job_uuid from job join held using (job_uuid, attempt)
        where state = 'running' for update of job skip locked
    ),
    renewed as (
        update job set lease_until = statement_timestamp() + make_interval(secs => $3)
        where job_uuid in (select job_uuid from free)
    )
    select job.job_uuid from job join held using (job_uuid, attempt) where state = 'running'
"""

# Being handed over because a worker stops is no failure: it gives back the attempt that the next claim will count.
_RELEASE = """
    update job
    set state = 'queued', run_after = statement_timestamp(), lease_until = null, worker = null,
        max_attempts = max_attempts + 1
    from unnest($1::uuid[], $2::integer[]) as held (job_uuid, attempt)
    where job.job_uuid = held.job_uuid and job.attempt = held.attempt and state = 'running'
"""

_RETRY = """
    update job
    set state = 'queued', error = $3, lease_until = null, worker = null,
        run_after = statement_timestamp() + make_interval(secs => $4)
    where job_uuid = $1 and attempt = $2 and state = 'running'
"""

_END = """
    update job set state = $3, error = $4, lease_until = null, finished_at = statement_timestamp()
    where job_uuid = $1 and attempt = $2 and state = 'running'
    returning exists (
        select from job as other where other.client_uuid = job.client_uuid
            and other.state = 'queued' and other.run_after <= statement_timestamp()
    )
"""


async def claim(tx: Transaction, kinds: Collection[str], *, worker: str, per_client: int, limit: int) -> list[JobRow]:
    """Take at most `limit` jobs that are due, no client running more than `per_client` of these kinds."""
    # One claim at a time, so that two workers can't both count the same free place of a client.
    await tx.execute(f"select pg_advisory_xact_lock({_CLAIMING})")
    return await tx.rows(JobRow, _CLAIM, list(kinds), per_client, limit, worker, LEASE_SECONDS)


async def begin(tx: Transaction, new: NewJob, kinds: Collection[str], *, worker: str, per_client: int) -> JobRow | None:
    """Add a job and take it at once, if a claim of `kinds` at this moment would take it before any other; else None.

    Nobody else claims before `tx` ends; while somebody does, it isn't taken.
    """
    if not await tx.fetchval(f"select pg_try_advisory_xact_lock({_CLAIMING})"):
        return None
    what = (new.job_uuid, new.client_uuid, new.kind, new.payload, new.at_once)
    return await tx.row(JobRow, _BEGIN, *what, worker, LEASE_SECONDS, list(kinds), per_client)


async def renew(tx: Transaction, holdings: Sequence[Holding]) -> set[UUID]:
    """Prolong the leases; which of the jobs are still ours."""
    jobs, attempts = _columns(holdings)
    return {row["job_uuid"] for row in await tx.fetch(_RENEW, jobs, attempts, LEASE_SECONDS)}


async def release(tx: Transaction, holdings: Sequence[Holding]) -> None:
    """Give the jobs back for another worker to take at once."""
    await tx.execute(_RELEASE, *_columns(holdings))


async def retry(tx: Transaction, holding: Holding, error: str, delay: float) -> bool:
    """Queue the job again in `delay` seconds; whether it was still ours."""
    return await tx.execute(_RETRY, *holding, error, delay) == 1


async def end(tx: Transaction, holding: Holding, state: str, error: str | None = None) -> bool | None:
    """Put the job into a final state; None when it wasn't ours any more, else whether another of its client waits."""
    waits: bool | None = await tx.fetchval(_END, *holding, state, error)
    return waits


def fence(holding: Holding) -> str:
    """A transaction's first statement: finds one row if the job is ours, and it stays so until that ends."""
    job_uuid, attempt = UUID(int=holding[0].int), int(holding[1])  # nothing but these gets into the text
    return f"select from job where job_uuid = '{job_uuid}' and attempt = {attempt} and state = 'running' for share"


def _columns(holdings: Sequence[Holding]) -> tuple[list[UUID], list[int]]:
    return [job for job, _ in holdings], [attempt for _, attempt in holdings]
