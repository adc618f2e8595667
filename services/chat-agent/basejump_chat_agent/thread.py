"""What a prompt goes on from: the clarification that it answers, and the questions before."""

import msgspec

from basejump_chat_agent.adapters import prompt_rows
from basejump_chat_agent.adapters.prompt_rows import PromptAtWork
from basejump_chat_agent.domain.answerer import Clarified
from basejump_chat_agent.domain.conversation import TURNS, Turn, prior_turns, trimmed
from basejump_chat_agent.domain.missing import chosen
from basejump_chat_agent.domain.picking import reply_to
from basejump_chat_agent.domain.prompt import Prompt
from basejump_common.contracts.chat import Clarification
from basejump_common.storage.database import Transaction

MAX_CLARIFICATIONS = 5


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt that picks an option of a clarification means the question that was unclear: `meant`.

    `asked` is what the prompt itself answers, by saying `said`; `clarified` all that was asked and answered since,
    `chosen` the values that were meant by words that no row has; `turns` came before.
    """

    meant: Prompt
    asked: Clarification | None = None
    said: str = ""
    clarified: tuple[Clarified, ...] = ()
    chosen: dict[str, str] = {}
    turns: tuple[Turn, ...] = ()


async def thread_of(tx: Transaction, prompt: PromptAtWork) -> Thread:
    """Of a prompt that isn't answered yet."""
    clarified, asked, values = list[Clarified](), None, dict[str, str]()
    meant: Prompt = prompt
    for _ in range(MAX_CLARIFICATIONS):
        if meant.parent_msg_uuid is None:
            break
        parent = await prompt_rows.find_by_message(tx, prompt.chat_uuid, meant.parent_msg_uuid)
        back = None if parent is None else parent.message.clarification
        picks = reply_to(back, meant.question)
        if parent is None or back is None or picks is None:
            break
        if meant is prompt:
            asked = back
        if back.instead_of is not None and (value := chosen(back, picks)) is not None:
            values.setdefault(back.instead_of, value)
        clarified.insert(0, Clarified(asked=parent.message.content, answered=picks))
        meant = parent
    earlier = prompt.earlier if meant is prompt else await prompt_rows.earlier(tx, meant)
    turns = trimmed((*prior_turns(prompt.prior), *earlier)[-TURNS:])
    said = clarified[-1].answered if clarified else prompt.question
    return Thread(meant=meant, asked=asked, said=said, clarified=tuple(clarified), chosen=values, turns=turns)
