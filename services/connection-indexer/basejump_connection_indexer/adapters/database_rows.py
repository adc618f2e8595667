"""The table `database`. Every function takes the tenant's transaction."""

from datetime import datetime
from uuid import UUID

import msgspec

from basejump_common.contracts.common import PageRequest
from basejump_common.contracts.connection import (
    Database,
    DatabaseFields,
    DatabasePage,
    DatabaseType,
    IndexState,
    IndexStatus,
    Schema,
    SchemaMap,
    SslMode,
)
from basejump_common.storage import pages
from basejump_common.storage.database import Transaction
from basejump_connection_indexer.domain.engine import ENGINES


class DatabaseRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `database`; names as in the contract."""

    client_uuid: UUID
    db_uuid: UUID
    database_type: DatabaseType
    host: str
    port: int
    database_name: str
    database_name_alias: str
    database_desc: str
    ssl_mode: SslMode
    ssl_root_cert: str | None
    query: dict[str, str]
    schemas: tuple[Schema, ...]
    schema_maps: tuple[SchemaMap, ...]
    include_default_schema: bool
    table_filter_string: str | None
    include_views: bool
    include_materialized_views: bool
    include_partitioned_tables: bool
    functions: tuple[str, ...] = ()
    index_status: IndexState = IndexState.QUEUED
    index_progress: float = 0.0
    index_tables: int = 0
    index_error: str | None = None
    index_started_at: datetime | None = None
    index_finished_at: datetime | None = None
    index_version: int = 0
    created_at: datetime | None = None

    @property
    def scanned(self) -> tuple[object, ...]:
        """All that decides what a scan of the database finds."""
        where = self.host, self.port, self.database_name, self.ssl_mode, self.ssl_root_cert, self.query
        what = self.schemas, self.schema_maps, self.include_default_schema, self.table_filter_string
        return *where, *what, self.include_views, self.include_materialized_views, self.include_partitioned_tables

    def as_database(self) -> Database:
        """The contract's struct."""
        return msgspec.convert(self, Database, from_attributes=True)

    def as_status(self) -> IndexStatus:
        """Where indexing stands."""
        return IndexStatus(
            db_uuid=self.db_uuid,
            status=self.index_status,
            progress=round(self.index_progress, 3),  # kept with seven digits
            tables=self.index_tables,
            error=self.index_error,
            started_at=self.index_started_at,
            finished_at=self.index_finished_at,
        )


_COLUMNS = tuple(name for name in DatabaseRow.__struct_fields__ if not name.startswith(("index_", "created_")))
_PLACES = ", ".join(f"${place}" for place in range(1, len(_COLUMNS) + 1))
_INSERT = f"insert into database ({', '.join(_COLUMNS)}) values ({_PLACES})"  # noqa: S608 - names of our own fields
_CHANGEABLE = tuple(name for name in _COLUMNS if name not in ("client_uuid", "db_uuid", "database_type"))
_SET = ", ".join(f"{name} = ${place}" for place, name in enumerate(_CHANGEABLE, start=2))
_UPDATE = f"update database set {_SET} where db_uuid = $1"  # noqa: S608 - names of our own fields


def new_row(client_uuid: UUID, db_uuid: UUID, fields: DatabaseFields, alias: str) -> DatabaseRow:
    """The row of a database that is being added."""
    given = {name: getattr(fields, name) for name in _COLUMNS if name not in ("client_uuid", "db_uuid")}
    given |= {"port": fields.port or ENGINES[fields.database_type].default_port, "database_name_alias": alias}
    return DatabaseRow(client_uuid=client_uuid, db_uuid=db_uuid, **given)


async def insert(tx: Transaction, row: DatabaseRow) -> None:
    """Raises asyncpg.UniqueViolationError when the alias is taken."""
    await tx.execute(_INSERT, *(getattr(row, name) for name in _COLUMNS))


async def update(tx: Transaction, row: DatabaseRow) -> None:
    """Write what may be changed. Raises asyncpg.UniqueViolationError when the alias is taken."""
    await tx.execute(_UPDATE, row.db_uuid, *(getattr(row, name) for name in _CHANGEABLE))


async def delete(tx: Transaction, db_uuid: UUID) -> None:
    """The database with its connections, grants and index."""
    await tx.execute("delete from database where db_uuid = $1", db_uuid)


async def find(tx: Transaction, db_uuid: UUID, *, lock: bool = False) -> DatabaseRow | None:
    """One database; locked, it stays as it is until the transaction ends."""
    locking = "for update" if lock else ""
    return await tx.row(DatabaseRow, f"select * from database where db_uuid = $1 {locking}", db_uuid)  # noqa: S608 - two constants


async def aliases(tx: Transaction) -> set[str]:
    """All that the client has given its databases."""
    return {row[0] for row in await tx.fetch("select database_name_alias from database")}


async def page(tx: Transaction, request: PageRequest) -> DatabasePage:
    """Newest first."""
    rows = await tx.rows(
        DatabaseRow,
        """
        select * from database where (created_at, db_uuid) < ($1, $2)
        order by created_at desc, db_uuid desc limit $3
        """,
        *pages.position(request.cursor, newest_first=True),
        pages.rows_to_ask(request.limit),
    )
    databases = [row.as_database() for row in rows]
    data, next_cursor = pages.page(databases, request.limit, lambda found: (found.created_at, found.db_uuid))
    return DatabasePage(data=data, next_cursor=next_cursor)


async def set_index_state(tx: Transaction, status: IndexStatus) -> None:
    """What index-status answers."""
    await tx.execute(
        """
        update database set index_status = $2, index_progress = $3, index_tables = $4, index_error = $5,
            index_started_at = coalesce($6, index_started_at), index_finished_at = $7
        where db_uuid = $1
        """,
        status.db_uuid,
        status.status,
        status.progress,
        status.tables,
        status.error,
        status.started_at,
        status.finished_at,
    )


async def outdate(tx: Transaction, db_uuid: UUID) -> None:
    """What was prepared of an index is not used once more; without an index there is nothing."""
    await tx.execute(
        "update database set index_version = index_version + 1 where db_uuid = $1 and index_version > 0", db_uuid
    )


async def set_index_error(tx: Transaction, db_uuid: UUID, error: str) -> None:
    """Why the last look at the database failed; its index stays as it is."""
    await tx.execute("update database set index_error = $2 where db_uuid = $1", db_uuid, error)


async def next_index_version(tx: Transaction, db_uuid: UUID) -> None:
    """The catalog has changed: prepared ones are out of date."""
    await tx.execute("update database set index_version = index_version + 1 where db_uuid = $1", db_uuid)
