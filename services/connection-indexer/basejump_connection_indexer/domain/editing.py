"""What an admin writes about a table: its notes as they become, or which field is wrong; and what that changed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from basejump_common.contracts.connection import UpdateColumn, UpdateColumns, UpdateTable
from basejump_common.errors import InvalidInput
from basejump_connection_indexer.domain.definition import (
    ColumnNotes,
    IndexedTable,
    KeyDefinition,
    TableDefinition,
    TableNotes,
    as_foreign_key,
    column_uuid,
)

Known = Sequence[TableDefinition]
"""The tables of the database that have one of the names that a request says."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One field as it was and as it becomes; no `column_name`: the table's own."""

    column_name: str | None
    field: str
    before: Any
    after: Any


def tables_named(request: UpdateTable | UpdateColumns) -> set[str]:
    """Every name that a table referred to by the request may have."""
    if isinstance(request, UpdateTable):
        said = [key.references_table for key in request.foreign_keys or ()]
    else:
        said = [column.foreign_key_table_name for column in request.columns if column.foreign_key_table_name]
    return {*said, *(name.partition(".")[2] for name in said)}


def table_notes(table: IndexedTable, request: UpdateTable, known: Known) -> TableNotes:
    """Raises InvalidInput naming the field."""
    changes = _given(request, context=None, ignore=False)
    if request.primary_keys is not UNSET:
        changes["primary_key"] = _columns(table.definition, request.primary_keys, "primary_keys")
    if request.foreign_keys is not UNSET:
        changes["foreign_keys"] = tuple(_written_keys(table, request, known))
    return msgspec.structs.replace(table.notes, **changes)


def column_notes(table: IndexedTable, request: UpdateColumns, known: Known) -> TableNotes:
    """Raises InvalidInput naming the field."""
    named = set[str]()
    for place, column in enumerate(request.columns):
        field = f"columns[{place}]"
        name = _name(table, column, field)
        if name in named:
            raise InvalidInput.field(field, f"{name} is named twice")
        named.add(name)
        table = _with_primary_key(_with_own_notes(table, column, name), column, name)
        table = _with_foreign_key(table, column, name, _target(table, column, known, field))
    return table.notes


def differences(before: TableNotes, after: TableNotes) -> list[Difference]:
    """Field by field, by the names that the API has for them; the table's own first."""
    found = list(_different(None, _own_fields(before), _own_fields(after)))
    for name in sorted(before.columns.keys() | after.columns.keys()):
        old, new = (msgspec.structs.asdict(notes.of_column(name)) for notes in (before, after))
        found += _different(name, old, new)
    return found


def _own_fields(notes: TableNotes) -> dict[str, Any]:
    return {
        "context": notes.context,
        "ignore": notes.ignore,
        "primary_keys": notes.primary_key,
        "foreign_keys": tuple(map(as_foreign_key, notes.foreign_keys)),
    }


def _different(column: str | None, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for field, before in old.items():
        if before != new[field]:
            yield Difference(column_name=column, field=field, before=before, after=new[field])


def _given(request: msgspec.Struct, **defaults: Any) -> dict[str, Any]:
    """What the request says of these fields; null is the default."""
    said = {name: getattr(request, name) for name in defaults}
    return {name: defaults[name] if value is None else value for name, value in said.items() if value is not UNSET}


# -- columns ------------------------------------------------------------------------------------------------------


def _name(table: IndexedTable, column: UpdateColumn, field: str) -> str:
    names = [c.name for c in table.definition.columns]
    by_uuid = {column_uuid(table.tbl_uuid, name): name for name in names}
    if column.col_uuid is not None and column.col_uuid not in by_uuid:
        raise InvalidInput.field(f"{field}.col_uuid", "the table has no such column")
    named = by_uuid[column.col_uuid] if column.col_uuid is not None else column.column_name
    if named is None:
        raise InvalidInput.field(field, "say which column: col_uuid or column_name")
    if column.column_name not in (None, named):
        raise InvalidInput.field(f"{field}.column_name", f"col_uuid is that of {named}")
    return _column(table.definition, named, f"{field}.column_name")


def _with_own_notes(table: IndexedTable, column: UpdateColumn, name: str) -> IndexedTable:
    given = _given(column, **msgspec.structs.asdict(ColumnNotes()))
    if "distinct_values" in given:
        given["distinct_values"] = tuple(dict.fromkeys(given["distinct_values"]))
    notes = msgspec.structs.replace(table.notes.of_column(name), **given)
    others = {other: kept for other, kept in table.notes.columns.items() if other != name}
    return _with(table, columns=others if notes == ColumnNotes() else {**others, name: notes})


def _with_primary_key(table: IndexedTable, column: UpdateColumn, name: str) -> IndexedTable:
    if column.primary_key is UNSET:
        return table
    declared = table.definition.primary_key
    is_in = name in declared if column.primary_key is None else column.primary_key
    key = [other for other in table.primary_key if other != name or is_in]
    if is_in and name not in key:
        key.append(name)
    return _with(table, primary_key=None if set(key) == set(declared) else tuple(key))


def _target(table: IndexedTable, column: UpdateColumn, known: Known, field: str) -> KeyDefinition | None:
    """The key to a column of another table that the request writes, if it does."""
    other, its_column = column.foreign_key_table_name, column.foreign_key_column_name
    missing = (UNSET, None)
    if (other in missing) != (its_column in missing) or (other is UNSET) != (its_column is UNSET):
        raise InvalidInput.field(f"{field}.foreign_key_column_name", "goes together with foreign_key_table_name")
    if not isinstance(other, str) or not isinstance(its_column, str):
        return None
    target = _table(known, other, table.definition.schema, f"{field}.foreign_key_table_name")
    _column(target, its_column, f"{field}.foreign_key_column_name")
    return KeyDefinition((), target.schema, target.name, (its_column,))


def _with_foreign_key(
    table: IndexedTable, column: UpdateColumn, name: str, target: KeyDefinition | None
) -> IndexedTable:
    """A column has one written key at most: what was written before, of several columns too, gives way."""
    if column.foreign_key_table_name is UNSET:
        return table
    others = tuple(key for key in table.notes.foreign_keys if name not in key.columns)
    new = () if target is None else (msgspec.structs.replace(target, columns=(name,)),)
    return _with(table, foreign_keys=(*others, *new))


def _with(table: IndexedTable, **changes: Any) -> IndexedTable:
    return msgspec.structs.replace(table, notes=msgspec.structs.replace(table.notes, **changes))


# -- keys ---------------------------------------------------------------------------------------------------------


def _written_keys(table: IndexedTable, request: UpdateTable, known: Known) -> Iterator[KeyDefinition]:
    declared = set(table.definition.foreign_keys)
    for place, key in enumerate(request.foreign_keys or ()):
        field = f"foreign_keys[{place}]"
        name = f"{key.references_schema}.{key.references_table}" if key.references_schema else key.references_table
        target = _table(known, name, table.definition.schema, f"{field}.references_table")
        columns = _columns(table.definition, key.columns, f"{field}.columns")
        references = _columns(target, key.references_columns, f"{field}.references_columns")
        if columns is None or references is None or len(columns) != len(references):
            raise InvalidInput.field(f"{field}.references_columns", "as many as columns are needed")
        written = KeyDefinition(columns, target.schema, target.name, references)
        if written not in declared:  # a client that sends back what it got writes nothing new
            yield written


def _table(known: Known, name: str, near: str, field: str) -> TableDefinition:
    """The table of that name, one of the schema `near` before others."""
    spelled = [table for table in known if name in (table.name, f"{table.schema}.{table.name}")]
    found = [table for table in spelled if table.schema == near] or spelled
    if not found:
        raise InvalidInput.field(field, f"the database has no table {name}")
    if len(found) > 1:
        raise InvalidInput.field(field, f"several schemas have a table {name}: write schema.table")
    return found[0]


def _columns(table: TableDefinition, names: Iterable[str] | None, field: str) -> tuple[str, ...] | None:
    if names is None:
        return None
    found = tuple(_column(table, name, field) for name in names)
    if len(set(found)) != len(found):
        raise InvalidInput.field(field, "a column is named twice")
    return found


def _column(table: TableDefinition, name: str, field: str) -> str:
    if all(column.name != name for column in table.columns):
        raise InvalidInput.field(field, f"{table.name} has no column {name}")
    return name
