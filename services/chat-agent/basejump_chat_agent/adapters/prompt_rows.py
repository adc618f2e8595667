"""SQL of prompts, their messages and their finished steps. Every function takes the tenant's transaction."""

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from basejump_chat_agent.domain.conversation import ROWS, TURNS, Turn
from basejump_chat_agent.domain.prompt import Prompt
from basejump_common.contracts.chat import JudgeMessage, Message, PriorMessage
from basejump_common.storage import pages
from basejump_common.storage.database import Transaction

T = TypeVar("T")

_INSERT = """
    insert into prompt (prompt_uuid, client_uuid, chat_uuid, user_uuid, msg_uuid, parent_msg_uuid, question, run_uuid,
                        return_sql_in_thoughts, asked_at, message, llm, return_visual_json)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    on conflict (prompt_uuid) do nothing
"""
_SELECT = "select prompt.*, chat.team_uuid from prompt join chat using (chat_uuid)"
_SETTLE = """
    with settled as (
        update prompt set message = $2, answered_at = now() where prompt_uuid = $1 and answered_at is null
        returning message
    ),
    forgotten as (
        delete from step where prompt_uuid = $1 and exists (select from settled)
        returning (outcome ->> 'run_uuid')::uuid as run_uuid, name
    )
    select message, array(select run_uuid from forgotten where name like 'statement %') as run_uuids,
           exists (select from webhook_delivery where prompt_uuid = $1 and state = 'waiting') as awaited
    from settled
"""
_MESSAGES = """
    select message, asked_at, msg_uuid from prompt
    where chat_uuid = $1 and (asked_at, msg_uuid) < ($2, $3)
    order by asked_at desc, msg_uuid desc limit $4
"""
_MESSAGE = """
    select prompt.message from prompt join chat using (chat_uuid)
    where msg_uuid = $1 and ($2::uuid is null or chat.user_uuid = $2)
"""
# The answered questions of the chat before `this` one, the latest of them.
_EARLIER = f"""
    select asked_at, question, message ->> 'content' as answer, message ->> 'msg_type' as msg_type,
           message ->> 'sql_query' as sql, message -> 'thumbs_up' as thumbs_up, thumbs_reason,
           coalesce(result.columns, '[]') as columns,
           coalesce(jsonb_path_query_array(result.preview, '$[0 to {ROWS - 1}]'), '[]') as rows,
           coalesce(result.row_num_total, 0) as row_count,
           case when result.run_uuid is not null then jsonb_build_object(
               'conn_uuid', result.conn_uuid, 'team_uuid', result.team_uuid, 'run_uuid', result.run_uuid
           ) end as ran_under
    from prompt left join result using (prompt_uuid)
    where prompt.chat_uuid = this.chat_uuid and asked_at < this.asked_at and answered_at is not null
    order by asked_at desc limit {TURNS}
"""  # noqa: S608 - a constant, as the next two
_EARLIER_OF = f"""
    select earlier.* from (select $1::uuid as chat_uuid, $2::timestamptz as asked_at) this
    cross join lateral ({_EARLIER}) earlier order by earlier.asked_at
"""  # noqa: S608
_AT_WORK = f"""
    select this.*, chat.team_uuid, chat.history as prior,
           (select coalesce(jsonb_object_agg(name, outcome), '{{}}') from step where step.prompt_uuid = $1) as steps,
           (select coalesce(jsonb_agg(earlier order by asked_at), '[]') from ({_EARLIER}) earlier) as earlier,
           exists (select from result where verified) as any_verified
    from prompt this join chat using (chat_uuid) where this.prompt_uuid = $1
"""  # noqa: S608
_JUDGE = """
    update prompt set message = jsonb_set(message, '{thumbs_up}', coalesce(to_jsonb($2::boolean), 'null')),
                      thumbs_reason = $3, thumbs_user_uuid = $4
    where msg_uuid = $1 returning message
"""
_KEEP_STEP = """
    insert into step (prompt_uuid, name, client_uuid, outcome) values ($1, $2, $3, $4)
    on conflict (prompt_uuid, name) do update set outcome = excluded.outcome, finished_at = now()
"""


_RUNNING = """
    select (begun.outcome ->> 'run_uuid')::uuid as run_uuid from step as begun
    where prompt_uuid = $1 and name like 'statement %' and not exists (
        select from step as ended where ended.prompt_uuid = $1 and ended.name = 'tool' || substr(begun.name, 10))
"""


class PromptAtWork(Prompt, frozen=True, kw_only=True):
    """A prompt with the outcomes of its finished steps, by name, as JSON values; what its chat was created with, and
    the questions before it that have ended, oldest first; and whether the client has verified any result at all."""

    steps: dict[str, Any]
    prior: tuple[PriorMessage, ...]
    earlier: tuple[Turn, ...]
    any_verified: bool


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """The final message, every statement that the prompt ran or meant to run, and whether a webhook waits for it."""

    message: Message
    run_uuids: tuple[UUID, ...]
    awaited: bool


class StoredMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message and its place in the list."""

    message: Message
    asked_at: Any
    msg_uuid: UUID


async def insert(tx: Transaction, prompt: Prompt) -> bool:
    """Store it; False when its uuid is taken."""
    inserted = await tx.execute(
        _INSERT,
        prompt.prompt_uuid,
        prompt.client_uuid,
        prompt.chat_uuid,
        prompt.user_uuid,
        prompt.msg_uuid,
        prompt.parent_msg_uuid,
        prompt.question,
        prompt.run_uuid,
        prompt.return_sql_in_thoughts,
        prompt.asked_at,
        prompt.message,
        prompt.llm,
        prompt.return_visual_json,
    )
    return inserted == 1


async def find(tx: Transaction, prompt_uuid: UUID) -> Prompt | None:
    """None when its chat was deleted, or it never was."""
    return await tx.row(Prompt, f"{_SELECT} where prompt_uuid = $1", prompt_uuid)


async def at_work(tx: Transaction, prompt_uuid: UUID) -> PromptAtWork | None:
    """As `find`, with what is needed to work on it."""
    return await tx.row(PromptAtWork, _AT_WORK, prompt_uuid)


async def find_by_message(tx: Transaction, chat_uuid: UUID, msg_uuid: UUID) -> Prompt | None:
    """The prompt of that chat which the message answers."""
    return await tx.row(Prompt, f"{_SELECT} where prompt.msg_uuid = $1 and prompt.chat_uuid = $2", msg_uuid, chat_uuid)


async def unanswered(tx: Transaction, chat_uuid: UUID) -> list[Prompt]:
    """The prompts of a chat that are still being worked on."""
    return await tx.rows(Prompt, f"{_SELECT} where prompt.chat_uuid = $1 and answered_at is null", chat_uuid)


async def settle(tx: Transaction, prompt: Prompt, final: Message) -> Settled | None:
    """Store the final message and forget the steps; None when there is one already.

    What is given back is what everybody will read: a jsonb value orders keys and spells numbers in its own way.
    """
    return await tx.row(Settled, _SETTLE, prompt.prompt_uuid, final)


async def newest_messages(tx: Transaction, chat_uuid: UUID, after: pages.Position, count: int) -> list[StoredMessage]:
    """Newest question first, those before `after`."""
    return await tx.rows(StoredMessage, _MESSAGES, chat_uuid, *after, count)


async def message(tx: Transaction, msg_uuid: UUID, user_uuid: UUID | None) -> Message | None:
    """One message; of any user of the client when `user_uuid` is None."""
    stored = await tx.fetchval(_MESSAGE, msg_uuid, user_uuid)
    return None if stored is None else msgspec.convert(stored, Message)


async def answered(tx: Transaction, msg_uuid: UUID, user_uuid: UUID | None) -> Prompt | None:
    """The prompt that the message answers, locked; of any user of the client when `user_uuid` is None."""
    where = "where prompt.msg_uuid = $1 and ($2::uuid is null or chat.user_uuid = $2) for update of prompt"
    return await tx.row(Prompt, f"{_SELECT} {where}", msg_uuid, user_uuid)


async def judge(tx: Transaction, judged: JudgeMessage, user_uuid: UUID) -> Message:
    """Keep what the user thinks of the answer; the message as it is now."""
    stored = await tx.fetchval(_JUDGE, judged.parent_msg_uuid, judged.thumbs_up, judged.reason, user_uuid)
    return msgspec.convert(stored, Message)


async def earlier(tx: Transaction, prompt: Prompt) -> tuple[Turn, ...]:
    """As `PromptAtWork.earlier`, of any prompt."""
    return tuple(await tx.rows(Turn, _EARLIER_OF, prompt.chat_uuid, prompt.asked_at))


async def running(tx: Transaction, prompt_uuid: UUID) -> list[UUID]:
    """The `run_uuid` of every statement that may run, or is about to."""
    rows = await tx.fetch(_RUNNING, prompt_uuid)
    return [row["run_uuid"] for row in rows]


async def keep_steps(tx: Transaction, prompt: Prompt, outcomes: Mapping[str, msgspec.Struct]) -> None:
    """Note that steps are finished."""
    rows = [(prompt.prompt_uuid, name, prompt.client_uuid, outcome) for name, outcome in outcomes.items()]
    await tx.executemany(_KEEP_STEP, rows)
