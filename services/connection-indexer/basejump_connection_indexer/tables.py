"""The index as people see it: an ADMIN all of it, a member what their teams' connections see."""

import base64
from collections.abc import Sequence
from uuid import UUID

import msgspec

from basejump_common.bus import Context
from basejump_common.contracts import wire
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

PAGE_BYTES = 700_000  # a reply on the bus has room for 1 MiB


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
            rows = await index_rows.page(tx, logins, after, request.limit + 1)
        tables = [_table(indexed, row) for indexed in rows[: request.limit]]
        data = _fitting(tables)
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
                if table is not None:
                    return _table(table, row)
        raise NotFound("there is no such table")

    async def _logins(self, tx: Transaction, context: Context, db_uuid: UUID) -> list[UUID]:
        """The connections whose view the caller may have. Raises NotFound for a member without a grant."""
        if context.caller.role.at_least(Role.ADMIN):
            return [login.conn_uuid for login in await database_rows.connections_of(tx, db_uuid)]
        granted = await grant_rows.teams_by_connection(tx, db_uuid)
        teams = await self._teams.of_caller(context, set().union(*granted.values()))
        logins = [conn_uuid for conn_uuid, holders in granted.items() if holders & teams]
        if not logins:
            raise NotFound("there is no such database")
        return logins


def _table(indexed: IndexedTable, row: DatabaseRow) -> Table:
    return indexed.as_table(row.db_uuid, folds_names=ENGINES[row.database_type].folds_names)


def _fitting(tables: Sequence[Table]) -> tuple[Table, ...]:
    """As many as a reply has room for, at least one."""
    room = PAGE_BYTES
    for place, table in enumerate(tables):
        room -= len(wire.encode(table))
        if room < 0:
            return tuple(tables[: max(place, 1)])
    return tuple(tables)


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
