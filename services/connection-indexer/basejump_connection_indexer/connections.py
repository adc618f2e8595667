"""Connections: the logins to a database, each tried before it is kept and indexed for what it sees."""

from typing import Any
from uuid import UUID, uuid4

import msgspec
from msgspec import UNSET

from basejump_common.bus import Context, publish
from basejump_common.contracts import connection as contract
from basejump_common.contracts.common import Done
from basejump_common.contracts.connection import (
    ByConnection,
    Connection,
    ConnectionChanged,
    ConnectionPage,
    CreateConnection,
    CreatedConnection,
    DatabaseConnectionsRequest,
    UpdateConnection,
)
from basejump_common.contracts.operation import EventType
from basejump_common.errors import Conflict, NotFound
from basejump_common.storage.database import Database as Storage
from basejump_common.storage.database import Transaction
from basejump_connection_indexer.adapters import database_rows, index_rows, login_rows
from basejump_connection_indexer.adapters.customer_pools import CustomerPools
from basejump_connection_indexer.adapters.database_rows import DatabaseRow
from basejump_connection_indexer.adapters.login_rows import ConnectionRow
from basejump_connection_indexer.adapters.vault import Vault
from basejump_connection_indexer.databases import found, idle, publish_ended
from basejump_connection_indexer.domain.database_fields import check_nul
from basejump_connection_indexer.domain.engine import schemas_of
from basejump_connection_indexer.indexing import IndexDatabase, enqueue_indexing
from basejump_connection_indexer.prepared import PreparedCatalogs
from basejump_connection_indexer.trying import Trial, Trying

_OF_THE_LOGIN = ("username", "password", "schemas", "schema_maps")


class Connections:
    """What connection-indexer does about logins."""

    def __init__(
        self, database: Storage, trying: Trying, vault: Vault, pools: CustomerPools, catalogs: PreparedCatalogs
    ) -> None:
        self._database = database
        self._trying = trying
        self._vault = vault
        self._pools = pools
        self._catalogs = catalogs

    async def create(self, context: Context, request: CreateConnection) -> CreatedConnection:
        """Try the login, store it, begin to index. Raises NotFound, Conflict and what `tried` raises."""
        tenant = context.caller.tenant
        row = await self.idle(tenant, request.db_uuid)
        login = await self.tried(row, request)
        await self.store(context, row.db_uuid, [login])
        return CreatedConnection(conn_uuid=login.conn_uuid, db_uuid=login.db_uuid, warnings=login.warnings)

    async def page(self, context: Context, request: DatabaseConnectionsRequest) -> ConnectionPage:
        """The logins of a database, newest first. Raises NotFound."""
        async with self._database.tenant(context.caller.tenant) as tx:
            found(await database_rows.find(tx, request.db_uuid))
            return await login_rows.page(tx, request.db_uuid, request)

    async def get(self, context: Context, request: ByConnection) -> Connection:
        """Raises NotFound."""
        async with self._database.tenant(context.caller.tenant) as tx:
            return _found(await login_rows.find(tx, request.conn_uuid)).as_connection()

    async def update(self, context: Context, request: UpdateConnection) -> Connection:
        """Change what is given; another login is tried and indexed. Raises as `create` does."""
        tenant = context.caller.tenant
        check_nul(request)
        async with self._database.tenant(tenant) as tx:
            before = _found(await login_rows.find(tx, request.conn_uuid))
            row = idle(found(await database_rows.find(tx, before.db_uuid)))
        after = self._changed(row, before, request)
        is_other = any(getattr(before, name) != getattr(after, name) for name in _OF_THE_LOGIN)
        if is_other:
            # What an admin has accepted of a login once needn't be accepted again.
            known = before.warnings if before.username == after.username else ()
            after = await self._with_risks(row, after, known, accepted=request.accept_risky_role)
        async with self._database.tenant(tenant) as tx:
            idle(found(await database_rows.find(tx, row.db_uuid, lock=True)))
            if _found(await login_rows.find(tx, request.conn_uuid)) != before:
                raise Conflict("the connection was changed at the same moment: look at it again")
            await login_rows.update(tx, after)
            if is_other:
                await database_rows.outdate(tx, row.db_uuid)
                await enqueue_indexing(tx, tenant, IndexDatabase(db_uuid=row.db_uuid))
            await _publish(tx, contract.CONNECTION_UPDATED, tenant, after, context)
        return after.as_connection()

    async def delete(self, context: Context, request: ByConnection) -> Done:
        """With its grants; what runs over it ends. Raises NotFound, and Conflict for the only one of a database and
        while that is being indexed."""
        tenant = context.caller.tenant
        async with self._database.tenant(tenant) as tx:
            login = _found(await login_rows.find(tx, request.conn_uuid))
            idle(found(await database_rows.find(tx, login.db_uuid, lock=True)))
            if len(await login_rows.of_database(tx, login.db_uuid)) == 1:
                raise Conflict(
                    "it is the only connection of its database: add another one first, or delete the database"
                )
            await publish_ended(tx, tenant, [login], context)
            await login_rows.delete(tx, login.conn_uuid)
            await index_rows.forget_unseen(tx, login.db_uuid)
            await database_rows.outdate(tx, login.db_uuid)
        await self._pools.forget(login.conn_uuid)
        self._catalogs.forget(login.conn_uuid)
        return Done()

    async def tried(self, row: DatabaseRow, request: CreateConnection) -> ConnectionRow:
        """The login as it is kept, once it was tried. Raises InvalidInput and what connecting raises."""
        check_nul(request)
        conn_uuid = uuid4()
        login = ConnectionRow(
            conn_uuid=conn_uuid,
            db_uuid=row.db_uuid,
            username=request.username,
            password=self._vault.seal(row.client_uuid, conn_uuid, request.password),
            data_source_desc=request.data_source_desc,
            warnings=(),
            schemas=request.schemas,
            schema_maps=request.schema_maps,
        )
        return await self._with_risks(row, login, (), accepted=request.accept_risky_role)

    async def store(self, context: Context, db_uuid: UUID, logins: list[ConnectionRow]) -> None:
        """Keep logins that were tried, and index them. Raises NotFound and Conflict."""
        tenant = context.caller.tenant
        async with self._database.tenant(tenant) as tx:
            idle(found(await database_rows.find(tx, db_uuid, lock=True)))
            for login in logins:
                await login_rows.insert(tx, tenant, login)
                await _publish(tx, contract.CONNECTION_CREATED, tenant, login, context)
            await enqueue_indexing(tx, tenant, IndexDatabase(db_uuid=db_uuid))

    async def idle(self, tenant: UUID, db_uuid: UUID) -> DatabaseRow:
        """The database, which isn't being indexed. Raises NotFound and Conflict."""
        async with self._database.tenant(tenant) as tx:
            return idle(found(await database_rows.find(tx, db_uuid)))

    def _changed(self, row: DatabaseRow, before: ConnectionRow, request: UpdateConnection) -> ConnectionRow:
        given: dict[str, Any] = {
            name: value for name in ("username", "data_source_desc") if (value := getattr(request, name)) is not None
        }
        given |= {name: value for name in ("schemas", "schema_maps") if (value := getattr(request, name)) is not UNSET}
        if request.password is not None:
            given["password"] = self._vault.seal(row.client_uuid, before.conn_uuid, request.password)
        return msgspec.structs.replace(before, **given)

    async def _with_risks(
        self, row: DatabaseRow, login: ConnectionRow, known: tuple[str, ...], *, accepted: bool
    ) -> ConnectionRow:
        """The login with what it may do beyond SELECT; `known` was accepted before. Raises InvalidInput."""
        trial = Trial(
            target=self._vault.target(row, login), schemas=schemas_of(row, login), known=known, accepted=accepted
        )
        return msgspec.structs.replace(login, warnings=await self._trying.risks(trial))


async def _publish(
    tx: Transaction,
    event: EventType[ConnectionChanged],
    tenant: UUID,
    login: ConnectionRow,
    context: Context,
) -> None:
    change = ConnectionChanged(conn_uuid=login.conn_uuid, db_uuid=login.db_uuid)
    await publish(tx, event, tenant, login.conn_uuid, change, context)


def _found(row: ConnectionRow | None) -> ConnectionRow:
    if row is None:
        raise NotFound("there is no such connection")
    return row
