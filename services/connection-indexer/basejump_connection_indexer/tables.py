"""The index as people see it: an ADMIN all of it, a member what their teams' connections see and isn't ignored."""

import asyncio
import base64
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import msgspec

from basejump_common.bus import Context
from basejump_common.bus.fitting import REPLY_BYTES, fitting
from basejump_common.contracts.connection import ByTable, DatabaseTablesRequest, DrawDatabase, Erd, Table, TablePage
from basejump_common.errors import InvalidInput, NotFound
from basejump_common.security.principal import Role
from basejump_common.storage.database import Database, Transaction
from basejump_connection_indexer.adapters import database_rows, grant_rows, index_rows, login_rows
from basejump_connection_indexer.adapters.database_rows import DatabaseRow
from basejump_connection_indexer.adapters.teams import Teams
from basejump_connection_indexer.databases import found
from basejump_connection_indexer.domain.definition import IndexedTable, TableDefinition
from basejump_connection_indexer.domain.engine import ENGINES
from basejump_connection_indexer.domain.erd import erd
from basejump_connection_indexer.domain.scope import Scope
from basejump_connection_indexer.domain.union import Name

_AT_ONCE = 500
Views = Sequence[tuple[UUID, Scope]]
"""Connections, and what of each is open."""


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
            views = await self._views(tx, context, request.db_uuid)
            conn_uuids = {conn_uuid for conn_uuid, _ in views}
            rows = await index_rows.page(tx, conn_uuids, after, request.limit + 1, with_ignored=_is_admin(context))
            seen = await _opened(tx, views, rows[: request.limit])
        shown = [_shown(context, table, row) for table in seen]
        data = fitting(shown)
        if len(data) < len(shown):
            return TablePage(data=data, next_cursor=_cursor(seen[len(data) - 1].definition))
        more = len(rows) > request.limit
        return TablePage(data=data, next_cursor=_cursor(rows[request.limit - 1].definition) if more else None)

    async def get(self, context: Context, request: ByTable) -> Table:
        """Raises NotFound."""
        async with self._database.tenant(context.caller.tenant) as tx:
            db_uuid = await index_rows.database_of(tx, request.tbl_uuid)
            row = None if db_uuid is None else await database_rows.find(tx, db_uuid)
            if row is not None:
                views = await self._views(tx, context, row.db_uuid)
                table = await index_rows.find_seen(tx, {conn_uuid for conn_uuid, _ in views}, request.tbl_uuid)
                if table is not None and (_is_admin(context) or not table.notes.ignore):
                    for opened in await _opened(tx, views, [table]):
                        return _shown(context, opened, row)
        raise NotFound("there is no such table")

    async def draw(self, context: Context, request: DrawDatabase) -> Erd:
        """What isn't ignored, for an ADMIN too. Raises NotFound, and InvalidInput when it is too much for a diagram."""
        wanted = set(request.tbl_uuids)
        async with self._database.tenant(context.caller.tenant) as tx:
            row = found(await database_rows.find(tx, request.db_uuid))
            views = await self._views(tx, context, request.db_uuid)
            seen = [table async for table in _permitted(tx, views) if not wanted or table.tbl_uuid in wanted]
        if len(seen) < len(wanted):
            raise NotFound("there is no such table")
        text = await asyncio.to_thread(erd, [as_table(table, row) for table in seen], REPLY_BYTES)
        if text is None:
            raise InvalidInput.field("tbl_uuids", "the database has too many tables for one diagram: choose some")
        return Erd(mermaid=text)

    async def _views(self, tx: Transaction, context: Context, db_uuid: UUID) -> Views:
        """What the caller may see. Raises NotFound for a member without a grant."""
        if _is_admin(context):
            return [(login.conn_uuid, Scope()) for login in await login_rows.of_database(tx, db_uuid)]
        grants = await grant_rows.of_database(tx, db_uuid)
        teams = await self._teams.of_caller(context, {grant.team_uuid for grant in grants})
        views = [(g.conn_uuid, Scope(allow=g.allow, deny=g.deny)) for g in grants if g.team_uuid in teams]
        if not views:
            raise NotFound("there is no such database")
        return views


async def _permitted(tx: Transaction, views: Views) -> AsyncIterator[IndexedTable]:
    """All that the views open and isn't ignored, by schema and name."""
    conn_uuids, after = {conn_uuid for conn_uuid, _ in views}, ("", "")
    while rows := await index_rows.page(tx, conn_uuids, after, _AT_ONCE, with_ignored=False):
        for table in await _opened(tx, views, rows):
            yield table.permitted()
        after = rows[-1].definition.schema, rows[-1].definition.name


async def _opened(tx: Transaction, views: Views, tables: Sequence[IndexedTable]) -> list[IndexedTable]:
    """The tables, and of each the columns, that one of the views opens."""
    if all(scope.is_whole for _, scope in views):
        return list(tables)
    sights = await index_rows.sights(tx, {conn_uuid for conn_uuid, _ in views}, [table.tbl_uuid for table in tables])
    visible: defaultdict[UUID, set[str]] = defaultdict(set)
    for conn_uuid, scope in views:
        seen = [
            msgspec.structs.replace(table, visible=sights[conn_uuid, table.tbl_uuid])
            for table in tables
            if (conn_uuid, table.tbl_uuid) in sights
        ]
        for table in scope.narrow(seen):
            visible[table.tbl_uuid].update(column.name for column in table.columns)
    return [
        msgspec.structs.replace(table, visible=frozenset(visible[table.tbl_uuid]))
        for table in tables
        if visible[table.tbl_uuid]
    ]


def as_table(indexed: IndexedTable, row: DatabaseRow) -> Table:
    """The contract's struct."""
    return indexed.as_table(row.db_uuid, folds_names=ENGINES[row.database_type].folds_names)


def _shown(context: Context, indexed: IndexedTable, row: DatabaseRow) -> Table:
    return as_table(indexed if _is_admin(context) else indexed.permitted(), row)


def _is_admin(context: Context) -> bool:
    return context.caller.role.at_least(Role.ADMIN)


def _cursor(last: TableDefinition) -> str:
    packed = msgspec.json.encode((last.schema, last.name))
    return base64.urlsafe_b64encode(packed).decode()


def _position(cursor: str | None) -> Name:
    if cursor is None:
        return "", ""
    try:
        schema, table = msgspec.json.decode(base64.urlsafe_b64decode(cursor.encode()), type=Name)
        return schema, table
    except (ValueError, msgspec.MsgspecError) as error:
        raise InvalidInput.field("cursor", "not a cursor that this list has given") from error
