"""Drift: what in a customer's database is otherwise than the index had it, and who says so."""

from enum import StrEnum
from uuid import UUID

import msgspec

from basejump_common.contracts.operation import EventType

MOST_TABLES = 50
MOST_COLUMNS = 50
"""So many tables, and columns of each, are told in one event."""


class Drift(StrEnum):
    """What became of a table."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class ColumnDrift(msgspec.Struct, frozen=True, kw_only=True):
    """A column's type before and after; none before: it was added; none after: it was removed."""

    column_name: str
    before: str | None = None
    after: str | None = None


class TableDrift(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a table; of a changed one, its columns that are otherwise, and whether its keys are."""

    schema_name: str
    table_name: str
    drift: Drift
    columns: tuple[ColumnDrift, ...] = ()
    keys_changed: bool = False


class SchemaDrifted(msgspec.Struct, frozen=True, kw_only=True):
    """The index was brought up to date with a database that had changed. `more`: there is more than is told here."""

    db_uuid: UUID
    tables: tuple[TableDrift, ...]
    more: bool = False


class SchemaChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever changes a database's schema says so: it is looked at now instead of on schedule."""

    db_uuid: UUID


SCHEMA_DRIFTED = EventType(
    "schema", "drifted", SchemaDrifted, publisher="connection-indexer", consumers=("chat-agent",)
)
SCHEMA_CHANGED = EventType(
    "schema", "changed", SchemaChanged, publisher="external", consumers=("connection-indexer",), external=True
)
