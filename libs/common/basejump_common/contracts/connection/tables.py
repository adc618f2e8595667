"""The index: tables, columns, keys."""

from uuid import UUID

import msgspec

from basejump_common.contracts.common import PageRequest
from basejump_common.contracts.operation import Operation
from basejump_common.errors import NotFound
from basejump_common.security.principal import Role


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
    """A declared key, column by column."""

    columns: tuple[str, ...]
    references_schema: str
    references_table: str
    references_columns: tuple[str, ...]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """An indexed table or view. `row_estimate` is the planner's, None when it has none."""

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
