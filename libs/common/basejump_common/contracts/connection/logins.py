"""Connections: the logins to a database, each with its own password, and its own values of templated schemas."""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from basejump_common.contracts.common import Done, PageRequest, Text
from basejump_common.contracts.connection.databases import (
    CONNECT_ERRORS,
    Schema,
    SchemaMap,
    SchemaMaps,
    Schemas,
    Username,
)
from basejump_common.contracts.operation import EventType, Operation
from basejump_common.errors import Conflict, FieldError, InvalidInput, NotFound
from basejump_common.security.principal import Role
from basejump_common.security.secret import Secret


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """A login to a database, without its password. `schemas` and `schema_maps` null: as the database has them."""

    conn_uuid: UUID
    db_uuid: UUID
    username: str
    data_source_desc: str
    schemas: tuple[Schema, ...] | None = None
    schema_maps: tuple[SchemaMap, ...] | None = None
    warnings: tuple[str, ...]
    created_at: datetime


class CreateConnection(msgspec.Struct, frozen=True, kw_only=True):
    """One more login to a database; what it sees is indexed.

    `schemas` are some of the database's, by the same `schema_nm`, with this login's `jinja_values`; the login reads
    those alone. Null: all that the database has, with the database's own values.
    """

    db_uuid: UUID
    username: Username
    password: Secret
    data_source_desc: Text = ""
    schemas: Schemas | None = None
    schema_maps: SchemaMaps | None = None
    accept_risky_role: bool = False


class CreatedConnection(msgspec.Struct, frozen=True, kw_only=True):
    """The name of what was created; `warnings` says what the login may do beyond SELECT."""

    conn_uuid: UUID
    db_uuid: UUID
    warnings: tuple[str, ...] = ()


class UpdateConnection(msgspec.Struct, frozen=True, kw_only=True):
    """What is given is changed. A changed login is tried at once, and indexed again.

    `schemas` and `schema_maps` as in CreateConnection: null is what the database has.
    """

    conn_uuid: UUID
    username: Username | None = None
    password: Secret | None = None
    data_source_desc: Text | None = None
    schemas: Schemas | UnsetType | None = UNSET
    schema_maps: SchemaMaps | UnsetType | None = UNSET
    accept_risky_role: bool = False


class ImportConnections(msgspec.Struct, frozen=True, kw_only=True):
    """Many logins to a database at once: the body is CSV (`text/csv`), or JSON with the same text as `csv`.

    The first line names the columns: `username`, `password`, `data_source_desc`, `schemas` (names, separated by `;`),
    and one for each value of the database's templated schemas, such as `region`. At most 500 rows, 400,000 characters.
    """

    db_uuid: UUID
    csv: Secret
    accept_risky_role: bool = False


class ImportedConnection(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a row (the first after the header is 1): a `conn_uuid`, or a `code` and what is wrong."""

    row: int
    username: str
    conn_uuid: UUID | None = None
    warnings: tuple[str, ...] = ()
    code: str | None = None
    errors: tuple[FieldError, ...] = ()


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """Every row, in order. Those that are right are kept whatever is wrong with others."""

    data: tuple[ImportedConnection, ...]
    created: int
    failed: int


class ByConnection(msgspec.Struct, frozen=True, kw_only=True):
    """Names a connection."""

    conn_uuid: UUID


class DatabaseConnectionsRequest(PageRequest, frozen=True, kw_only=True):
    """The connections of one database."""

    db_uuid: UUID


class ConnectionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first."""

    data: tuple[Connection, ...]
    next_cursor: str | None = None


class ConnectionChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A connection was created, changed or deleted."""

    conn_uuid: UUID
    db_uuid: UUID


CONNECTION_CREATED = EventType("connection", "created", ConnectionChanged, publisher="connection-indexer")
CONNECTION_UPDATED = EventType("connection", "updated", ConnectionChanged, publisher="connection-indexer")
CONNECTION_DELETED = EventType(
    "connection", "deleted", ConnectionChanged, publisher="connection-indexer", consumers=("chat-agent",)
)


CREATE_CONNECTION = Operation(
    "basejump.v1.connection.connection.create",
    takes=CreateConnection,
    gives=CreatedConnection,
    allow=Role.ADMIN,
    errors=(NotFound, Conflict, *CONNECT_ERRORS),
    timeout=30.0,
)
IMPORT_CONNECTIONS = Operation(
    "basejump.v1.connection.connection.import",
    takes=ImportConnections,
    gives=ImportReport,
    allow=Role.ADMIN,
    errors=(InvalidInput, NotFound, Conflict),
    timeout=60.0,
)
LIST_CONNECTIONS = Operation(
    "basejump.v1.connection.connection.list",
    takes=DatabaseConnectionsRequest,
    gives=ConnectionPage,
    allow=Role.ADMIN,
    errors=(NotFound,),
)
GET_CONNECTION = Operation(
    "basejump.v1.connection.connection.get",
    takes=ByConnection,
    gives=Connection,
    allow=Role.ADMIN,
    errors=(NotFound,),
)
UPDATE_CONNECTION = Operation(
    "basejump.v1.connection.connection.update",
    takes=UpdateConnection,
    gives=Connection,
    allow=Role.ADMIN,
    errors=(NotFound, Conflict, *CONNECT_ERRORS),
    timeout=30.0,
)
DELETE_CONNECTION = Operation(
    "basejump.v1.connection.connection.delete",
    takes=ByConnection,
    gives=Done,
    allow=Role.ADMIN,
    errors=(NotFound, Conflict),
)
