"""The table `run`: what was asked to run, and how it ended. Every function takes the tenant's transaction.

A replica that runs a statement renews its lease; when it dies another call may take the run over. `attempt` is the
fence: who lost the lease can't write the end.
"""

from uuid import UUID

import msgspec

from basejump_common.contracts.connection import Run
from basejump_common.errors import ErrorBody
from basejump_common.storage.database import Transaction

LEASE_SECONDS = 10.0


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A run as the table has it; `lease_over` tells that its replica is gone."""

    run_uuid: UUID
    conn_uuid: UUID | None
    statement: str | None
    state: str
    attempt: int
    stop_requested: bool
    reply: bytes | None
    error: ErrorBody | None
    lease_over: bool


_CLAIM = """
    insert into run (client_uuid, run_uuid, conn_uuid, team_uuid, prompt_uuid, statement, state, lease_until)
    values ($1, $2, $3, $4, $5, $6, 'running', clock_timestamp() + make_interval(secs => $7))
    on conflict (client_uuid, run_uuid) do nothing
"""
_TAKE_OVER = """
    update run set attempt = attempt + 1, lease_until = clock_timestamp() + make_interval(secs => $2)
    where run_uuid = $1 and state = 'running' and lease_until < clock_timestamp() and not stop_requested
    returning attempt
"""
_RENEW = """
    update run set lease_until = clock_timestamp() + make_interval(secs => $3)
    where run_uuid = $1 and attempt = $2 and state = 'running' returning stop_requested
"""
_END = """
    update run set state = $3, reply = $4, error = $5, object_key = $6, finished_at = clock_timestamp()
    where run_uuid = $1 and attempt = $2 and state = 'running'
"""
# Also before the run begins, so that a stop that overtakes its run is kept.
_STOP = """
    insert into run (client_uuid, run_uuid, state, stop_requested, lease_until)
    values ($1, $2, 'running', true, clock_timestamp())
    on conflict (client_uuid, run_uuid) do update set stop_requested = true where run.state = 'running'
"""


async def claim(tx: Transaction, client_uuid: UUID, request: Run) -> bool:
    """Whether this call is the one that runs it."""
    inserted = await tx.execute(
        _CLAIM,
        client_uuid,
        request.run_uuid,
        request.conn_uuid,
        request.team_uuid,
        request.prompt_uuid,
        request.sql,
        LEASE_SECONDS,
    )
    return inserted == 1


async def take_over(tx: Transaction, run_uuid: UUID) -> int | None:
    """The attempt, when the replica that ran it is gone."""
    attempt: int | None = await tx.fetchval(_TAKE_OVER, run_uuid, LEASE_SECONDS)
    return attempt


async def find(tx: Transaction, run_uuid: UUID) -> RunRow | None:
    """One run."""
    return await tx.row(
        RunRow, "select *, lease_until < clock_timestamp() as lease_over from run where run_uuid = $1", run_uuid
    )


async def renew(tx: Transaction, run_uuid: UUID, attempt: int) -> bool | None:
    """Keep the lease; whether a stop was asked for, or None when the run is no longer ours."""
    stop: bool | None = await tx.fetchval(_RENEW, run_uuid, attempt, LEASE_SECONDS)
    return stop


async def finish(tx: Transaction, run_uuid: UUID, attempt: int, reply: bytes, object_key: str) -> bool:
    """Keep the reply; False when the run is no longer ours."""
    return await tx.execute(_END, run_uuid, attempt, "finished", reply, None, object_key) == 1


async def fail(tx: Transaction, run_uuid: UUID, attempt: int, error: ErrorBody) -> None:
    """Keep the error: asked again, it is raised again."""
    await tx.execute(_END, run_uuid, attempt, "failed", None, error, None)


async def forget(tx: Transaction, run_uuid: UUID, attempt: int) -> None:
    """It came to nothing that will last: asked again, it is run again. A stop that was asked for stays."""
    await tx.execute(
        "delete from run where run_uuid = $1 and attempt = $2 and state = 'running' and not stop_requested",
        run_uuid,
        attempt,
    )


async def request_stop(tx: Transaction, client_uuid: UUID, run_uuid: UUID) -> None:
    """Whoever runs it, or is about to, sees it within moments."""
    await tx.execute(_STOP, client_uuid, run_uuid)
