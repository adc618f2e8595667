"""Results that are kept, read again. For chat-agent."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from basejump_common.contracts.connection.statements import ResultColumn
from basejump_common.contracts.erasing import Erased
from basejump_common.contracts.operation import SERVICES_ONLY, Operation
from basejump_common.errors import NotFound, Unavailable
from basejump_common.security.principal import Role
from basejump_common.security.secret import Secret


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


class Format(StrEnum):
    """How a whole result is downloaded."""

    CSV = "csv"
    PARQUET = "parquet"


class OpenRun(msgspec.Struct, frozen=True, kw_only=True):
    """Where to read all rows of a stored result; the grant is checked again."""

    run_uuid: UUID
    conn_uuid: UUID
    team_uuid: UUID
    format: Format


class OpenedRun(msgspec.Struct, frozen=True, kw_only=True):
    """`url` is good until `expires_at`, for this run in this format alone; who has it needs no other credential."""

    url: Secret
    expires_at: datetime
    row_count: int
    truncated: bool


class StoredRunOf(msgspec.Struct, frozen=True, kw_only=True):
    """A stored result, and the grant under which it is read."""

    run_uuid: UUID
    conn_uuid: UUID
    team_uuid: UUID


class CompareRuns(msgspec.Struct, frozen=True, kw_only=True):
    """Two stored results; the grants are checked again."""

    source: StoredRunOf
    target: StoredRunOf


class QueryLikeness(StrEnum):
    """Of two queries: the same text but for formatting, the same but for aliases and the order of what has none, or
    neither."""

    IDENTICAL = "identical"
    EQUIVALENT = "equivalent"
    OTHER = "other"


class QueryDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a query (`columns`, `tables`, `joins`, `filters`, …): what only one of the two has."""

    part: str
    only_source: tuple[str, ...]
    only_target: tuple[str, ...]


class RunsCompared(msgspec.Struct, frozen=True, kw_only=True):
    """`same_rows`: whether both have the same rows, in any order; None where they are too many to be compared, or one
    was cut. Queries of two databases are `other`."""

    queries: QueryLikeness
    differences: tuple[QueryDifference, ...]
    same_database: bool
    same_rows: bool | None


class ForgetRuns(msgspec.Struct, frozen=True, kw_only=True):
    """Runs whose rows nobody will ask for again; one that still runs is left alone."""

    client_uuid: UUID
    run_uuids: Annotated[tuple[UUID, ...], Meta(max_length=500)]


READ_RUN = Operation(
    "basejump.v1.connection.run.read",
    takes=ReadRun,
    gives=RunRows,
    allow=Role.MEMBER,
    callers=("chat-agent",),
    errors=(NotFound, Unavailable),
    timeout=30.0,
)
OPEN_RUN = Operation(
    "basejump.v1.connection.run.open",
    takes=OpenRun,
    gives=OpenedRun,
    allow=Role.MEMBER,
    callers=("chat-agent",),
    errors=(NotFound, Unavailable),
)
FORGET_RUNS = Operation(
    "basejump.v1.connection.run.forget",
    takes=ForgetRuns,
    gives=Erased,
    allow=SERVICES_ONLY,
    callers=("chat-agent",),
    timeout=60.0,
)
COMPARE_RUNS = Operation(
    "basejump.v1.connection.run.compare",
    takes=CompareRuns,
    gives=RunsCompared,
    allow=Role.MEMBER,
    callers=("chat-agent",),
    errors=(NotFound, Unavailable),
    timeout=30.0,
)
