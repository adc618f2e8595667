"""What a statement rests on, told by fingerprints: its tables as the index has them, and who reads what of them."""

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from basejump_common.contracts.connection import Ground
from basejump_connection_indexer.domain.definition import IndexedTable
from basejump_connection_indexer.domain.target import Target

_encoder = msgspec.json.Encoder()


def ground(conn_uuid: UUID, target: Target, tables: Sequence[tuple[str, IndexedTable]]) -> Ground:
    """Of a statement over these tables, each with the name that the database has for its schema. What people write
    about them, and how many rows they have, changes nothing."""
    return Ground(
        schema=_fingerprint(sorted(_definition(table) for _, table in tables)),
        permissions=_fingerprint(
            [
                [conn_uuid, target.host, target.port, target.database, target.username],
                sorted([physical, table.definition.name, *_permitted(table)] for physical, table in tables),
            ]
        ),
    )


def _definition(table: IndexedTable) -> list[Any]:
    definition = table.definition
    columns = sorted([column.name, column.type] for column in definition.columns)
    return [definition.schema, definition.name, definition.kind, columns, definition.primary_key]


def _permitted(table: IndexedTable) -> list[str]:
    return sorted(column.name for column in table.permitted().columns)


def _fingerprint(shape: Any) -> str:
    return hashlib.blake2b(_encoder.encode(shape), digest_size=16).hexdigest()
