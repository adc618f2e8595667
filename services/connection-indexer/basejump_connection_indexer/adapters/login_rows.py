"""The table `connection`. Every function takes the tenant's transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from basejump_common.contracts.common import PageRequest
from basejump_common.contracts.connection import Connection, ConnectionPage, Schema, SchemaMap
from basejump_common.storage import pages
from basejump_common.storage.database import Transaction


class ConnectionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `connection`; the password is sealed. No schemas, no maps: as the database has them."""

    conn_uuid: UUID
    db_uuid: UUID
    username: str
    password: bytes
    data_source_desc: str
    warnings: tuple[str, ...]
    schemas: tuple[Schema, ...] | None = None
    schema_maps: tuple[SchemaMap, ...] | None = None
    created_at: datetime | None = None

    def as_connection(self) -> Connection:
        """The contract's struct."""
        return msgspec.convert(self, Connection, from_attributes=True)


async def insert(tx: Transaction, client_uuid: UUID, row: ConnectionRow) -> None:
    """Add a login to a database."""
    await tx.execute(
        """
        insert into connection (client_uuid, db_uuid, conn_uuid, username, password, data_source_desc, warnings,
            schemas, schema_maps)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        client_uuid,
        row.db_uuid,
        *_changeable(row),
    )


async def update(tx: Transaction, row: ConnectionRow) -> None:
    """Write all that may change."""
    await tx.execute(
        """
        update connection set username = $2, password = $3, data_source_desc = $4, warnings = $5, schemas = $6,
            schema_maps = $7
        where conn_uuid = $1
        """,
        *_changeable(row),
    )


async def set_warnings(tx: Transaction, conn_uuid: UUID, warnings: Sequence[str]) -> None:
    """What a login may do beyond SELECT, as it was found last."""
    await tx.execute("update connection set warnings = $2 where conn_uuid = $1", conn_uuid, list(warnings))


async def delete(tx: Transaction, conn_uuid: UUID) -> None:
    """The login with its grants and what it saw."""
    await tx.execute("delete from connection where conn_uuid = $1", conn_uuid)


async def find(tx: Transaction, conn_uuid: UUID) -> ConnectionRow | None:
    """One login."""
    return await tx.row(ConnectionRow, "select * from connection where conn_uuid = $1", conn_uuid)


async def of_database(tx: Transaction, db_uuid: UUID) -> list[ConnectionRow]:
    """Every login to a database, oldest first."""
    return await tx.rows(
        ConnectionRow, "select * from connection where db_uuid = $1 order by created_at, conn_uuid", db_uuid
    )


async def page(tx: Transaction, db_uuid: UUID, request: PageRequest) -> ConnectionPage:
    """Newest first."""
    rows = await tx.rows(
        Connection,
        """
        select * from connection where db_uuid = $1 and (created_at, conn_uuid) < ($2, $3)
        order by created_at desc, conn_uuid desc limit $4
        """,
        db_uuid,
        *pages.position(request.cursor, newest_first=True),
        pages.rows_to_ask(request.limit),
    )
    data, next_cursor = pages.page(rows, request.limit, lambda found: (found.created_at, found.conn_uuid))
    return ConnectionPage(data=data, next_cursor=next_cursor)


def _changeable(row: ConnectionRow) -> tuple[object, ...]:
    return (
        row.conn_uuid,
        row.username,
        row.password,
        row.data_source_desc,
        row.warnings,
        row.schemas,
        row.schema_maps,
    )
