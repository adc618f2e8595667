"""Results: list, read, change, refresh, delete."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from basejump_common.contracts.chat import ResultType
from basejump_common.contracts.common import Done, Name, Text, WidePageRequest
from basejump_common.contracts.connection import Proof, ResultColumn
from basejump_common.contracts.operation import EventType, Operation
from basejump_common.errors import (
    Canceled,
    Conflict,
    EstimateTooHigh,
    Forbidden,
    NotFound,
    NotProved,
    QueryFailed,
    ResultTooLarge,
    StatementTimeout,
    TooManyStatements,
)
from basejump_common.security.principal import Role


class ResultOrphanType(StrEnum):
    """What a result lost of what it was asked in. Unless they are saved or verified, results of a deleted chat or
    connection go within a day; the others stay as long as any."""

    CHAT_DELETED = "chat_deleted"
    USER_DELETED = "user_deleted"
    TEAM_DELETED = "team_deleted"
    CONNECTION_DELETED = "connection_deleted"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A kept result. `preview` holds the first rows; `row_num_total` counts all that were kept. `visual_json`: the
    chart that was asked for, a Plotly figure; `visual_explanation` says what it shows, or why there is none.
    `can_verify`: whether the reader's word that it is right would make a difference."""

    result_uuid: UUID
    chat_uuid: UUID | None
    result_title: str
    result_subtitle: str
    result_description: str
    sql_query: str
    result_type: ResultType
    columns: tuple[ResultColumn, ...]
    row_num_total: int
    truncated: bool
    preview: tuple[tuple[Any, ...], ...]
    proof: Proof
    visual_json: dict[str, Any] | None = None
    visual_explanation: str | None = None
    created_at: datetime
    refreshed_at: datetime | None = None
    orphan_type: ResultOrphanType | None = None
    verified: bool = False
    verified_user_role: Role | None = None
    verified_user_uuid: UUID | None = None
    can_verify: bool = False


class ByResult(msgspec.Struct, frozen=True, kw_only=True):
    """Names a result."""

    result_uuid: UUID


class ListResults(WidePageRequest, frozen=True, kw_only=True):
    """The caller's results; an ADMIN may widen to the whole client. `verified`: those that are, or aren't, alone."""

    verified: bool | None = None


class ResultPage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first."""

    data: tuple[Result, ...]
    next_cursor: str | None = None


class UpdateResult(msgspec.Struct, frozen=True, kw_only=True):
    """What is given is changed, by who asked or an ADMIN. A description that a person wrote stays when the result is
    refreshed. `verified`: questions that mean the same get this answer from now on, or, with all that came from it, no
    longer; what a higher role has verified stays so (403)."""

    result_uuid: UUID
    result_title: Name | UnsetType = UNSET
    result_subtitle: Text | UnsetType = UNSET
    result_description: Text | UnsetType = UNSET
    verified: bool | UnsetType = UNSET


class RefreshResult(msgspec.Struct, frozen=True, kw_only=True):
    """Run the statement again under the caller's grants as they are now; the result gets the new rows. With a
    `run_uuid` of the caller's choice the statement goes on when the call ends before it (504), and the same call made
    again waits for it: it runs once."""

    result_uuid: UUID
    run_uuid: UUID | None = None


class ManyResults(msgspec.Struct, frozen=True, kw_only=True):
    """Names results."""

    result_uuids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=200)]


class ResultsFound(msgspec.Struct, frozen=True, kw_only=True):
    """In the order they were asked for. `missing`: not there, or not the caller's to read. `left_out`: the reply had no
    room for them; ask for them again."""

    data: tuple[Result, ...]
    missing: tuple[UUID, ...] = ()
    left_out: tuple[UUID, ...] = ()


class ResultChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A result got new rows, or is gone."""

    result_uuid: UUID


class ResultCreated(msgspec.Struct, frozen=True, kw_only=True):
    """A result was kept."""

    result_uuid: UUID
    chat_uuid: UUID


RESULT_REFRESHED = EventType("result", "refreshed", ResultChanged, publisher="chat-agent")
RESULT_DELETED = EventType("result", "deleted", ResultChanged, publisher="chat-agent")
RESULT_CREATED = EventType("result", "created", ResultCreated, publisher="chat-agent")

LIST_RESULTS = Operation("basejump.v1.result.result.list", takes=ListResults, gives=ResultPage, allow=Role.MEMBER)
GET_RESULT = Operation(
    "basejump.v1.result.result.get", takes=ByResult, gives=Result, allow=Role.MEMBER, errors=(NotFound,)
)
REFRESH_SECONDS = 120.0
"""How long a call that refreshes waits."""

UPDATE_RESULT = Operation(
    "basejump.v1.result.result.update",
    takes=UpdateResult,
    gives=Result,
    allow=Role.MEMBER,
    errors=(Forbidden, NotFound),
)
DELETE_RESULT = Operation(
    "basejump.v1.result.result.delete", takes=ByResult, gives=Done, allow=Role.MEMBER, errors=(NotFound, Conflict)
)
REFRESH_RESULT = Operation(
    "basejump.v1.result.result.refresh",
    takes=RefreshResult,
    gives=Result,
    allow=Role.MEMBER,
    errors=(
        NotFound,
        NotProved,
        EstimateTooHigh,
        TooManyStatements,
        QueryFailed,
        StatementTimeout,
        ResultTooLarge,
        Canceled,
    ),
    timeout=REFRESH_SECONDS,
)
MANY_RESULTS = Operation("basejump.v1.result.result.many", takes=ManyResults, gives=ResultsFound, allow=Role.MEMBER)
