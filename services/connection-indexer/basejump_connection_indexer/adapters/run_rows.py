"""The table `run`: what was asked to run, and how it ended. Every function takes the tenant's transaction.

A replica that runs a statement renews its lease; when it dies another call may take the run over. `attempt` is the
fence: who lost the lease can't write the end. The rows with a lease are also the places: how many statements run at
once is counted in them, by one claim of the client at a time.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from basejump_common.contracts.connection import Run
from basejump_common.errors import ErrorBody
from basejump_common.storage.database import Transaction
from basejump_connection_indexer.domain.limits import Limits

LEASE_SECONDS = 10.0


def bell_of_run(run_uuid: UUID) -> str:
    """Rings when the run ended, or is to be stopped."""
    return f"run {run_uuid}"


def bell_of_places(client_uuid: UUID) -> str:
    """Rings when a statement of the client ended."""
    return f"places {client_uuid}"


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """How many statements run: of the client, and in the database of a connection."""

    of_client: int
    in_database: int


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """That a run is ours: under which attempt, and where its file is to be (None: in the installation's storage)."""

    attempt: int
    storage_uuid: UUID | None


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Where the file of a run is."""

    run_uuid: UUID
    storage_uuid: UUID | None
    object_key: str


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
    object_key: str | None
    storage_uuid: UUID | None
    lease_over: bool


_COUNT = """
    select count(*) as of_client, count(*) filter (where conn_uuid in (
        select conn_uuid from connection where db_uuid = (select db_uuid from connection where conn_uuid = $2)
    )) as in_database
    from run where state = 'running' and lease_until > clock_timestamp() and run_uuid <> $1
"""
# Where the file is to be is settled as the run begins.
_CLAIM = f"""
    insert into run
        (run_uuid, conn_uuid, client_uuid, team_uuid, prompt_uuid, statement, state, lease_until, storage_uuid)
    select $1, $2, $3, $4, $5, $6, 'running', clock_timestamp() + make_interval(secs => $7),
        (select storage_uuid from storage where active)
    from ({_COUNT}) as others where of_client < $8 and in_database < $9
    on conflict (client_uuid, run_uuid) do nothing
    returning attempt, storage_uuid
"""  # noqa: S608 - a constant
_TAKE_OVER = """
    update run set attempt = attempt + 1, lease_until = clock_timestamp() + make_interval(secs => $2),
        storage_uuid = (select storage_uuid from storage where active)
    where run_uuid = $1 and state = 'running' and lease_until < clock_timestamp() and not stop_requested
    returning attempt, storage_uuid
"""
_RENEW = """
    update run set lease_until = clock_timestamp() + make_interval(secs => $3)
    where run_uuid = $1 and attempt = $2 and state = 'running' returning stop_requested
"""
_END = """
    update run set state = $3, reply = $4, error = $5, object_key = $6, finished_at = clock_timestamp(),
        storage_uuid = $7
    where run_uuid = $1 and attempt = $2 and state = 'running' returning client_uuid
"""
# A stop that was asked for stays, but holds no place.
_FORGET = """
    with gone as (
        delete from run where run_uuid = $1 and attempt = $2 and state = 'running' and not stop_requested
        returning client_uuid
    ), stopped as (
        update run set lease_until = clock_timestamp(), storage_uuid = null
        where run_uuid = $1 and attempt = $2 and state = 'running' and stop_requested
        returning client_uuid
    )
    select client_uuid from gone union all select client_uuid from stopped
"""
# Also before the run begins, so that a stop that overtakes its run is kept.
_STOP = """
    insert into run (client_uuid, run_uuid, state, stop_requested, lease_until)
    values ($1, $2, 'running', true, clock_timestamp())
    on conflict (client_uuid, run_uuid) do update set stop_requested = true where run.state = 'running'
"""


def lock(client_uuid: UUID) -> str:
    """A transaction's first statement: until that ends no other call claims a run of the client."""
    # Rebuilt from its integer: nothing but a UUID can get into this text.
    return f"select pg_advisory_xact_lock(hashtextextended('run {UUID(int=client_uuid.int)}', 0))"


async def others_running(tx: Transaction, request: Run) -> Running:
    """Those beside this run."""
    counted = await tx.row(Running, _COUNT, request.run_uuid, request.conn_uuid)
    assert counted is not None, "a count is one row"
    return counted


async def claim(tx: Transaction, client_uuid: UUID, request: Run, limits: Limits) -> Claim | None:
    """None unless this call is the one that runs it: nobody did before, and there is a place."""
    return await tx.row(
        Claim,
        _CLAIM,
        request.run_uuid,
        request.conn_uuid,
        client_uuid,
        request.team_uuid,
        request.prompt_uuid,
        request.sql,
        LEASE_SECONDS,
        limits.per_client,
        limits.per_database,
    )


async def take_over(tx: Transaction, run_uuid: UUID) -> Claim | None:
    """The next attempt, when the replica that ran it is gone."""
    return await tx.row(Claim, _TAKE_OVER, run_uuid, LEASE_SECONDS)


async def files(tx: Transaction, run_uuids: Sequence[UUID]) -> list[Kept]:
    """Where the rows of these runs are, those apart that still run."""
    return await tx.rows(
        Kept,
        """
        select run_uuid, storage_uuid, object_key from run
        where run_uuid = any($1) and state <> 'running' and object_key is not null
        """,
        list(run_uuids),
    )


async def delete(tx: Transaction, run_uuids: Sequence[UUID]) -> int:
    """Those that don't run; how many."""
    return await tx.execute("delete from run where run_uuid = any($1) and state <> 'running'", list(run_uuids))


async def statements(tx: Transaction, conn_uuid: UUID, run_uuids: Sequence[UUID]) -> dict[UUID, str]:
    """What ran over a connection, for those of the runs that are kept."""
    rows = await tx.fetch(
        """
        select run_uuid, statement from run
        where run_uuid = any($1::uuid[]) and conn_uuid = $2 and statement is not null
        """,
        list(run_uuids),
        conn_uuid,
    )
    return {row["run_uuid"]: row["statement"] for row in rows}


async def find(tx: Transaction, run_uuid: UUID) -> RunRow | None:
    """One run."""
    return await tx.row(
        RunRow, "select *, lease_until < clock_timestamp() as lease_over from run where run_uuid = $1", run_uuid
    )


async def renew(tx: Transaction, run_uuid: UUID, attempt: int) -> bool | None:
    """Keep the lease; whether a stop was asked for, or None when the run is no longer ours."""
    stop: bool | None = await tx.fetchval(_RENEW, run_uuid, attempt, LEASE_SECONDS)
    return stop


async def finish(tx: Transaction, run_uuid: UUID, ours: Claim, reply: bytes, object_key: str) -> bool:
    """Keep the reply and where the file is; False when the run is no longer ours."""
    return await _end(tx, run_uuid, ours.attempt, "finished", reply, None, object_key, ours.storage_uuid)


async def fail(tx: Transaction, run_uuid: UUID, attempt: int, error: ErrorBody) -> None:
    """Keep the error: asked again, it is raised again."""
    await _end(tx, run_uuid, attempt, "failed", None, error, None, None)


async def forget(tx: Transaction, run_uuid: UUID, attempt: int) -> None:
    """It came to nothing that will last: asked again, it is run again. A stop that was asked for stays."""
    client_uuid = await tx.fetchval(_FORGET, run_uuid, attempt)
    if client_uuid is not None:
        _ring(tx, client_uuid, run_uuid)


async def request_stop(tx: Transaction, client_uuid: UUID, run_uuid: UUID) -> None:
    """Whoever runs it, or is about to, sees it within moments."""
    await tx.execute(_STOP, client_uuid, run_uuid)
    tx.ring(bell_of_run(run_uuid), everywhere=True)


async def _end(tx: Transaction, run_uuid: UUID, attempt: int, *ended: object) -> bool:
    client_uuid = await tx.fetchval(_END, run_uuid, attempt, *ended)
    if client_uuid is None:
        return False
    _ring(tx, client_uuid, run_uuid)
    return True


def _ring(tx: Transaction, client_uuid: UUID, run_uuid: UUID) -> None:
    tx.ring(bell_of_run(run_uuid), everywhere=True)
    tx.ring(bell_of_places(client_uuid), everywhere=True)
