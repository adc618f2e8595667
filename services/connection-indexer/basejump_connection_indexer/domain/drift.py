"""Two definitions of a table compared, as people are told of it."""

from basejump_common.contracts.connection import MOST_COLUMNS, ColumnDrift, Drift, TableDrift
from basejump_connection_indexer.domain.definition import TableDefinition

_LONGEST_TYPE = 200  # an enum's type lists its values


def added(table: TableDefinition) -> TableDrift:
    """It wasn't there before."""
    return TableDrift(schema_name=table.schema, table_name=table.name, drift=Drift.ADDED)


def removed(schema: str, name: str) -> TableDrift:
    """It is there no more."""
    return TableDrift(schema_name=schema, table_name=name, drift=Drift.REMOVED)


def changed(before: TableDefinition, after: TableDefinition) -> TableDrift | None:
    """What is otherwise; None when only comments or the number of rows are."""
    columns = _columns(before, after)
    keys = (before.primary_key, before.foreign_keys) != (after.primary_key, after.foreign_keys)
    if not columns and not keys and before.kind == after.kind:
        return None
    return TableDrift(
        schema_name=after.schema,
        table_name=after.name,
        drift=Drift.CHANGED,
        columns=columns[:MOST_COLUMNS],
        keys_changed=keys,
    )


def _columns(before: TableDefinition, after: TableDefinition) -> tuple[ColumnDrift, ...]:
    old = {column.name: column.type[:_LONGEST_TYPE] for column in before.columns}
    new = {column.name: column.type[:_LONGEST_TYPE] for column in after.columns}
    names = dict.fromkeys((*old, *new))
    return tuple(
        ColumnDrift(column_name=name, before=old.get(name), after=new.get(name))
        for name in names
        if old.get(name) != new.get(name)
    )
