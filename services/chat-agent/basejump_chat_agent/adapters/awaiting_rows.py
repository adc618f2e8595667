"""SQL of questions that wait for a verified answer. Every function takes the tenant's transaction."""

from basejump_chat_agent.domain.prompt import Prompt
from basejump_chat_agent.domain.verified.awaiting import Awaiting
from basejump_common.contracts.chat import AwaitingQuestion
from basejump_common.storage import pages
from basejump_common.storage.database import Transaction

_AWAIT = "update prompt set awaits = $2, awaits_over = $3 where prompt_uuid = $1"
_NEWEST = """
    select * from (
        select distinct on (awaits_over, awaits) prompt.msg_uuid, prompt.chat_uuid, prompt.user_uuid, chat.team_uuid,
               awaits_over as db_uuid, question, asked_at, count(*) over (partition by awaits_over, awaits) as times
        from prompt join chat using (chat_uuid)
        where awaits is not null and asked_at > now() - interval '90 days' and not exists (
            select from result where verified and db_uuid = awaits_over and said_as = awaits)
        order by awaits_over, awaits, asked_at desc, prompt.msg_uuid desc
    ) waiting where (asked_at, msg_uuid) < ($1, $2) order by asked_at desc, msg_uuid desc limit $3
"""


async def wait(tx: Transaction, prompt: Prompt, awaiting: Awaiting) -> None:
    """Note that the prompt has no answer until somebody verifies one."""
    await tx.execute(_AWAIT, prompt.prompt_uuid, awaiting.said_as, awaiting.db_uuid)


async def newest(tx: Transaction, after: pages.Position, count: int) -> list[AwaitingQuestion]:
    """Newest first, those before `after`."""
    return await tx.rows(AwaitingQuestion, _NEWEST, *after, count)
