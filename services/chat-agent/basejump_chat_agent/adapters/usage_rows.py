"""SQL of what prompts take and what clients spend in a day. Every function takes the tenant's transaction."""

from datetime import date
from uuid import UUID

import msgspec

from basejump_chat_agent.domain import failures
from basejump_chat_agent.domain.meter import Spent
from basejump_chat_agent.domain.prompt import Prompt
from basejump_chat_agent.domain.rules import BUILT_IN, Limits
from basejump_common.contracts.chat import Usage
from basejump_common.contracts.usage import UsageOfDay
from basejump_common.storage import pages
from basejump_common.storage.database import Transaction

_OPEN = """
    insert into usage (prompt_uuid, client_uuid, user_uuid, day) values ($1, $2, $3, $4)
    on conflict (prompt_uuid) do update set day = usage.day
    returning claimed_tokens, claimed_cost
"""
_SPEND = """
    insert into spending (client_uuid, day, tokens, cost) values ($1, $2, $3, $4)
    on conflict (client_uuid, day) do update
    set tokens = spending.tokens + excluded.tokens, cost = spending.cost + excluded.cost
    returning tokens, cost
"""
_CLAIM = "update usage set claimed_tokens = $2, claimed_cost = $3 where prompt_uuid = $1"
# `before` is what the statement finds: the prompt's worker alone writes its row, and holds its job.
_CALLED = """
    with before as (select claimed_tokens, claimed_cost from usage where prompt_uuid = $1),
    counted as (
        insert into usage
            (prompt_uuid, client_uuid, user_uuid, day, model, model_calls, input_tokens, output_tokens, cost)
        values ($1, $2, $3, $4, $5, 1, $6, $7, $8)
        on conflict (prompt_uuid) do update
        set model = excluded.model, model_calls = usage.model_calls + 1, cost = usage.cost + excluded.cost,
            input_tokens = usage.input_tokens + excluded.input_tokens,
            output_tokens = usage.output_tokens + excluded.output_tokens, claimed_tokens = 0, claimed_cost = 0
    )
    insert into spending (client_uuid, day, tokens, cost)
    values ($2, $4, $6 + $7 - coalesce((select claimed_tokens from before), 0),
            $8 - coalesce((select claimed_cost from before), 0))
    on conflict (client_uuid, day) do update
    set tokens = spending.tokens + excluded.tokens, cost = spending.cost + excluded.cost
"""
_RELEASE = """
    with released as (
        update usage set claimed_tokens = 0, claimed_cost = 0
        from (select prompt_uuid, claimed_tokens, claimed_cost from usage where prompt_uuid = $1 for update) as before
        where usage.prompt_uuid = before.prompt_uuid and (before.claimed_tokens > 0 or before.claimed_cost > 0)
        returning client_uuid, day, before.claimed_tokens, before.claimed_cost
    )
    update spending set tokens = tokens - released.claimed_tokens, cost = cost - released.claimed_cost
    from released where spending.client_uuid = released.client_uuid and spending.day = released.day
"""
_ENDED = """
    with before as (select claimed_tokens, claimed_cost from usage where prompt_uuid = $1 for update),
    counted as (
        insert into usage (prompt_uuid, client_uuid, user_uuid, day, planner, database_seconds, prompts_version)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (prompt_uuid) do update
        set planner = excluded.planner, database_seconds = excluded.database_seconds,
            prompts_version = excluded.prompts_version, claimed_tokens = 0, claimed_cost = 0
    )
    update spending set tokens = tokens - before.claimed_tokens, cost = cost - before.claimed_cost
    from before
    where spending.client_uuid = $2 and spending.day = $4 and (before.claimed_tokens > 0 or before.claimed_cost > 0)
"""


_BY_DAY = """
    with counted as (
        select *, case when model <> '' then model when planner = $5 then planner end as answered_by from usage
        where day between $1 and least($2, ($3 at time zone 'utc')::date)
    ),
    days as (
        select day, user_uuid, answered_by as model, count(*) as questions, sum(model_calls)::bigint as model_calls,
               sum(input_tokens)::bigint as input_tokens, sum(output_tokens)::bigint as output_tokens,
               sum(cost) as cost, sum(database_seconds) as database_seconds,
               left(encode(sha256(convert_to(concat(user_uuid, answered_by), 'UTF8')), 'hex'), 32)::uuid as place
        from counted group by day, user_uuid, answered_by
    )
    select * from days where (day::timestamp at time zone 'utc', place) < ($3, $4)
    order by day desc, place desc limit $6
"""


class DayOfUsage(UsageOfDay, frozen=True, kw_only=True):
    """With where it stands among those of its day: anywhere, but always there."""

    place: UUID


class _Total(msgspec.Struct, frozen=True):
    tokens: int
    cost: float


class _Claimed(msgspec.Struct, frozen=True):
    claimed_tokens: int
    claimed_cost: float


async def claim(tx: Transaction, prompt: Prompt, tokens: int, cost: float, limits: Limits) -> None:
    """Reserve what a call may take, in place of what was reserved before. Raises CannotGoOn beyond a day's limit."""
    total = await _spend(tx, prompt, tokens, cost)
    if limits.tokens_per_day is not None and total.tokens > limits.tokens_per_day:
        raise failures.over_limit("tokens_per_day", limits.tokens_per_day)
    if limits.cost_per_day is not None and total.cost > limits.cost_per_day:
        raise failures.over_limit("cost_per_day", limits.cost_per_day)
    await tx.execute(_CLAIM, prompt.prompt_uuid, tokens, cost)


async def called(tx: Transaction, prompt: Prompt, spent: Spent) -> None:
    """Count a call, in place of what was reserved for it."""
    taken = (spent.model, spent.input_tokens, spent.output_tokens, spent.cost or 0.0)
    await tx.execute(_CALLED, prompt.prompt_uuid, prompt.client_uuid, prompt.user_uuid, _day(prompt), *taken)


async def ended(tx: Transaction, prompt: Prompt, usage: Usage | None) -> None:
    """The prompt has ended: give back what is still reserved, and keep what else it took, if that is known."""
    if usage is None:
        await tx.execute(_RELEASE, prompt.prompt_uuid)
    else:
        what = (usage.planner, usage.database_seconds, usage.prompts_version or "")
        await tx.execute(_ENDED, prompt.prompt_uuid, prompt.client_uuid, prompt.user_uuid, _day(prompt), *what)


async def by_day(tx: Transaction, first: date, last: date, after: pages.Position, count: int) -> list[DayOfUsage]:
    """Of the days from the first to the last; newest first, those before `after`."""
    return await tx.rows(DayOfUsage, _BY_DAY, first, last, *after, BUILT_IN, count)


async def _spend(tx: Transaction, prompt: Prompt, tokens: int, cost: float) -> _Total:
    """The day's total with this in place of what the prompt had reserved; the rows are locked until `tx` ends."""
    day = _day(prompt)
    before = await tx.row(_Claimed, _OPEN, prompt.prompt_uuid, prompt.client_uuid, prompt.user_uuid, day)
    assert before is not None
    more, dearer = tokens - before.claimed_tokens, cost - before.claimed_cost
    total = await tx.row(_Total, _SPEND, prompt.client_uuid, day, more, dearer)
    assert total is not None
    return total


def _day(prompt: Prompt) -> date:
    """The day on which it was asked, UTC: all that it takes belongs to that day."""
    return prompt.asked_at.date()
