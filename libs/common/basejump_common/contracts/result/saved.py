"""Results that are saved: kept under words of one's own, and perhaps shared with a team."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from basejump_common.contracts.chat import ResultType
from basejump_common.contracts.common import Done, Name, Text, WidePageRequest
from basejump_common.contracts.operation import Operation
from basejump_common.contracts.result.results import Result
from basejump_common.errors import NotFound
from basejump_common.security.principal import Role


class SaveResult(msgspec.Struct, frozen=True, kw_only=True):
    """Save a result that the caller may read; words that are left out are the result's. Saved again by the same user,
    it is changed. `share_w_team`: members of `team_uuid` (by default the team it was asked for) see it as well, as long
    as their team holds the grant. `verified`: call it verified as well, which is for who asked and for ADMINs."""

    result_uuid: UUID
    title: Name | None = None
    subtitle: Text | None = None
    description: Text | None = None
    share_w_team: bool = False
    team_uuid: UUID | None = None
    verified: bool = False


class SavedResult(msgspec.Struct, frozen=True, kw_only=True):
    """A saved result; `result` itself where one is read. `team_uuid`: whom it is shared with."""

    saved_result_uuid: UUID
    result_uuid: UUID
    user_uuid: UUID
    title: str
    subtitle: str
    description: str
    result_type: ResultType
    share_w_team: bool
    team_uuid: UUID | None
    created_at: datetime
    updated_at: datetime
    result: Result | None = None


class BySavedResult(msgspec.Struct, frozen=True, kw_only=True):
    """Names a saved result."""

    saved_result_uuid: UUID


class UpdateSavedResult(msgspec.Struct, frozen=True, kw_only=True):
    """What is given is changed, by who saved it or an ADMIN."""

    saved_result_uuid: UUID
    title: Name | UnsetType = UNSET
    subtitle: Text | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    share_w_team: bool | UnsetType = UNSET
    team_uuid: UUID | UnsetType | None = UNSET


class SavedSort(StrEnum):
    """In the order of which words."""

    TITLE = "title"
    DESCRIPTION = "description"
    RESULT_TYPE = "result_type"


class SearchSaved(WidePageRequest, frozen=True, kw_only=True):
    """What the caller saved and what is shared with their teams. `text` stands anywhere in title, subtitle or
    description, in any case; `team_uuid`: shared with that team."""

    text: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    team_uuid: UUID | None = None
    result_type: ResultType | None = None
    sort: SavedSort = SavedSort.TITLE
    descending: bool = False


class SavedPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page is shorter by those that the caller may not read at this moment."""

    data: tuple[SavedResult, ...]
    next_cursor: str | None = None


SAVE_RESULT = Operation(
    "basejump.v1.result.saved.create", takes=SaveResult, gives=SavedResult, allow=Role.MEMBER, errors=(NotFound,)
)
SEARCH_SAVED = Operation(
    "basejump.v1.result.saved.search", takes=SearchSaved, gives=SavedPage, allow=Role.MEMBER, errors=(NotFound,)
)
GET_SAVED = Operation(
    "basejump.v1.result.saved.get", takes=BySavedResult, gives=SavedResult, allow=Role.MEMBER, errors=(NotFound,)
)
UPDATE_SAVED = Operation(
    "basejump.v1.result.saved.update",
    takes=UpdateSavedResult,
    gives=SavedResult,
    allow=Role.MEMBER,
    errors=(NotFound,),
)
DELETE_SAVED = Operation(
    "basejump.v1.result.saved.delete", takes=BySavedResult, gives=Done, allow=Role.MEMBER, errors=(NotFound,)
)
