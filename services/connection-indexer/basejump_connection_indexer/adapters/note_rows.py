"""What admins write: `indexed_table.notes` and the table `table_change`. Every function takes the tenant's
transaction.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from basejump_common.contracts.connection import TableChange, TableChangesRequest
from basejump_common.storage import pages
from basejump_common.storage.database import Transaction
from basejump_connection_indexer.domain.definition import TableNotes
from basejump_connection_indexer.domain.editing import Difference

_WRITE = (
    "update indexed_table set notes = $2, changed_by = $3, changed_at = now() where tbl_uuid = $1 returning changed_at"
)
_COLUMNS = (
    "client_uuid",
    "change_uuid",
    "tbl_uuid",
    "column_name",
    "field",
    "before",
    "after",
    "changed_by",
    "changed_at",
)
_NEWEST = """
    select * from table_change where tbl_uuid = $1 and (changed_at, change_uuid) < ($2, $3)
    order by changed_at desc, change_uuid desc limit $4
"""


async def write(
    tx: Transaction, of: tuple[UUID, UUID], notes: TableNotes, changes: Sequence[Difference], user_uuid: UUID
) -> None:
    """The notes of a table (`of`: client and table), and what its `user_uuid` changed in them."""
    client_uuid, tbl_uuid = of
    at: datetime = await tx.fetchval(_WRITE, tbl_uuid, notes, user_uuid)
    rows = (
        (client_uuid, uuid4(), tbl_uuid, one.column_name, one.field, one.before, one.after, user_uuid, at)
        for one in changes
    )
    await tx.insert_records("table_change", _COLUMNS, rows)


async def changes(tx: Transaction, request: TableChangesRequest) -> list[TableChange]:
    """Newest first, one more than a page has."""
    after = pages.position(request.cursor, newest_first=True)
    return await tx.rows(TableChange, _NEWEST, request.tbl_uuid, *after, pages.rows_to_ask(request.limit))
