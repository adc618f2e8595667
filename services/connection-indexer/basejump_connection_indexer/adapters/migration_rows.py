"""The table `storage_migration`, and the runs that a migration moves. Every function takes the tenant's transaction."""

from datetime import datetime
from uuid import UUID

import msgspec

from basejump_common.contracts.storage import MigrationState, MigrationStatus
from basejump_common.storage.database import Transaction
from basejump_connection_indexer.adapters.run_rows import Kept


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """A move of all results of a client to one storage; `storage_uuid` None: to the installation's own."""

    client_uuid: UUID
    migration_uuid: UUID
    storage_uuid: UUID | None
    state: MigrationState
    done: int
    failed: int
    error: str | None
    started_at: datetime
    finished_at: datetime | None


_COUNT_ELSEWHERE = "select count(*) from run where object_key is not null and storage_uuid is distinct from $1"
_ELSEWHERE = """
    select run_uuid, storage_uuid, object_key from run
    where object_key is not null and storage_uuid is distinct from $1 and run_uuid > $2
    order by run_uuid limit $3
"""


async def begin(tx: Transaction, client_uuid: UUID, migration_uuid: UUID, storage_uuid: UUID | None) -> None:
    """In the place of any migration before it, which then ends by itself."""
    await tx.execute(
        """
        insert into storage_migration (client_uuid, migration_uuid, storage_uuid, state) values ($1, $2, $3, 'queued')
        on conflict (client_uuid) do update set migration_uuid = excluded.migration_uuid,
            storage_uuid = excluded.storage_uuid, state = excluded.state, done = 0, failed = 0, error = null,
            started_at = clock_timestamp(), finished_at = null
        """,
        client_uuid,
        migration_uuid,
        storage_uuid,
    )


async def find(tx: Transaction) -> Migration | None:
    """The client's last one."""
    return await tx.row(Migration, "select * from storage_migration")


async def status(tx: Transaction) -> MigrationStatus:
    """Where the last one stands."""
    last = await find(tx)
    if last is None:
        return MigrationStatus(state=MigrationState.NONE)
    ended = last.state is MigrationState.FINISHED
    left = 0 if ended else await tx.fetchval(_COUNT_ELSEWHERE, last.storage_uuid)
    return MigrationStatus(
        state=last.state,
        storage_uuid=last.storage_uuid,
        total=last.done + left,
        done=last.done,
        failed=last.failed,
        error=last.error,
        started_at=last.started_at,
        finished_at=last.finished_at,
    )


async def going_on(tx: Transaction) -> bool:
    """Whether one hasn't ended."""
    last = await find(tx)
    return last is not None and last.state is not MigrationState.FINISHED


async def set_state(
    tx: Transaction, migration_uuid: UUID, state: MigrationState, failed: int = 0, error: str | None = None
) -> None:
    """Of this migration, while it is the last one."""
    await tx.execute(
        """
        update storage_migration set state = $2, failed = $3, error = $4,
            finished_at = case when $2 = 'finished' then clock_timestamp() end
        where migration_uuid = $1
        """,
        migration_uuid,
        state,
        failed,
        error,
    )


async def elsewhere(tx: Transaction, storage_uuid: UUID | None, after: UUID, limit: int) -> list[Kept]:
    """Results that are not where they belong, from the run after `after` on."""
    return await tx.rows(Kept, _ELSEWHERE, storage_uuid, after, limit)


async def still_writing(tx: Transaction, storage_uuid: UUID | None) -> bool:
    """Whether runs that began before may still end elsewhere. Those whose replica is gone will begin again here."""
    await tx.execute(
        """
        update run set storage_uuid = $1
        where state = 'running' and lease_until < clock_timestamp() and storage_uuid is distinct from $1
        """,
        storage_uuid,
    )
    return bool(
        await tx.fetchval(
            "select exists (select from run where state = 'running' and storage_uuid is distinct from $1)", storage_uuid
        )
    )


async def moved(tx: Transaction, migration: Migration, kept: Kept, object_key: str) -> None:
    """The run's file is this one from now on, where it belongs; unless the run or its file is another by now."""
    switched = await tx.execute(
        """
        update run set storage_uuid = $4, object_key = $5
        where run_uuid = $1 and object_key = $2 and storage_uuid is not distinct from $3
        """,
        kept.run_uuid,
        kept.object_key,
        kept.storage_uuid,
        migration.storage_uuid,
        object_key,
    )
    await tx.execute(
        "update storage_migration set done = done + $2 where migration_uuid = $1", migration.migration_uuid, switched
    )


async def lost(tx: Transaction, kept: Kept) -> None:
    """The file of the run isn't there: its rows are no longer kept."""
    await tx.execute(
        """
        update run set object_key = null, storage_uuid = null
        where run_uuid = $1 and object_key = $2 and storage_uuid is not distinct from $3
        """,
        kept.run_uuid,
        kept.object_key,
        kept.storage_uuid,
    )
