"""The table `storage`: clients' own buckets. Every function takes the tenant's transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from basejump_common.contracts.common import PageRequest
from basejump_common.contracts.storage import Storage, StorageFields, StoragePage, StorageProvider
from basejump_common.storage import pages
from basejump_common.storage.database import Transaction


class StorageRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `storage`; names as in the contract, both keys sealed together."""

    client_uuid: UUID
    storage_uuid: UUID
    alias: str
    storage_provider: StorageProvider
    region: str | None
    bucket_name: str
    prefix: str
    endpoint: str | None
    ssl_root_cert: str | None
    sealed_keys: bytes
    active: bool = False
    version: int = 1
    erasing_since: datetime | None = None

    @property
    def whereabouts(self) -> tuple[str | None, ...]:
        """What says where objects are."""
        return self.storage_provider, self.region, self.bucket_name, self.prefix, self.endpoint


_GIVEN = ("alias", "storage_provider", "region", "bucket_name", "prefix", "endpoint", "ssl_root_cert", "sealed_keys")
_COLUMNS = ("client_uuid", "storage_uuid", *_GIVEN)
_PLACES = ", ".join(f"${place}" for place in range(1, len(_COLUMNS) + 1))
_INSERT = f"insert into storage ({', '.join(_COLUMNS)}) values ({_PLACES})"  # noqa: S608 - names of our own fields
_SET = ", ".join(f"{name} = ${place}" for place, name in enumerate(_GIVEN, start=2))
_UPDATE = f"update storage set {_SET}, version = version + 1 where storage_uuid = $1"  # noqa: S608 - as above
_SHOWN = """
    select *, (
        select count(*) from run where run.client_uuid = storage.client_uuid
            and run.storage_uuid = storage.storage_uuid and object_key is not null
    ) as results from storage
"""
_SHOWN_ONE = f"{_SHOWN} where storage_uuid = $1"
_SHOWN_ACTIVE = f"{_SHOWN} where active"
_SHOWN_PAGE = f"""
    {_SHOWN} where (created_at, storage_uuid) < ($1, $2) order by created_at desc, storage_uuid desc limit $3
"""


def new_row(client_uuid: UUID, storage_uuid: UUID, fields: StorageFields, sealed_keys: bytes) -> StorageRow:
    """The row of a bucket as it is asked for."""
    given = {name: getattr(fields, name) for name in _GIVEN if name not in ("sealed_keys", "prefix")}
    return StorageRow(
        client_uuid=client_uuid,
        storage_uuid=storage_uuid,
        prefix=fields.prefix.strip("/"),
        sealed_keys=sealed_keys,
        **given,
    )


async def insert(tx: Transaction, row: StorageRow) -> None:
    """Raises asyncpg.UniqueViolationError when the alias is taken."""
    await tx.execute(_INSERT, *(getattr(row, name) for name in _COLUMNS))


async def update(tx: Transaction, row: StorageRow) -> None:
    """Raises asyncpg.UniqueViolationError when the alias is taken."""
    await tx.execute(_UPDATE, row.storage_uuid, *(getattr(row, name) for name in _GIVEN))


async def delete(tx: Transaction, storage_uuid: UUID) -> None:
    """Raises asyncpg.ForeignKeyViolationError while a run refers to it."""
    await tx.execute("delete from storage where storage_uuid = $1", storage_uuid)


async def find(tx: Transaction, storage_uuid: UUID) -> StorageRow | None:
    """One bucket."""
    return await tx.row(StorageRow, "select * from storage where storage_uuid = $1", storage_uuid)


async def lock_all(tx: Transaction, client_uuid: UUID) -> None:
    """Until the transaction ends nobody else changes which bucket is used, nor what is known of one."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended('storage ' || $1::text, 0))", str(client_uuid))


async def every(tx: Transaction) -> list[StorageRow]:
    """All buckets of the client."""
    return await tx.rows(StorageRow, "select * from storage order by created_at")


async def show(tx: Transaction, storage_uuid: UUID) -> Storage | None:
    """One bucket as the contract has it."""
    return await tx.row(Storage, _SHOWN_ONE, storage_uuid)


async def show_active(tx: Transaction) -> Storage | None:
    """The bucket that new results are written to."""
    return await tx.row(Storage, _SHOWN_ACTIVE)


async def page(tx: Transaction, request: PageRequest) -> StoragePage:
    """Newest first."""
    rows = await tx.rows(
        Storage,
        _SHOWN_PAGE,
        *pages.position(request.cursor, newest_first=True),
        pages.rows_to_ask(request.limit),
    )
    data, next_cursor = pages.page(rows, request.limit, lambda found: (found.created_at, found.storage_uuid))
    return StoragePage(data=data, next_cursor=next_cursor)


async def holds_results(tx: Transaction, storage_uuid: UUID) -> bool:
    """Whether a run is kept there, or is being written there."""
    return bool(await tx.fetchval("select exists (select from run where storage_uuid = $1)", storage_uuid))


async def use(tx: Transaction, storage_uuid: UUID | None) -> None:
    """Runs that begin from now on write there; None: to the installation's own storage."""
    await tx.execute(
        "update storage set active = false where active and storage_uuid is distinct from $1", storage_uuid
    )
    await tx.execute("update storage set active = true where storage_uuid = $1 and not active", storage_uuid)


async def erasing_since(tx: Transaction, storage_uuid: UUID) -> datetime | None:
    """Since when erasing the client waits for this bucket: from now on, unless it does already."""
    since: datetime | None = await tx.fetchval(
        "update storage set erasing_since = coalesce(erasing_since, clock_timestamp()) where storage_uuid = $1 "
        "returning erasing_since",
        storage_uuid,
    )
    return since


async def referred(tx: Transaction, keys: Sequence[str], runs: Sequence[UUID]) -> set[str]:
    """Those of the keys that a run has its file under; and those of runs that go on, which may be about to.

    In whichever storage: two may be one and the same place.
    """
    rows = await tx.fetch(
        """
        select object_key as key from run where object_key = any($1::text[])
        union all
        select asked.key from unnest($1::text[], $2::uuid[]) as asked (key, run_uuid)
        join run on run.run_uuid = asked.run_uuid and run.state = 'running'
        """,
        list(keys),
        list(runs),
    )
    return {row["key"] for row in rows}
