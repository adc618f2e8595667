"""The index of a database is the union of what its connections see, and which of them sees what."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from basejump_connection_indexer.domain.definition import SeenTable, TableDefinition

Name = tuple[str, str]


def union(seen: Mapping[UUID, Sequence[SeenTable]]) -> dict[Name, TableDefinition]:
    """Every table by schema and name, with each column and key that any connection sees."""
    found: dict[Name, TableDefinition] = {}
    for tables in seen.values():
        for table in tables:
            name = (table.definition.schema, table.definition.name)
            known = found.get(name)
            found[name] = table.definition if known is None else _merged(known, table.definition)
    return found


def narrowed(table: SeenTable, whole: TableDefinition) -> list[str] | None:
    """The columns of `whole` that this connection sees; None when it is all of them."""
    names = table.visible or tuple(column.name for column in table.definition.columns)
    return None if len(names) == len(whole.columns) else list(names)


def _merged(one: TableDefinition, other: TableDefinition) -> TableDefinition:
    if one == other:
        return one
    known = {column.name for column in one.columns}
    return msgspec.structs.replace(
        one,
        columns=(*one.columns, *(column for column in other.columns if column.name not in known)),
        foreign_keys=tuple(dict.fromkeys((*one.foreign_keys, *other.foreign_keys))),
        primary_key=one.primary_key or other.primary_key,
    )
