"""Customers' databases, the logins to them, and how far indexing is."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from basejump_common.contracts.common import Choice, Done, Name, PageRequest, Text
from basejump_common.contracts.erasing import erase_client
from basejump_common.contracts.operation import EventType, Operation
from basejump_common.errors import (
    Conflict,
    DatabaseMissing,
    DatabaseUnreachable,
    HostForbidden,
    InvalidInput,
    LoginRefused,
    NotFound,
    SchemaMissing,
    TlsRefused,
)
from basejump_common.security.principal import Role
from basejump_common.security.secret import Secret

SchemaName = Annotated[str, Meta(min_length=1, max_length=63)]
FunctionName = Annotated[
    str, Meta(max_length=127, pattern=r"^[A-Za-z_][A-Za-z0-9_$]{0,62}(\.[A-Za-z_][A-Za-z0-9_$]{0,62})?$")
]
Functions = Annotated[tuple[FunctionName, ...], Meta(max_length=200)]
"""Functions that queries may call although Basejump doesn't know them as pure: `name` in an indexed schema, or
`schema.name`. They run read-only like everything else."""

CONNECT_ERRORS = (
    InvalidInput,
    HostForbidden,
    DatabaseUnreachable,
    TlsRefused,
    LoginRefused,
    DatabaseMissing,
    SchemaMissing,
)
"""What trying a login raises."""


class DatabaseType(Choice):
    """Engines a customer's database can be; `mysql` and `mariadb` are one, the server says which it is."""

    POSTGRES = "postgres"
    MYSQL = "mysql"
    MARIADB = "mariadb"

    @classmethod
    def why_not(cls, value: object, /) -> str:
        return f"{value} is not served, for want of a tested connector" if value in _EXPECTED else ""


_EXPECTED = ("redshift", "sql_server", "snowflake", "athena")
"""Engines of v1 whose connector nobody has seen run: docs/connections.md says why."""


class SslMode(StrEnum):
    """libpq's words; less than `require` is not offered."""

    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """A schema to index; a templated name such as `hr{{region}}` takes its values from `jinja_values`.

    The index, questions and proposed statements call that one `hr_region`; what runs names the schema that is meant.
    """

    schema_nm: Annotated[str, Meta(min_length=1, max_length=200)]
    jinja_values: dict[str, str] = {}


class SchemaMap(msgspec.Struct, frozen=True, kw_only=True):
    """A schema of the index, `old_schema`, that the login knows under another name, `new_schema`."""

    old_schema: SchemaName
    new_schema: SchemaName


Host = Annotated[str, Meta(min_length=1, max_length=255)]
Port = Annotated[int, Meta(ge=1, le=65_535)]
Certificate = Annotated[str, Meta(max_length=100_000)]
Schemas = Annotated[tuple[Schema, ...], Meta(max_length=200)]
SchemaMaps = Annotated[tuple[SchemaMap, ...], Meta(max_length=200)]
Username = Annotated[str, Meta(min_length=1, max_length=200)]
Filter = Annotated[str, Meta(min_length=1, max_length=200)]


class DatabaseFields(msgspec.Struct, frozen=True, kw_only=True):
    """Where a customer's database is, how to log in, and what of it to index."""

    database_type: DatabaseType
    host: Host
    port: Port | None = None
    database_name: SchemaName
    database_name_alias: Name | None = None
    username: Username
    password: Secret
    query: dict[str, str] = {}
    ssl_mode: SslMode = SslMode.REQUIRE
    ssl_root_cert: Certificate | None = None
    ssl: bool = True
    database_desc: Text = ""
    data_source_desc: Text = ""
    include_default_schema: bool = False
    schemas: Schemas = ()
    schema_maps: SchemaMaps = ()
    table_filter_string: Filter | None = None
    include_views: bool = True
    include_materialized_views: bool = True
    include_partitioned_tables: bool = True
    functions: Functions = ()
    accept_risky_role: bool = False


class CreateDatabase(DatabaseFields, frozen=True, kw_only=True):
    """A database with its first connection; indexing begins."""


class UpdateDatabase(msgspec.Struct, frozen=True, kw_only=True):
    """What is given is changed; then the database is scanned again and what changed is indexed again.

    A login that can do more than SELECT, and more than was accepted before, needs `accept_risky_role` again. Another
    `host` or `port` needs the `password` of the login again, which would be sent there. `username`, `password` and
    `data_source_desc` are the connection's: where a database has several, each is changed by itself. `null` takes
    `table_filter_string` and `ssl_root_cert` away; elsewhere it changes nothing.
    """

    db_uuid: UUID
    host: Host | None = None
    port: Port | None = None
    database_name: SchemaName | None = None
    username: Username | None = None
    password: Secret | None = None
    data_source_desc: Text | None = None
    ssl: bool = True
    query: dict[str, str] | None = None
    ssl_mode: SslMode | None = None
    ssl_root_cert: Certificate | UnsetType | None = UNSET
    database_name_alias: Name | None = None
    database_desc: Text | None = None
    schemas: Schemas | None = None
    include_default_schema: bool | None = None
    schema_maps: SchemaMaps | None = None
    table_filter_string: Filter | UnsetType | None = UNSET
    include_views: bool | None = None
    include_materialized_views: bool | None = None
    include_partitioned_tables: bool | None = None
    functions: Functions | None = None
    accept_risky_role: bool = False


class CreatedDatabase(msgspec.Struct, frozen=True, kw_only=True):
    """The names of what was created; `warnings` says what the login may do beyond SELECT."""

    conn_uuid: UUID
    db_uuid: UUID
    database_name_alias: str
    warnings: tuple[str, ...] = ()


class TriedDatabase(msgspec.Struct, frozen=True, kw_only=True):
    """A database that can be added as it was described. `tables`: how many would be indexed. `warnings`: what the login
    may do beyond SELECT, and which schemas are empty to it."""

    ok: bool = True
    tables: int
    warnings: tuple[str, ...] = ()


class IndexState(StrEnum):
    """Where indexing stands."""

    QUEUED = "queued"
    STARTED = "started"
    FINISHED = "finished"
    STOPPED = "stopped"
    SCHEDULED = "scheduled"
    CANCELED = "canceled"
    FAILED = "failed"


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's database, without any credential."""

    db_uuid: UUID
    database_type: DatabaseType
    host: str
    port: int
    database_name: str
    database_name_alias: str
    database_desc: str
    ssl_mode: SslMode
    query: dict[str, str] = {}
    schemas: tuple[Schema, ...]
    schema_maps: tuple[SchemaMap, ...] = ()
    include_default_schema: bool
    table_filter_string: str | None
    include_views: bool
    include_materialized_views: bool
    include_partitioned_tables: bool
    functions: tuple[str, ...] = ()
    index_status: IndexState
    created_at: datetime


class ByDatabase(msgspec.Struct, frozen=True, kw_only=True):
    """Names a database."""

    db_uuid: UUID


class DatabasePage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first."""

    data: tuple[Database, ...]
    next_cursor: str | None = None


class IndexStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`progress` is 0 to 1; `tables` counts what is indexed so far; `error` says why it failed, or
    which logins could not be read and are as they were."""

    db_uuid: UUID
    status: IndexState
    progress: float
    tables: int
    error: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class DatabaseIndexed(msgspec.Struct, frozen=True, kw_only=True):
    """A database's index is up to date."""

    db_uuid: UUID
    tables: int
    changed: int


class DatabaseIndexFailed(msgspec.Struct, frozen=True, kw_only=True):
    """Indexing gave up."""

    db_uuid: UUID
    error: str


DATABASE_INDEXED = EventType(
    "database", "indexed", DatabaseIndexed, publisher="connection-indexer", consumers=("chat-agent",)
)
DATABASE_INDEX_FAILED = EventType(
    "database", "index-failed", DatabaseIndexFailed, publisher="connection-indexer", consumers=("chat-agent",)
)
CREATE_DATABASE = Operation(
    "basejump.v1.connection.database.create",
    takes=CreateDatabase,
    gives=CreatedDatabase,
    allow=Role.ADMIN,
    errors=(Conflict, *CONNECT_ERRORS),
    timeout=30.0,
)
TEST_DATABASE = Operation(
    "basejump.v1.connection.database.test",
    takes=DatabaseFields,
    gives=TriedDatabase,
    allow=Role.ADMIN,
    errors=CONNECT_ERRORS,
    timeout=30.0,
)
LIST_DATABASES = Operation(
    "basejump.v1.connection.database.list", takes=PageRequest, gives=DatabasePage, allow=Role.ADMIN
)
GET_DATABASE = Operation(
    "basejump.v1.connection.database.get",
    takes=ByDatabase,
    gives=Database,
    allow=Role.ADMIN,
    errors=(NotFound,),
)
UPDATE_DATABASE = Operation(
    "basejump.v1.connection.database.update",
    takes=UpdateDatabase,
    gives=Database,
    allow=Role.ADMIN,
    errors=(NotFound, Conflict, *CONNECT_ERRORS),
    timeout=30.0,
)
DELETE_DATABASE = Operation(
    "basejump.v1.connection.database.delete",
    takes=ByDatabase,
    gives=Done,
    allow=Role.ADMIN,
    errors=(NotFound, Conflict),
)
INDEX_STATUS = Operation(
    "basejump.v1.connection.database.index-status",
    takes=ByDatabase,
    gives=IndexStatus,
    allow=Role.MEMBER,
    errors=(NotFound,),
)
ERASE_CLIENT = erase_client("connection")
