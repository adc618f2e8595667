"""connection: customers' databases, their logins and grants, the index, retrieval, proof and running of SQL."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from basejump_common.contracts.common import Done, Name, PageRequest, Text
from basejump_common.contracts.erasing import erase_client
from basejump_common.contracts.operation import EventType, Operation
from basejump_common.errors import (
    Canceled,
    Conflict,
    DatabaseMissing,
    DatabaseUnreachable,
    EstimateTooHigh,
    Forbidden,
    HostForbidden,
    InvalidInput,
    LoginRefused,
    NotFound,
    NotProved,
    QueryFailed,
    ResultTooLarge,
    SchemaMissing,
    StatementTimeout,
    TlsRefused,
    TooManyStatements,
    Unavailable,
)
from basejump_common.security.principal import Role
from basejump_common.security.secret import Secret

SqlText = Annotated[str, Meta(min_length=1, max_length=100_000)]
SchemaName = Annotated[str, Meta(min_length=1, max_length=63)]
Question = Annotated[str, Meta(min_length=1, max_length=4_000)]

_CONNECT_ERRORS = (
    InvalidInput,
    HostForbidden,
    DatabaseUnreachable,
    TlsRefused,
    LoginRefused,
    DatabaseMissing,
    SchemaMissing,
)

# -- databases and connections ------------------------------------------------------------------------------------


class DatabaseType(StrEnum):
    """Engines a customer's database can be; `mysql` and `mariadb` are one, the server says which it is."""

    POSTGRES = "postgres"
    MYSQL = "mysql"
    MARIADB = "mariadb"


class SslMode(StrEnum):
    """libpq's words; less than `require` is not offered."""

    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """A schema to index; a templated name such as `hr{{region}}` takes its values from `jinja_values`."""

    schema_nm: Annotated[str, Meta(min_length=1, max_length=200)]
    jinja_values: dict[str, str] = {}


class SchemaMap(msgspec.Struct, frozen=True, kw_only=True):
    """A schema that another login knows under another name."""

    old_schema: SchemaName
    new_schema: SchemaName


class DatabaseFields(msgspec.Struct, frozen=True, kw_only=True):
    """Where a customer's database is, how to log in, and what of it to index."""

    database_type: DatabaseType
    host: Annotated[str, Meta(min_length=1, max_length=255)]
    port: Annotated[int, Meta(ge=1, le=65_535)] | None = None
    database_name: SchemaName
    database_name_alias: Name | None = None
    username: Annotated[str, Meta(min_length=1, max_length=200)]
    password: Secret
    query: dict[str, str] = {}
    ssl_mode: SslMode = SslMode.REQUIRE
    ssl_root_cert: Annotated[str, Meta(max_length=100_000)] | None = None
    ssl: bool = True
    database_desc: Text = ""
    data_source_desc: Text = ""
    include_default_schema: bool = False
    schemas: Annotated[tuple[Schema, ...], Meta(max_length=200)] = ()
    schema_maps: Annotated[tuple[SchemaMap, ...], Meta(max_length=200)] = ()
    table_filter_string: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    include_views: bool = True
    include_materialized_views: bool = True
    include_partitioned_tables: bool = True
    accept_risky_role: bool = False


class CreateDatabase(DatabaseFields, frozen=True, kw_only=True):
    """A database with its first connection; indexing begins."""


class UpdateDatabase(msgspec.Struct, frozen=True, kw_only=True):
    """What is given is changed; then the database is scanned again and what changed is indexed again.

    A login that can do more than SELECT, and more than was accepted before, needs `accept_risky_role` again.
    """

    db_uuid: UUID
    database_name_alias: Name | None = None
    database_desc: Text | None = None
    schemas: Annotated[tuple[Schema, ...], Meta(min_length=1, max_length=200)] | None = None
    include_default_schema: bool | None = None
    table_filter_string: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    include_views: bool | None = None
    include_materialized_views: bool | None = None
    include_partitioned_tables: bool | None = None
    accept_risky_role: bool = False


class CreatedDatabase(msgspec.Struct, frozen=True, kw_only=True):
    """The names of what was created; `warnings` says what the login may do beyond SELECT."""

    conn_uuid: UUID
    db_uuid: UUID
    database_name_alias: str
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
    schemas: tuple[Schema, ...]
    include_default_schema: bool
    table_filter_string: str | None
    include_views: bool
    include_materialized_views: bool
    include_partitioned_tables: bool
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
    """`progress` is 0 to 1; `tables` counts what is indexed so far; `error` says why it failed."""

    db_uuid: UUID
    status: IndexState
    progress: float
    tables: int
    error: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """A login to a database, without its password."""

    conn_uuid: UUID
    db_uuid: UUID
    username: str
    data_source_desc: str
    warnings: tuple[str, ...]
    created_at: datetime


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


# -- grants -------------------------------------------------------------------------------------------------------


class GrantTeams(msgspec.Struct, frozen=True, kw_only=True):
    """Teams that may ask over a connection."""

    conn_uuid: UUID
    team_uuids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=200)]


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A team's right to ask over a connection."""

    conn_uuid: UUID
    team_uuid: UUID
    granted_at: datetime


class GrantList(msgspec.Struct, frozen=True, kw_only=True):
    """Oldest first."""

    data: tuple[Grant, ...]
    next_cursor: str | None = None


class ByGrant(msgspec.Struct, frozen=True, kw_only=True):
    """Names a grant."""

    conn_uuid: UUID
    team_uuid: UUID


class CheckGrants(msgspec.Struct, frozen=True, kw_only=True):
    """Under which of these may the caller read now what ran under them?"""

    data: Annotated[tuple[ByGrant, ...], Meta(max_length=200)]


class HeldGrants(msgspec.Struct, frozen=True, kw_only=True):
    """Those whose team still has the connection and the caller is in the team; an ADMIN, who grants, needs no grant."""

    data: tuple[ByGrant, ...]


class TeamConnectionsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What may this team query?"""

    team_uuid: UUID


# -- the index ----------------------------------------------------------------------------------------------------


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of an indexed table; `column_type` as the database spells it."""

    col_uuid: UUID
    column_name: str
    column_type: str
    description: str = ""
    primary_key: bool = False
    foreign_key_table_name: str | None = None
    foreign_key_column_name: str | None = None
    distinct_values: tuple[str, ...] = ()
    ignore: bool = False
    quoted: bool = False


class ForeignKey(msgspec.Struct, frozen=True, kw_only=True):
    """A declared key, column by column."""

    columns: tuple[str, ...]
    references_schema: str
    references_table: str
    references_columns: tuple[str, ...]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """An indexed table or view. `row_estimate` is the planner's, None when it has none."""

    tbl_uuid: UUID
    db_uuid: UUID
    schema_name: str
    table_name: str
    table_type: str
    context: str = ""
    ignore: bool = False
    row_estimate: int | None = None
    primary_keys: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    columns: tuple[Column, ...] = ()


class ByTable(msgspec.Struct, frozen=True, kw_only=True):
    """Names a table."""

    tbl_uuid: UUID


class DatabaseTablesRequest(PageRequest, frozen=True, kw_only=True):
    """The tables of one database."""

    db_uuid: UUID


class TablePage(msgspec.Struct, frozen=True, kw_only=True):
    """By schema and name."""

    data: tuple[Table, ...]
    next_cursor: str | None = None


# -- retrieval, proof, values and running: for chat-agent ---------------------------------------------------------


class Retrieve(msgspec.Struct, frozen=True, kw_only=True):
    """The tables a question is about, over the best connection among those granted to the team.

    `db_uuid`: only connections to this database, because the person has chosen it; then nothing is `tied`.
    """

    team_uuid: UUID
    question: Question
    db_uuid: UUID | None = None
    limit: Annotated[int, Meta(ge=1, le=50)] = 12


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A database that fits as well as the best one."""

    db_uuid: UUID
    database_name_alias: str
    score: float


class Retrieved(msgspec.Struct, frozen=True, kw_only=True):
    """Tables best first, whole, over one connection; no `conn_uuid`: nothing is granted, or nothing is indexed yet.

    `tied` are other databases that fit equally well; `waiting_for` granted databases whose first index is not
    finished; `failed` says, a line each, why a granted database has no index.
    """

    conn_uuid: UUID | None = None
    db_uuid: UUID | None = None
    database_name_alias: str | None = None
    dialect: str = "postgres"
    tables: tuple[Table, ...] = ()
    tied: tuple[Candidate, ...] = ()
    waiting_for: tuple[UUID, ...] = ()
    failed: tuple[str, ...] = ()


class FindValues(msgspec.Struct, frozen=True, kw_only=True):
    """Are these phrases values of text columns of these tables? Looked up in the customer's database, kept nowhere."""

    conn_uuid: UUID
    team_uuid: UUID
    tbl_uuids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=50)]
    phrases: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...], Meta(max_length=50)]


class FoundValue(msgspec.Struct, frozen=True, kw_only=True):
    """`value` is the stored spelling of `phrase`."""

    phrase: str
    schema_name: str
    table_name: str
    column_name: str
    value: str


class FoundValues(msgspec.Struct, frozen=True, kw_only=True):
    """`complete` is False when time ran out before every column was asked."""

    data: tuple[FoundValue, ...]
    complete: bool = True


class ProofPart(msgspec.Struct, frozen=True, kw_only=True):
    """One table, column, join, filter or function: proved or not, and why."""

    name: str
    proved: bool
    why: str


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What was proved about a statement, part by part, and the statement that runs."""

    tables: tuple[ProofPart, ...] = ()
    columns: tuple[ProofPart, ...] = ()
    joins: tuple[ProofPart, ...] = ()
    filters: tuple[ProofPart, ...] = ()
    functions: tuple[ProofPart, ...] = ()
    sql: str
    fingerprint: str
    row_limit: int
    fully_proved: bool


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a statement was not proved; `suggestions` are near misses."""

    code: str
    reason: str
    where: str | None = None
    suggestions: tuple[str, ...] = ()


class Prove(msgspec.Struct, frozen=True, kw_only=True):
    """Prove a statement under the team's grants as they are now."""

    conn_uuid: UUID
    team_uuid: UUID
    sql: SqlText


class Proved(msgspec.Struct, frozen=True, kw_only=True):
    """Exactly one of the two."""

    proof: Proof | None = None
    refusal: Refusal | None = None


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What a database expects of a statement: `rows` that it reads and produces, all steps of the plan together, and
    the `cost` in the database's own units, None where it tells none."""

    rows: int
    cost: float | None = None


class Excess(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate beyond a limit: the details of EstimateTooHigh. `may_approve`: a person may let it run."""

    estimate: Estimate
    limit: Estimate
    may_approve: bool


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Prove and run a statement read-only. A `run_uuid` that has finished answers again and is never run again.

    `approved`: the estimate that a person was told and agreed to; a statement that takes more is not covered by it.
    """

    run_uuid: UUID
    conn_uuid: UUID
    team_uuid: UUID
    sql: SqlText
    prompt_uuid: UUID
    approved: Estimate | None = None


class ResultColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a result; `type` as the database spells it."""

    name: str
    type: str


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """The handle of a stored result. `truncated`: the row cap cut it; `bytes` is the size of its Parquet file.

    `preview` holds the first rows as JSON values: exact numbers as numbers, times as RFC 3339 text.
    """

    run_uuid: UUID
    columns: tuple[ResultColumn, ...]
    row_count: int
    truncated: bool
    preview: tuple[tuple[Any, ...], ...]
    bytes: int
    database_seconds: float
    proof: Proof


class Pick(StrEnum):
    """Which rows of a stored result to read: the first, those with the largest values, or evenly spaced ones."""

    FIRST = "first"
    LARGEST = "largest"
    EVEN = "even"


class ReadRun(msgspec.Struct, frozen=True, kw_only=True):
    """Some rows of a stored result; the grant is checked again. `columns` are places, counted from 0, as is `by`, the
    column whose values count for `largest`. A text is cut at `longest_text` characters."""

    run_uuid: UUID
    conn_uuid: UUID
    team_uuid: UUID
    columns: Annotated[tuple[Annotated[int, Meta(ge=0)], ...], Meta(min_length=1, max_length=20)]
    most: Annotated[int, Meta(ge=1, le=5_000)]
    pick: Pick = Pick.FIRST
    by: Annotated[int, Meta(ge=0)] | None = None
    longest_text: Annotated[int, Meta(ge=1, le=1_000)] = 100


class RunRows(msgspec.Struct, frozen=True, kw_only=True):
    """`row_count` counts all rows of the result; `rest`, with `largest`, adds up the values of the rows not given."""

    columns: tuple[ResultColumn, ...]
    rows: tuple[tuple[Any, ...], ...]
    row_count: int
    rest: float | None = None


class StopRun(msgspec.Struct, frozen=True, kw_only=True):
    """Cancel a statement that runs; `ok` also when it has already ended."""

    run_uuid: UUID


# -- events -------------------------------------------------------------------------------------------------------


class DatabaseIndexed(msgspec.Struct, frozen=True, kw_only=True):
    """A database's index is up to date."""

    db_uuid: UUID
    tables: int
    changed: int


class DatabaseIndexFailed(msgspec.Struct, frozen=True, kw_only=True):
    """Indexing gave up."""

    db_uuid: UUID
    error: str


class ConnectionChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A connection was created or deleted."""

    conn_uuid: UUID
    db_uuid: UUID


class GrantChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A team was granted a connection, or lost it."""

    conn_uuid: UUID
    team_uuid: UUID


DATABASE_INDEXED = EventType(
    "database", "indexed", DatabaseIndexed, publisher="connection-indexer", consumers=("chat-agent",)
)
DATABASE_INDEX_FAILED = EventType(
    "database", "index-failed", DatabaseIndexFailed, publisher="connection-indexer", consumers=("chat-agent",)
)
CONNECTION_CREATED = EventType("connection", "created", ConnectionChanged, publisher="connection-indexer")
CONNECTION_DELETED = EventType("connection", "deleted", ConnectionChanged, publisher="connection-indexer")
GRANT_ADDED = EventType("grant", "added", GrantChanged, publisher="connection-indexer")
GRANT_REMOVED = EventType("grant", "removed", GrantChanged, publisher="connection-indexer")

# -- operations ---------------------------------------------------------------------------------------------------

CREATE_DATABASE = Operation(
    "basejump.v1.connection.database.create",
    takes=CreateDatabase,
    gives=CreatedDatabase,
    allow=Role.ADMIN,
    errors=(Conflict, *_CONNECT_ERRORS),
    timeout=30.0,
)
TEST_DATABASE = Operation(
    "basejump.v1.connection.database.test",
    takes=DatabaseFields,
    gives=Done,
    allow=Role.ADMIN,
    errors=_CONNECT_ERRORS,
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
    errors=(NotFound, Conflict, *_CONNECT_ERRORS),
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
GRANT_TEAMS = Operation(
    "basejump.v1.connection.grant.add",
    takes=GrantTeams,
    gives=GrantList,
    allow=Role.ADMIN,
    errors=(NotFound,),
)
LIST_GRANTS = Operation(
    "basejump.v1.connection.grant.list",
    takes=ByConnection,
    gives=GrantList,
    allow=Role.ADMIN,
    errors=(NotFound,),
)
REVOKE_GRANT = Operation(
    "basejump.v1.connection.grant.remove",
    takes=ByGrant,
    gives=Done,
    allow=Role.ADMIN,
    errors=(NotFound,),
)
LIST_TEAM_CONNECTIONS = Operation(
    "basejump.v1.connection.team.connections",
    takes=TeamConnectionsRequest,
    gives=ConnectionPage,
    allow=Role.MEMBER,
    errors=(NotFound,),
)
LIST_TABLES = Operation(
    "basejump.v1.connection.table.list",
    takes=DatabaseTablesRequest,
    gives=TablePage,
    allow=Role.MEMBER,
    errors=(NotFound,),
)
GET_TABLE = Operation(
    "basejump.v1.connection.table.get", takes=ByTable, gives=Table, allow=Role.MEMBER, errors=(NotFound,)
)
CHECK_GRANTS = Operation(
    "basejump.v1.connection.grant.check",
    takes=CheckGrants,
    gives=HeldGrants,
    allow=Role.MEMBER,
    callers=("chat-agent",),
)
RETRIEVE = Operation(
    "basejump.v1.connection.retrieve",
    takes=Retrieve,
    gives=Retrieved,
    allow=Role.MEMBER,
    callers=("chat-agent",),
    errors=(Forbidden, NotFound),
)
FIND_VALUES = Operation(
    "basejump.v1.connection.values.find",
    takes=FindValues,
    gives=FoundValues,
    allow=Role.MEMBER,
    callers=("chat-agent",),
    errors=(NotFound, Unavailable),
)
PROVE = Operation(
    "basejump.v1.connection.sql.prove",
    takes=Prove,
    gives=Proved,
    allow=Role.MEMBER,
    callers=("chat-agent",),
    errors=(NotFound,),
)
RUN = Operation(
    "basejump.v1.connection.sql.run",
    takes=Run,
    gives=RunResult,
    allow=Role.MEMBER,
    callers=("chat-agent",),
    errors=(
        NotFound,
        NotProved,
        EstimateTooHigh,
        TooManyStatements,
        QueryFailed,
        StatementTimeout,
        ResultTooLarge,
        Canceled,
        Unavailable,
    ),
    timeout=120.0,
)
READ_RUN = Operation(
    "basejump.v1.connection.run.read",
    takes=ReadRun,
    gives=RunRows,
    allow=Role.MEMBER,
    callers=("chat-agent",),
    errors=(NotFound, Unavailable),
    timeout=30.0,
)
STOP_RUN = Operation(
    "basejump.v1.connection.sql.stop",
    takes=StopRun,
    gives=Done,
    allow=Role.MEMBER,
    callers=("chat-agent",),
)
ERASE_CLIENT = erase_client("connection")
