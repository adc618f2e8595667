"""What admins write about tables and columns. It outlives every indexing, and takes effect at once in every replica."""

from collections.abc import Callable
from uuid import UUID

from basejump_common.bus import Context, publish
from basejump_common.bus.fitting import fits, fitting
from basejump_common.contracts.connection import (
    TABLE_DESCRIBED,
    Table,
    TableChangePage,
    TableChangesRequest,
    TableDescribed,
    UpdateColumns,
    UpdateTable,
)
from basejump_common.errors import InvalidInput, NotFound
from basejump_common.storage import pages
from basejump_common.storage.database import Database, Transaction
from basejump_connection_indexer.adapters import database_rows, index_rows, login_rows, note_rows
from basejump_connection_indexer.domain.definition import IndexedTable, TableNotes
from basejump_connection_indexer.domain.editing import Known, column_notes, differences, table_notes, tables_named
from basejump_connection_indexer.tables import as_table

Edit = Callable[[IndexedTable, Known], TableNotes]


class Notes:
    """Writes them, and says who wrote what and when."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def update_table(self, context: Context, request: UpdateTable) -> Table:
        """Raises NotFound, and InvalidInput naming the field."""
        names = tables_named(request)
        return await self._write(context, request.tbl_uuid, names, lambda t, known: table_notes(t, request, known))

    async def update_columns(self, context: Context, request: UpdateColumns) -> Table:
        """Raises NotFound, and InvalidInput naming the field."""
        names = tables_named(request)
        return await self._write(context, request.tbl_uuid, names, lambda t, known: column_notes(t, request, known))

    async def changes(self, context: Context, request: TableChangesRequest) -> TableChangePage:
        """Newest first; also of a table that the database has dropped. Raises NotFound."""
        async with self._database.tenant(context.caller.tenant) as tx:
            if await index_rows.database_of(tx, request.tbl_uuid) is None:
                raise _no_table()
            rows = await note_rows.changes(tx, request)
        most = len(fitting(rows[: request.limit]))
        data, next_cursor = pages.page(rows, most, lambda change: (change.changed_at, change.change_uuid))
        return TableChangePage(data=data, next_cursor=next_cursor)

    async def _write(self, context: Context, tbl_uuid: UUID, names: set[str], edit: Edit) -> Table:
        tenant, user_uuid = context.caller.tenant, context.caller.user
        async with self._database.tenant(tenant) as tx:
            # Locked as indexing locks it, so that neither undoes the other.
            db_uuid = await index_rows.database_of(tx, tbl_uuid)
            row = None if db_uuid is None else await database_rows.find(tx, db_uuid, lock=True)
            if row is None:
                raise _no_table()
            before = await _seen(tx, row.db_uuid, tbl_uuid)
            notes = edit(before, await index_rows.named(tx, row.db_uuid, names))
            if changes := differences(before.notes, notes):
                await note_rows.write(tx, (tenant, tbl_uuid), notes, changes, user_uuid)
                await database_rows.next_index_version(tx, row.db_uuid)
                told = TableDescribed(
                    tbl_uuid=tbl_uuid,
                    db_uuid=row.db_uuid,
                    changed_by=user_uuid,
                    table_name=before.definition.name,
                    ignored_more=any(change.field == "ignore" and change.after for change in changes),
                )
                await publish(tx, TABLE_DESCRIBED, tenant, tbl_uuid, told, context)
            table = as_table(await _seen(tx, row.db_uuid, tbl_uuid), row)
            if not fits(table):
                raise InvalidInput("all that is written about the table is too long together")
            return table


async def _seen(tx: Transaction, db_uuid: UUID, tbl_uuid: UUID) -> IndexedTable:
    """The table as its database's logins see it together. Raises NotFound."""
    logins = await login_rows.of_database(tx, db_uuid)
    table = await index_rows.find_seen(tx, [login.conn_uuid for login in logins], tbl_uuid)
    if table is None:
        raise _no_table()
    return table


def _no_table() -> NotFound:
    return NotFound("there is no such table")
