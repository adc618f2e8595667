"""Results: list and read."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from basejump_common.contracts.chat import ResultType
from basejump_common.contracts.common import WidePageRequest
from basejump_common.contracts.connection import Proof, ResultColumn
from basejump_common.contracts.operation import EventType, Operation
from basejump_common.errors import NotFound
from basejump_common.security.principal import Role


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A kept result. `preview` holds the first rows; `row_num_total` counts all that were kept. `visual_json`: the
    chart that was asked for, a Plotly figure; `visual_explanation` says what it shows, or why there is none."""

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


class ByResult(msgspec.Struct, frozen=True, kw_only=True):
    """Names a result."""

    result_uuid: UUID


class ResultPage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first."""

    data: tuple[Result, ...]
    next_cursor: str | None = None


class ResultCreated(msgspec.Struct, frozen=True, kw_only=True):
    """A result was kept."""

    result_uuid: UUID
    chat_uuid: UUID


RESULT_CREATED = EventType("result", "created", ResultCreated, publisher="chat-agent")

LIST_RESULTS = Operation("basejump.v1.result.result.list", takes=WidePageRequest, gives=ResultPage, allow=Role.MEMBER)
GET_RESULT = Operation(
    "basejump.v1.result.result.get", takes=ByResult, gives=Result, allow=Role.MEMBER, errors=(NotFound,)
)
