"""What the index keeps of a table: its definition, a fingerprint that tells whether it changed, and its names.

`gc=False`: these structs can't form cycles, and catalogs of many tables would keep the garbage collector busy.
"""

import hashlib
import math
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from basejump_common.contracts.connection import Column, ForeignKey, Table

_encoder = msgspec.json.Encoder()


class ColumnDefinition(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`is_text`: its values can be looked for by the words of a question."""

    name: str
    type: str
    is_text: bool = False
    comment: str = ""


class KeyDefinition(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A foreign key to another indexed table."""

    columns: tuple[str, ...]
    schema: str
    table: str
    references: tuple[str, ...]

    def in_schemas(self, names: Mapping[str, str]) -> "KeyDefinition":
        """With another name of the schema, where `names` has it."""
        return msgspec.structs.replace(self, schema=names.get(self.schema, self.schema))


class TableDefinition(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`rows` is the planner's estimate, to its order of magnitude only part of the fingerprint."""

    schema: str
    name: str
    kind: str
    columns: tuple[ColumnDefinition, ...]
    comment: str = ""
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[KeyDefinition, ...] = ()
    rows: int | None = None

    def fingerprint(self) -> bytes:
        """Equal for equal definitions, whichever process asks."""
        magnitude = -1 if self.rows is None else round(math.log2(self.rows + 1))
        shape = (self.kind, self.columns, self.comment, self.primary_key, self.foreign_keys, magnitude)
        return hashlib.blake2b(_encoder.encode(shape), digest_size=16).digest()

    def in_schemas(self, names: Mapping[str, str]) -> "TableDefinition":
        """With other names of schemas, where `names` has them."""
        keys = tuple(key.in_schemas(names) for key in self.foreign_keys)
        return msgspec.structs.replace(self, schema=names.get(self.schema, self.schema), foreign_keys=keys)


class KeptOnce:
    """Equal columns, and equal names, are one object in all tables that went through here: of the 200,000 columns of
    a catalog of 10,000 tables, most are in other tables too."""

    def __init__(self) -> None:
        self._columns: dict[ColumnDefinition, ColumnDefinition] = {}
        self._names: dict[str, str] = {}

    def table(self, table: "IndexedTable") -> "IndexedTable":
        """An equal table."""
        columns = tuple(self._columns.get(column) or self._first(column) for column in table.definition.columns)
        return msgspec.structs.replace(table, definition=msgspec.structs.replace(table.definition, columns=columns))

    def _first(self, column: ColumnDefinition) -> ColumnDefinition:
        name, kind = (self._names.setdefault(text, text) for text in (column.name, column.type))
        kept = self._columns[column] = msgspec.structs.replace(column, name=name, type=kind)
        return kept


class SeenTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table as one login sees it; `columns` are the only ones it may read, None: all of them."""

    definition: TableDefinition
    visible: tuple[str, ...] | None = None


class ColumnNotes(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What an admin wrote about a column; it counts more than what the database says.

    `search_values`: its values may be looked up in the database and offered to people.
    """

    description: str | None = None
    ignore: bool = False
    distinct_values: tuple[str, ...] = ()
    search_values: bool = True
    quoted: bool | None = None


_NO_NOTES = ColumnNotes()


class TableNotes(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What an admin wrote about a table; indexing never touches it."""

    context: str | None = None
    ignore: bool = False
    primary_key: tuple[str, ...] | None = None
    foreign_keys: tuple[KeyDefinition, ...] = ()
    columns: dict[str, ColumnNotes] = {}

    def of_column(self, name: str) -> ColumnNotes:
        """Those of a column that nothing was written about are empty."""
        return self.columns.get(name, _NO_NOTES)


class IndexedTable(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A table of the index; `visible` as in SeenTable, None where no connection is asked about."""

    tbl_uuid: UUID
    definition: TableDefinition
    notes: TableNotes
    visible: frozenset[str] | None = None
    changed_by: UUID | None = None
    changed_at: datetime | None = None

    @property
    def columns(self) -> tuple[ColumnDefinition, ...]:
        """The columns that are visible."""
        if self.visible is None:
            return self.definition.columns
        return tuple(column for column in self.definition.columns if column.name in self.visible)

    @property
    def foreign_keys(self) -> tuple[KeyDefinition, ...]:
        """The declared keys, then those that an admin wrote; all whose columns are visible."""
        declared, written = self.definition.foreign_keys, self.notes.foreign_keys
        if self.visible is None and not written:
            return declared
        names = {column.name for column in self.columns}
        return tuple(key for key in dict.fromkeys((*declared, *written)) if names.issuperset(key.columns))

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Columns that together are unique, the admin's word before the database's; none unless all are visible."""
        key = self.definition.primary_key if self.notes.primary_key is None else self.notes.primary_key
        return key if {column.name for column in self.columns}.issuperset(key) else ()

    @property
    def text(self) -> str:
        """What the table is about: the admin's words before the database's."""
        return self.definition.comment if self.notes.context is None else self.notes.context

    def in_schemas(self, names: Mapping[str, str]) -> "IndexedTable":
        """With other names of schemas, where `names` has them."""
        keys = tuple(key.in_schemas(names) for key in self.notes.foreign_keys)
        notes = msgspec.structs.replace(self.notes, foreign_keys=keys)
        return msgspec.structs.replace(self, definition=self.definition.in_schemas(names), notes=notes)

    def permitted(self) -> "IndexedTable":
        """Without the columns that are ignored."""
        names = frozenset(c.name for c in self.columns if not self.notes.of_column(c.name).ignore)
        return msgspec.structs.replace(self, visible=names)

    def as_table(self, db_uuid: UUID, *, folds_names: bool) -> Table:
        """The contract's struct; `folds_names` as in Engine."""
        definition = self.definition
        key, foreign = self.primary_key, self.foreign_keys
        return Table(
            tbl_uuid=self.tbl_uuid,
            db_uuid=db_uuid,
            schema_name=definition.schema,
            table_name=definition.name,
            table_type=definition.kind,
            context=self.text,
            ignore=self.notes.ignore,
            row_estimate=definition.rows,
            primary_keys=key,
            foreign_keys=tuple(map(as_foreign_key, foreign)),
            columns=tuple(self._column(c, key, foreign, folds_names=folds_names) for c in self.columns),
            changed_by=self.changed_by,
            changed_at=self.changed_at,
        )

    def _column(
        self, column: ColumnDefinition, key: tuple[str, ...], foreign: tuple[KeyDefinition, ...], *, folds_names: bool
    ) -> Column:
        notes = self.notes.of_column(column.name)
        target = next((one for one in foreign if column.name in one.columns), None)
        return Column(
            col_uuid=column_uuid(self.tbl_uuid, column.name),
            column_name=column.name,
            column_type=column.type,
            description=column.comment if notes.description is None else notes.description,
            primary_key=column.name in key,
            foreign_key_table_name=target.table if target else None,
            foreign_key_column_name=target.references[target.columns.index(column.name)] if target else None,
            distinct_values=notes.distinct_values,
            ignore=notes.ignore,
            search_values=notes.search_values,
            quoted=needs_quotes(column.name, folds=folds_names) if notes.quoted is None else notes.quoted,
        )


def column_uuid(tbl_uuid: UUID, name: str) -> UUID:
    """A column's name that lasts as long as the table has a column so called: RFC 9562's version 8, from a hash."""
    digest = hashlib.blake2b(tbl_uuid.bytes + name.encode(), digest_size=16).digest()
    number = int.from_bytes(digest) & ~(0xF << 76) & ~(0x3 << 62)
    return UUID(int=number | (8 << 76) | (2 << 62))


def needs_quotes(name: str, *, folds: bool) -> bool:
    """Whether the database would misread the bare name, or fold it to lower case."""
    return not (name.isascii() and name.isidentifier() and (not folds or name == name.lower()))


def as_foreign_key(key: KeyDefinition) -> ForeignKey:
    """The contract's struct."""
    return ForeignKey(
        columns=key.columns,
        references_schema=key.schema,
        references_table=key.table,
        references_columns=key.references,
    )
