"""The index as people see it: an ADMIN all of it, a member what their teams' connections see and isn't ignored."""

import base64
from uuid import UUID

import msgspec

from basejump_common.bus import Context
from basejump_common.contracts.connection import ByTable, DatabaseTablesRequest, Table, TablePage
from basejump_common.errors import InvalidInput, NotFound
from basejump_common.security.principal import Role
from basejump_common.storage.database import Database, Transaction
from basejump_connection_indexer.adapters import database_rows, grant_rows, index_rows
from basejump_connection_indexer.adapters.database_rows import DatabaseRow
from basejump_connection_indexer.adapters.teams import Teams
from basejump_connection_indexer.databases import found
from basejump_connection_indexer.domain.definition import IndexedTable
from basejump_connection_indexer.domain.engine import ENGINES
from basejump_connection_indexer.domain.union import Name
from basejump_connection_indexer.fitting import fitting


class Tables:
    """Reads the index."""

    def __init__(self, database: Database, teams: Teams) -> None:
        self._database = database
        self._teams = teams

    async def page(self, context: Context, request: DatabaseTablesRequest) -> TablePage:
        """By schema and name; a page of very wide tables has fewer of them. Raises NotFound."""
        after = _position(request.cursor)
        async with self._database.tenant(context.caller.tenant) as tx:
            row = found(await database_rows.find(tx, request.db_uuid))
            logins = await self._logins(tx, context, request.db_uuid)
            rows = await index_rows.page(tx, logins, after, request.limit + 1, with_ignored=_is_admin(context))
        data = fitting(_shown(context, indexed, row) for indexed in rows[: request.limit])
        more = len(data) < len(rows)
        return TablePage(data=data, next_cursor=_cursor(data[-1]) if more and data else None)

    async def get(self, context: Context, request: ByTable) -> Table:
        """Raises NotFound."""
        async with self._database.tenant(context.caller.tenant) as tx:
            db_uuid = await index_rows.database_of(tx, request.tbl_uuid)
            row = None if db_uuid is None else await database_rows.find(tx, db_uuid)
            if row is not None:
                logins = await self._logins(tx, context, row.db_uuid)
                table = await index_rows.find_seen(tx, logins, request.tbl_uuid)
                if table is not None and (_is_admin(context) or not table.notes.ignore):
                    return _shown(context, table, row)
        raise NotFound("there is no such table")

    async def _logins(self, tx: Transaction, context: Context, db_uuid: UUID) -> list[UUID]:
        """The connections whose view the caller may have. Raises NotFound for a member without a grant."""
        if _is_admin(context):
            return [login.conn_uuid for login in await database_rows.connections_of(tx, db_uuid)]
        granted = await grant_rows.teams_by_connection(tx, db_uuid)
        teams = await self._teams.of_caller(context, set().union(*granted.values()))
        logins = [conn_uuid for conn_uuid, holders in granted.items() if holders & teams]
        if not logins:
            raise NotFound("there is no such database")
        return logins


def as_table(indexed: IndexedTable, row: DatabaseRow) -> Table:
    """The contract's struct."""
    return indexed.as_table(row.db_uuid, folds_names=ENGINES[row.database_type].folds_names)


def _shown(context: Context, indexed: IndexedTable, row: DatabaseRow) -> Table:
    return as_table(indexed if _is_admin(context) else indexed.permitted(), row)


def _is_admin(context: Context) -> bool:
    return context.caller.role.at_least(Role.ADMIN)


def _cursor(last: Table) -> str:
    packed = msgspec.json.encode((last.schema_name, last.table_name))
    return base64.urlsafe_b64encode(packed).decode()


def _position(cursor: str | None) -> Name:
    if cursor is None:
        return "", ""
    try:
        schema, table = msgspec.json.decode(base64.urlsafe_b64decode(cursor.encode()), type=Name)
        return schema, table
    except (ValueError, msgspec.MsgspecError) as error:
        raise InvalidInput.field("cursor", "not a cursor that this list has given") from error
