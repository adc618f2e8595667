"""The index: tables, columns, keys, and what admins write about them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from basejump_common.contracts.common import PageRequest, Text
from basejump_common.contracts.operation import EventType, Operation
from basejump_common.errors import InvalidInput, NotFound
from basejump_common.security.principal import Role

ColumnName = Annotated[str, Meta(min_length=1, max_length=200)]
TableName = Annotated[str, Meta(min_length=1, max_length=400)]
"""A table of the same database: `table`, or `schema.table` where that isn't clear."""

Columns = Annotated[tuple[ColumnName, ...], Meta(min_length=1, max_length=32)]
DistinctValues = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...], Meta(max_length=200)]


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of an indexed table; `column_type` as the database spells it.

    `search_values`: its values may be looked up in the database and offered to people.
    """

    col_uuid: UUID
    column_name: str
    column_type: str
    description: str = ""
    primary_key: bool = False
    foreign_key_table_name: str | None = None
    foreign_key_column_name: str | None = None
    distinct_values: tuple[str, ...] = ()
    ignore: bool = False
    quoted: bool = False
    search_values: bool = True


class ForeignKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key, declared in the database or written by an admin, column by column."""

    columns: tuple[str, ...]
    references_schema: str
    references_table: str
    references_columns: tuple[str, ...]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """An indexed table or view. `row_estimate` is the planner's, None when it has none.

    `changed_by` and `changed_at`: who wrote about it last, and when. Members don't see what is ignored.
    """

    tbl_uuid: UUID
    db_uuid: UUID
    schema_name: str
    table_name: str
    table_type: str
    context: str = ""
    ignore: bool = False
    row_estimate: int | None = None
    primary_keys: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    columns: tuple[Column, ...] = ()
    changed_by: UUID | None = None
    changed_at: datetime | None = None


class ByTable(msgspec.Struct, frozen=True, kw_only=True):
    """Names a table."""

    tbl_uuid: UUID


class DatabaseTablesRequest(PageRequest, frozen=True, kw_only=True):
    """The tables of one database."""

    db_uuid: UUID


class TablePage(msgspec.Struct, frozen=True, kw_only=True):
    """By schema and name."""

    data: tuple[Table, ...]
    next_cursor: str | None = None


class DrawDatabase(msgspec.Struct, frozen=True, kw_only=True):
    """The tables of a database with the keys between them; with `tbl_uuids` those alone."""

    db_uuid: UUID
    tbl_uuids: Annotated[tuple[UUID, ...], Meta(max_length=200)] = ()


class Erd(msgspec.Struct, frozen=True, kw_only=True):
    """An entity-relationship diagram in Mermaid's language, from declared keys and those that an admin wrote.

    A diagram that would be too long has the columns of keys alone, or no columns.
    """

    mermaid: str


class WrittenKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that the database doesn't declare; both lists of columns have one order."""

    columns: Columns
    references_schema: ColumnName | None = None
    references_table: TableName
    references_columns: Columns


class UpdateTable(msgspec.Struct, frozen=True, kw_only=True):
    """What is given is written; null is what the database itself says again.

    `ignore`: no question and no query reaches the table. `primary_keys` are columns that together are unique.
    `foreign_keys` are all keys that the database doesn't declare, of one column or of several.
    """

    tbl_uuid: UUID
    context: Text | UnsetType | None = UNSET
    ignore: bool | UnsetType | None = UNSET
    primary_keys: Annotated[tuple[ColumnName, ...], Meta(max_length=32)] | UnsetType | None = UNSET
    foreign_keys: Annotated[tuple[WrittenKey, ...], Meta(max_length=200)] | UnsetType | None = UNSET


class UpdateColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column by `col_uuid` or `column_name`. What is given is written; null is what the database says again.

    `foreign_key_table_name` and `foreign_key_column_name` go together. `distinct_values`: the values that questions are
    matched with, and that a language model is told. `quoted`: the name is written in quotes. `search_values`: its
    values may be looked up in the database and offered to people.
    """

    col_uuid: UUID | None = None
    column_name: ColumnName | None = None
    description: Text | UnsetType | None = UNSET
    ignore: bool | UnsetType | None = UNSET
    distinct_values: DistinctValues | UnsetType | None = UNSET
    foreign_key_table_name: TableName | UnsetType | None = UNSET
    foreign_key_column_name: ColumnName | UnsetType | None = UNSET
    primary_key: bool | UnsetType | None = UNSET
    quoted: bool | UnsetType | None = UNSET
    search_values: bool | UnsetType | None = UNSET


class UpdateColumns(msgspec.Struct, frozen=True, kw_only=True):
    """What an admin writes about columns of a table: all of it, or nothing when something is wrong."""

    tbl_uuid: UUID
    columns: Annotated[tuple[UpdateColumn, ...], Meta(min_length=1, max_length=2_000)]


class TableChangesRequest(PageRequest, frozen=True, kw_only=True):
    """What was written about one table."""

    tbl_uuid: UUID


class TableChange(msgspec.Struct, frozen=True, kw_only=True):
    """One field as it was and as it became; null is what the database says. No `column_name`: the table's own."""

    change_uuid: UUID
    tbl_uuid: UUID
    column_name: str | None
    field: str
    before: Any
    after: Any
    changed_by: UUID
    changed_at: datetime


class TableChangePage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first; a page of long texts has fewer of them."""

    data: tuple[TableChange, ...]
    next_cursor: str | None = None


class TableDescribed(msgspec.Struct, frozen=True, kw_only=True):
    """An admin wrote about a table or its columns: what may be asked, and how, may have changed. `ignored_more`: the
    table, or a column of it, is ignored from now on."""

    tbl_uuid: UUID
    db_uuid: UUID
    changed_by: UUID
    table_name: str = ""
    ignored_more: bool = False


TABLE_DESCRIBED = EventType(
    "table", "described", TableDescribed, publisher="connection-indexer", consumers=("chat-agent",)
)

LIST_TABLES = Operation(
    "basejump.v1.connection.table.list",
    takes=DatabaseTablesRequest,
    gives=TablePage,
    allow=Role.MEMBER,
    errors=(NotFound,),
)
GET_TABLE = Operation(
    "basejump.v1.connection.table.get", takes=ByTable, gives=Table, allow=Role.MEMBER, errors=(NotFound,)
)
DRAW_DATABASE = Operation(
    "basejump.v1.connection.database.draw",
    takes=DrawDatabase,
    gives=Erd,
    allow=Role.MEMBER,
    errors=(InvalidInput, NotFound),
)
UPDATE_TABLE = Operation(
    "basejump.v1.connection.table.update",
    takes=UpdateTable,
    gives=Table,
    allow=Role.ADMIN,
    errors=(InvalidInput, NotFound),
)
UPDATE_COLUMNS = Operation(
    "basejump.v1.connection.table.update-columns",
    takes=UpdateColumns,
    gives=Table,
    allow=Role.ADMIN,
    errors=(InvalidInput, NotFound),
)
LIST_TABLE_CHANGES = Operation(
    "basejump.v1.connection.table.changes",
    takes=TableChangesRequest,
    gives=TableChangePage,
    allow=Role.ADMIN,
    errors=(NotFound,),
)
