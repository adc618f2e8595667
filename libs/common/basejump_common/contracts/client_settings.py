"""What a client decides for itself: its language model, and limits within those of the installation."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType


class VerifyMode(StrEnum):
    """STRICT: members get verified answers alone."""

    STRICT = "STRICT"
    EXPLORE = "EXPLORE"


class OverBudget(StrEnum):
    """What happens to a statement whose estimate is beyond the client's limit."""

    REFUSE = "refuse"
    ASK = "ask"


Llm = Annotated[
    str, Meta(max_length=200, pattern=r"^[a-z0-9_-]+:\S+$(?!\n)", description="A language model, provider:model")
]
EstimatedRows = Annotated[
    int, Meta(ge=1, le=10**15, description="Rows that a plan may read and produce, all its steps together")
]
EstimatedCost = Annotated[
    float, Meta(gt=0, le=1e15, description="Cost that a plan may have, in the units of its own database")
]
StatementSeconds = Annotated[float, Meta(ge=0.1, le=3_600, description="How long a statement may run")]
ResultRows = Annotated[int, Meta(ge=1, le=10**9, description="Rows of a result at most; more are cut")]
ResultBytes = Annotated[int, Meta(ge=1_000, le=10**12, description="Bytes of a result's rows; a larger one fails")]
AtOnce = Annotated[int, Meta(ge=1, le=10_000, description="How many may be under way at a time")]
ResultDays = Annotated[int, Meta(ge=1, le=36_500, description="Days that a result is kept, unless it is saved")]
Tokens = Annotated[int, Meta(ge=1, le=10**12, description="Tokens of language models, in and out together")]
Dollars = Annotated[float, Meta(gt=0, le=1e9, description="US dollars for language models")]
CallsPerMinute = Annotated[int, Meta(ge=1, le=10**9, description="Calls of the API in a minute, over all gateways")]
Origin = Annotated[
    str,
    Meta(
        max_length=270,
        pattern=r"^https?://([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?$(?!\n)",
        description="Scheme, host and port of a web page, as its browser sends it: lower case, no path, no wildcard",
    ),
]
Origins = Annotated[tuple[Origin, ...], Meta(max_length=50)]
QuestionSeconds = Annotated[float, Meta(ge=1, le=86_400, description="How long work on a question may take")]


class ClientSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a client has set. A limit that is null, or wider than the installation's, is the installation's.

    `send_preview_to_llm` false: no value of a row reaches a language model. `over_budget` is about `estimated_rows`
    and `estimated_cost`: such a statement is refused, or a person is asked first. `allowed_origins`: web pages
    from there may call with the client's credentials (CORS).
    """

    llm: Llm | None = None
    fallback_llm: Llm | None = None
    allow_llm_per_message: bool = False
    send_preview_to_llm: bool = True
    over_budget: OverBudget = OverBudget.REFUSE
    estimated_rows: EstimatedRows | None = None
    estimated_cost: EstimatedCost | None = None
    statement_seconds: StatementSeconds | None = None
    result_rows: ResultRows | None = None
    result_bytes: ResultBytes | None = None
    result_days: ResultDays | None = None
    statements_at_once: AtOnce | None = None
    questions_at_once: AtOnce | None = None
    tokens_per_question: Tokens | None = None
    tokens_per_day: Tokens | None = None
    cost_per_question_usd: Dollars | None = None
    cost_per_day_usd: Dollars | None = None
    seconds_per_question: QuestionSeconds | None = None
    calls_per_minute: CallsPerMinute | None = None
    calls_per_minute_per_key: CallsPerMinute | None = None
    allowed_origins: Origins = ()


class UpdateClientSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is given is changed; null sets back to the default. The fields are those of ClientSettings."""

    llm: Llm | UnsetType | None = UNSET
    fallback_llm: Llm | UnsetType | None = UNSET
    allow_llm_per_message: bool | UnsetType | None = UNSET
    send_preview_to_llm: bool | UnsetType | None = UNSET
    over_budget: OverBudget | UnsetType | None = UNSET
    estimated_rows: EstimatedRows | UnsetType | None = UNSET
    estimated_cost: EstimatedCost | UnsetType | None = UNSET
    statement_seconds: StatementSeconds | UnsetType | None = UNSET
    result_rows: ResultRows | UnsetType | None = UNSET
    result_bytes: ResultBytes | UnsetType | None = UNSET
    result_days: ResultDays | UnsetType | None = UNSET
    statements_at_once: AtOnce | UnsetType | None = UNSET
    questions_at_once: AtOnce | UnsetType | None = UNSET
    tokens_per_question: Tokens | UnsetType | None = UNSET
    tokens_per_day: Tokens | UnsetType | None = UNSET
    cost_per_question_usd: Dollars | UnsetType | None = UNSET
    cost_per_day_usd: Dollars | UnsetType | None = UNSET
    seconds_per_question: QuestionSeconds | UnsetType | None = UNSET
    calls_per_minute: CallsPerMinute | UnsetType | None = UNSET
    calls_per_minute_per_key: CallsPerMinute | UnsetType | None = UNSET
    allowed_origins: Origins | UnsetType | None = UNSET


class UpdateVerifyMode(msgspec.Struct, frozen=True, kw_only=True):
    """Whether members get verified answers alone."""

    verify_mode: VerifyMode


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator gives one client in place of the installation's limits; null is the installation's."""

    calls_per_minute: CallsPerMinute | None = None
    calls_per_minute_per_key: CallsPerMinute | None = None


class ClientChoices(msgspec.Struct, frozen=True, kw_only=True):
    """All that a client decided, and what the operator gives it, as other services read it."""

    settings: ClientSettings
    verify_mode: VerifyMode = VerifyMode.EXPLORE
    quota: Quota = Quota()
