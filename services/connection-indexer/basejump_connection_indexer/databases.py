"""Customers' databases: adding one after it was tried, testing, listing, changing, deleting."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import asyncpg
import msgspec
from msgspec import UNSET

from basejump_common.bus import Context, publish
from basejump_common.contracts import connection as contract
from basejump_common.contracts.common import Done, PageRequest
from basejump_common.contracts.connection import (
    ByDatabase,
    ConnectionChanged,
    CreateDatabase,
    CreatedDatabase,
    Database,
    DatabaseFields,
    DatabasePage,
    IndexStatus,
    TriedDatabase,
    UpdateDatabase,
)
from basejump_common.errors import Conflict, InvalidInput, NotFound
from basejump_common.storage.database import Database as Storage
from basejump_common.storage.database import Transaction
from basejump_connection_indexer.adapters import database_rows, grant_rows, login_rows
from basejump_connection_indexer.adapters.customer_pools import CustomerPools
from basejump_connection_indexer.adapters.database_rows import DatabaseRow
from basejump_connection_indexer.adapters.login_rows import ConnectionRow
from basejump_connection_indexer.adapters.vault import Vault
from basejump_connection_indexer.checking import BUSY
from basejump_connection_indexer.domain.alias import free_alias
from basejump_connection_indexer.domain.database_fields import check_database, check_encrypted, check_fields, check_nul
from basejump_connection_indexer.domain.engine import ENGINES, schemas_of
from basejump_connection_indexer.domain.schema_names import NamedSchema, physical_names
from basejump_connection_indexer.domain.target import Target
from basejump_connection_indexer.indexing import IndexDatabase, catalog_request, enqueue_indexing
from basejump_connection_indexer.trying import Trial, Trying, empty_ones

_ALIAS_ATTEMPTS = 5
_OF_THE_LOGIN = ("username", "password", "data_source_desc")


class Databases:
    """What connection-indexer does about databases and the logins to them."""

    def __init__(self, database: Storage, trying: Trying, vault: Vault, pools: CustomerPools) -> None:
        self._database = database
        self._trying = trying
        self._vault = vault
        self._pools = pools

    async def create(self, context: Context, request: CreateDatabase) -> CreatedDatabase:
        """Try the login, store it, begin to index. Raises Conflict, InvalidInput and what connecting raises."""
        warnings = await self._trying.risks(_trial(request))
        for attempt in range(_ALIAS_ATTEMPTS):
            try:
                return await self._store(context, request, warnings)
            except asyncpg.UniqueViolationError as error:
                # A derived alias may have been taken by a call at the same moment: derive again.
                if request.database_name_alias is not None or attempt == _ALIAS_ATTEMPTS - 1:
                    raise _alias_taken() from error
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def test(self, _context: Context, request: DatabaseFields) -> TriedDatabase:
        """All that `create` tries, and what there is to index; nothing is stored. Raises as `create` does."""
        trial = _trial(request)
        risks, tables = await self._trying.look(trial, catalog_request(request, physical_names(trial.schemas)))
        return TriedDatabase(tables=sum(tables.values()), warnings=(*risks, *empty_ones(tables)))

    async def page(self, context: Context, request: PageRequest) -> DatabasePage:
        """Newest first."""
        async with self._database.tenant(context.caller.tenant) as tx:
            return await database_rows.page(tx, request)

    async def get(self, context: Context, request: ByDatabase) -> Database:
        """Raises NotFound."""
        async with self._database.tenant(context.caller.tenant) as tx:
            return found(await database_rows.find(tx, request.db_uuid)).as_database()

    async def update(self, context: Context, request: UpdateDatabase) -> Database:
        """Change what is given and index again. Raises NotFound, Conflict, InvalidInput, and what connecting raises."""
        tenant = context.caller.tenant
        async with self._database.tenant(tenant) as tx:
            before = idle(found(await database_rows.find(tx, request.db_uuid)))
            logins = await login_rows.of_database(tx, before.db_uuid)
        check_nul(request)
        check_encrypted(request.ssl)
        after = _changed(before, request)
        check_database(after)
        logins = self._as_they_will_be(before, after, logins, request)
        risks = await self._trying.all_risks(
            {one.conn_uuid: self._trial(after, one, accepted=request.accept_risky_role) for one in logins}
        )
        try:
            async with self._database.tenant(tenant) as tx:
                if idle(found(await database_rows.find(tx, request.db_uuid, lock=True))).scanned != before.scanned:
                    raise Conflict("the database was changed at the same moment: look at it again")
                await database_rows.update(tx, after)
                if after.scanned != before.scanned:
                    await database_rows.outdate(tx, after.db_uuid)
                for login, warnings in zip(logins, risks, strict=True):
                    if len(logins) == 1:
                        await login_rows.update(tx, msgspec.structs.replace(login, warnings=warnings))
                    else:
                        await login_rows.set_warnings(tx, login.conn_uuid, warnings)
                await enqueue_indexing(tx, tenant, IndexDatabase(db_uuid=after.db_uuid))
                return found(await database_rows.find(tx, request.db_uuid)).as_database()
        except asyncpg.UniqueViolationError as error:
            raise _alias_taken() from error

    async def delete(self, context: Context, request: ByDatabase) -> Done:
        """The database, its connections, grants and index. Raises NotFound, and Conflict while it is being indexed."""
        tenant = context.caller.tenant
        async with self._database.tenant(tenant) as tx:
            row = idle(found(await database_rows.find(tx, request.db_uuid, lock=True)))
            logins = await login_rows.of_database(tx, row.db_uuid)
            await publish_ended(tx, tenant, logins, context)
            await database_rows.delete(tx, row.db_uuid)
        for login in logins:
            await self._pools.forget(login.conn_uuid)
        return Done()

    async def index_status(self, context: Context, request: ByDatabase) -> IndexStatus:
        """Raises NotFound."""
        async with self._database.tenant(context.caller.tenant) as tx:
            return found(await database_rows.find(tx, request.db_uuid)).as_status()

    def _trial(self, row: DatabaseRow, login: ConnectionRow, *, accepted: bool) -> Trial:
        # What an admin has accepted once needn't be accepted again.
        target, schemas = self._vault.target(row, login), _schemas(row, login)
        return Trial(target=target, schemas=schemas, known=login.warnings, accepted=accepted)

    def _as_they_will_be(
        self, before: DatabaseRow, after: DatabaseRow, logins: list[ConnectionRow], request: UpdateDatabase
    ) -> list[ConnectionRow]:
        """The logins: a password is sent only where whoever knows it says. Raises InvalidInput."""
        if request.password is None and (before.host, before.port) != (after.host, after.port):
            raise InvalidInput.field("password", "is needed again: it would be sent to another host or port")
        given = {name: value for name in _OF_THE_LOGIN if (value := getattr(request, name)) is not None}
        if not given:
            return logins
        if len(logins) != 1:
            raise InvalidInput.field(next(iter(given)), "the database has several connections, each with its own")
        if request.password is not None:
            given["password"] = self._vault.seal(before.client_uuid, logins[0].conn_uuid, request.password)
        known = logins[0].warnings if request.username in (None, logins[0].username) else ()
        return [msgspec.structs.replace(logins[0], warnings=known, **given)]

    async def _store(self, context: Context, request: CreateDatabase, warnings: tuple[str, ...]) -> CreatedDatabase:
        tenant, db_uuid, conn_uuid = context.caller.tenant, uuid4(), uuid4()
        login = ConnectionRow(
            conn_uuid=conn_uuid,
            db_uuid=db_uuid,
            username=request.username,
            password=self._vault.seal(tenant, conn_uuid, request.password),
            data_source_desc=request.data_source_desc,
            warnings=warnings,
        )
        async with self._database.tenant(tenant) as tx:
            alias = request.database_name_alias or free_alias(request.database_name, await database_rows.aliases(tx))
            await database_rows.insert(tx, database_rows.new_row(tenant, db_uuid, request, alias))
            await login_rows.insert(tx, tenant, login)
            await enqueue_indexing(tx, tenant, IndexDatabase(db_uuid=db_uuid))
            change = ConnectionChanged(conn_uuid=conn_uuid, db_uuid=db_uuid)
            await publish(tx, contract.CONNECTION_CREATED, tenant, conn_uuid, change, context)
        return CreatedDatabase(conn_uuid=conn_uuid, db_uuid=db_uuid, database_name_alias=alias, warnings=warnings)


def found(row: DatabaseRow | None) -> DatabaseRow:
    """Raises NotFound."""
    if row is None:
        raise NotFound("there is no such database")
    return row


def idle(row: DatabaseRow) -> DatabaseRow:
    """Raises Conflict while it is being indexed."""
    if row.index_status in BUSY:
        raise Conflict("the database is being indexed: try again when that has ended")
    return row


def _alias_taken() -> Conflict:
    return Conflict(
        "database_name_alias: another database has it",
        errors=InvalidInput.field("database_name_alias", "another database has it").errors,
    )


def _trial(fields: DatabaseFields) -> Trial:
    """Raises InvalidInput."""
    return Trial(target=_target(fields), schemas=check_fields(fields), accepted=fields.accept_risky_role)


def _target(fields: DatabaseFields) -> Target:
    return Target(
        database_type=fields.database_type,
        host=fields.host,
        port=fields.port or ENGINES[fields.database_type].default_port,
        database=fields.database_name,
        username=fields.username,
        password=fields.password,
        ssl_mode=fields.ssl_mode,
        ssl_root_cert=fields.ssl_root_cert,
        query=fields.query,
    )


def _changed(row: DatabaseRow, request: UpdateDatabase) -> DatabaseRow:
    """With what is given; null takes away what may be absent, and changes nothing elsewhere."""
    given = {name: getattr(request, name, UNSET) for name in row.__struct_fields__}
    for name, value in given.items():
        if value is None and name not in ("table_filter_string", "ssl_root_cert"):
            given[name] = UNSET
    return msgspec.structs.replace(row, **{name: value for name, value in given.items() if value is not UNSET})


async def publish_ended(tx: Transaction, tenant: UUID, logins: Sequence[ConnectionRow], context: Context) -> None:
    """Say that connections and their grants are gone, and end what runs over them."""
    for login in logins:
        tx.ring(grant_rows.bell(login.conn_uuid), everywhere=True)
        for grant in await grant_rows.of_connection(tx, login.conn_uuid):
            lost = contract.GrantChanged(conn_uuid=login.conn_uuid, team_uuid=grant.team_uuid)
            await publish(tx, contract.GRANT_REMOVED, tenant, login.conn_uuid, lost, context)
        ended = ConnectionChanged(conn_uuid=login.conn_uuid, db_uuid=login.db_uuid)
        await publish(tx, contract.CONNECTION_DELETED, tenant, login.conn_uuid, ended, context)


def _schemas(row: DatabaseRow, login: ConnectionRow) -> tuple[NamedSchema, ...]:
    """Raises InvalidInput when the login's own schemas are no longer some of the database's."""
    try:
        return schemas_of(row, login)
    except InvalidInput as error:
        raise InvalidInput.field("schemas", f"connection {login.conn_uuid}: {error.message}") from error
