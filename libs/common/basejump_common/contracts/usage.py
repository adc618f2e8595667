"""usage: what a client's questions took, for its ADMINs. chat-agent counts it."""

from datetime import date
from uuid import UUID

import msgspec

from basejump_common.contracts.common import PageRequest
from basejump_common.contracts.operation import Operation
from basejump_common.errors import InvalidInput
from basejump_common.security.principal import Role

MOST_DAYS = 366
USUAL_DAYS = 30


class ListUsage(PageRequest, frozen=True, kw_only=True):
    """From the first day to the last, both included, 366 days at most; without them the last 30 days. A day is one of
    UTC, the one on which a question was asked."""

    from_day: date | None = None
    to_day: date | None = None


class UsageOfDay(msgspec.Struct, frozen=True, kw_only=True):
    """What a user's questions of one day took, by the model that answered last: `provider:model`, or `built-in`; None
    when they ended before any model was called. `cost` counts the models that the price table knows, in its currency.
    """

    day: date
    user_uuid: UUID
    model: str | None
    questions: int
    model_calls: int
    input_tokens: int
    output_tokens: int
    cost: float
    database_seconds: float


class UsagePage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest day first. Users stay in it when they are deleted, and questions when their chat is."""

    data: tuple[UsageOfDay, ...]
    next_cursor: str | None = None


LIST_USAGE = Operation(
    "basejump.v1.usage.day.list", takes=ListUsage, gives=UsagePage, allow=Role.ADMIN, errors=(InvalidInput,)
)
