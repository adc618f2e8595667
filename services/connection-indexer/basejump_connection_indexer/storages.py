"""Clients' own buckets: adding one after it was tried, changing and deleting it, and which one is used."""

from uuid import UUID, uuid4

import asyncpg

from basejump_common.bus import Context
from basejump_common.contracts.common import Done, Nothing, PageRequest
from basejump_common.contracts.storage import (
    ByStorage,
    CreateStorage,
    MigrationStatus,
    Storage,
    StorageFields,
    StoragePage,
    UpdateStorage,
)
from basejump_common.errors import Conflict, InvalidInput, NotFound
from basejump_common.storage.database import Database, Transaction
from basejump_connection_indexer.adapters import migration_rows, storage_rows
from basejump_connection_indexer.adapters.buckets import OpenBuckets
from basejump_connection_indexer.adapters.storage_rows import StorageRow
from basejump_connection_indexer.adapters.vault import Keys, Vault
from basejump_connection_indexer.domain.storage_fields import check_storage
from basejump_connection_indexer.migrating import migrate_to

MOST_STORAGES = 50


class Storages:
    """What connection-indexer does about clients' buckets. `plain_http`: whether one without TLS is allowed."""

    def __init__(self, database: Database, buckets: OpenBuckets, vault: Vault, *, plain_http: bool) -> None:
        self._database = database
        self._buckets = buckets
        self._vault = vault
        self._plain_http = plain_http

    async def create(self, context: Context, request: CreateStorage) -> Storage:
        """Try it, store it. Raises Conflict, InvalidInput and what trying raises."""
        tenant = context.caller.tenant
        row = await self._tried(tenant, uuid4(), request)
        try:
            async with self._database.tenant(tenant) as tx:
                await storage_rows.lock_all(tx, tenant)
                if len(await storage_rows.every(tx)) >= MOST_STORAGES:
                    raise Conflict(f"a client has at most {MOST_STORAGES} storages")
                await storage_rows.insert(tx, row)
                return await _settled(tx, row, request.active)
        except asyncpg.UniqueViolationError as error:
            raise _alias_taken() from error

    async def in_use(self, context: Context, _request: Nothing) -> Storage:
        """The one that new results are written to. Raises NotFound when that is the installation's own."""
        async with self._database.tenant(context.caller.tenant) as tx:
            found = await storage_rows.show_active(tx)
        if found is None:
            raise NotFound("no storage is active: results are kept in the installation's own")
        return found

    async def page(self, context: Context, request: PageRequest) -> StoragePage:
        """Newest first."""
        async with self._database.tenant(context.caller.tenant) as tx:
            return await storage_rows.page(tx, request)

    async def get(self, context: Context, request: ByStorage) -> Storage:
        """Raises NotFound."""
        async with self._database.tenant(context.caller.tenant) as tx:
            return _shown(await storage_rows.show(tx, request.storage_uuid))

    async def update(self, context: Context, request: UpdateStorage) -> Storage:
        """Replace it after it was tried. Raises NotFound, Conflict, InvalidInput and what trying raises."""
        tenant = context.caller.tenant
        async with self._database.tenant(tenant) as tx:
            _found(await storage_rows.find(tx, request.storage_uuid))
        row = await self._tried(tenant, request.storage_uuid, request)
        try:
            async with self._database.tenant(tenant) as tx:
                await storage_rows.lock_all(tx, tenant)
                before = _found(await storage_rows.find(tx, row.storage_uuid))
                if before.whereabouts != row.whereabouts and await _in_use(tx, before):
                    raise Conflict("results are kept in this storage: add another one and activate that")
                await storage_rows.update(tx, row)
                return await _settled(tx, before, request.active)
        except asyncpg.UniqueViolationError as error:
            raise _alias_taken() from error

    async def delete(self, context: Context, request: ByStorage) -> Done:
        """Raises NotFound, and Conflict while results are kept there."""
        tenant = context.caller.tenant
        try:
            async with self._database.tenant(tenant) as tx:
                await storage_rows.lock_all(tx, tenant)
                row = _found(await storage_rows.find(tx, request.storage_uuid))
                # What has moved is deleted at the end, for which the keys are needed.
                if await _in_use(tx, row) or await migration_rows.going_on(tx):
                    raise _still_used()
                await storage_rows.delete(tx, row.storage_uuid)
        except asyncpg.ForeignKeyViolationError as error:
            raise _still_used() from error
        return Done()

    async def activate(self, context: Context, request: ByStorage) -> MigrationStatus:
        """New results go there at once, those that are kept follow. Raises NotFound and what trying raises."""
        tenant = context.caller.tenant
        async with self._database.tenant(tenant) as tx:
            row = _found(await storage_rows.find(tx, request.storage_uuid))
        await self._buckets.check(row, self._vault.keys(tenant, row.storage_uuid, row.sealed_keys))
        async with self._database.tenant(tenant) as tx:
            await storage_rows.lock_all(tx, tenant)
            await _settled(tx, _found(await storage_rows.find(tx, request.storage_uuid)), active=True)
            return await migration_rows.status(tx)

    async def deactivate(self, context: Context, request: ByStorage) -> MigrationStatus:
        """Results go to the installation's own storage, and those that are kept go back. Raises NotFound."""
        tenant = context.caller.tenant
        async with self._database.tenant(tenant) as tx:
            await storage_rows.lock_all(tx, tenant)
            await _settled(tx, _found(await storage_rows.find(tx, request.storage_uuid)), active=False)
            return await migration_rows.status(tx)

    async def migration_status(self, context: Context, _request: Nothing) -> MigrationStatus:
        """Of the last activation or deactivation."""
        async with self._database.tenant(context.caller.tenant) as tx:
            return await migration_rows.status(tx)

    async def _tried(self, tenant: UUID, storage_uuid: UUID, fields: StorageFields) -> StorageRow:
        check_storage(fields, plain_http=self._plain_http)
        keys = Keys(access_key=fields.access_key, secret_access_key=fields.secret_access_key)
        row = storage_rows.new_row(tenant, storage_uuid, fields, self._vault.seal_keys(tenant, storage_uuid, keys))
        await self._buckets.check(row, keys)
        return row


async def _settled(tx: Transaction, row: StorageRow, active: bool | None) -> Storage:
    """Whether it is used as asked; a change moves what is kept."""
    if active is not None and active is not row.active:
        target = row.storage_uuid if active else None
        await storage_rows.use(tx, target)
        await migrate_to(tx, row.client_uuid, target)
    return _shown(await storage_rows.show(tx, row.storage_uuid))


async def _in_use(tx: Transaction, row: StorageRow) -> bool:
    return row.active or await storage_rows.holds_results(tx, row.storage_uuid)


def _found(row: StorageRow | None) -> StorageRow:
    if row is None:
        raise NotFound("there is no such storage")
    return row


def _shown(storage: Storage | None) -> Storage:
    if storage is None:
        raise NotFound("there is no such storage")
    return storage


def _alias_taken() -> Conflict:
    return Conflict(
        "alias: another storage has it", errors=InvalidInput.field("alias", "another storage has it").errors
    )


def _still_used() -> Conflict:
    return Conflict("results are kept in this storage: deactivate it, and wait until they have moved")
