"""The messages that a prompt says: `initial`, `status`, `thought`, then exactly one that is final."""

from datetime import datetime
from uuid import UUID, uuid5

import msgspec

from basejump_chat_agent.domain.answerer import AskedBack
from basejump_chat_agent.domain.failures import CannotGoOn
from basejump_chat_agent.domain.prompt import Prompt
from basejump_common.contracts.chat import Ask, Clarification, Message, MessageType, ResultType, Usage
from basejump_common.contracts.connection import RunResult

AGENT = "assistant"


def initial(ask: Ask, prompt_uuid: UUID, msg_uuid: UUID, asked_at: datetime) -> Message:
    """What the asker gets at once; its msg_uuid later holds the final message."""
    return Message(
        msg_uuid=msg_uuid,
        chat_uuid=ask.chat_uuid,
        role=AGENT,
        msg_type=MessageType.INITIAL,
        content="I'm working on it.",
        timestamp=asked_at,
        parent_msg_uuid=ask.parent_msg_uuid,
        prompt_uuid=prompt_uuid,
        initial_prompt=ask.prompt,
        prompt_time=asked_at,
    )


def status(prompt: Prompt, content: str, at: datetime) -> Message:
    """What is going on."""
    return _passing(prompt, MessageType.STATUS, content, at)


def thought(prompt: Prompt, content: str, sql: str | None, at: datetime) -> Message:
    """What is thought on the way, with the SQL for who asked to see it."""
    return msgspec.structs.replace(_passing(prompt, MessageType.THOUGHT, content, at), sql_query=sql)


def clarification(prompt: Prompt, asked: AskedBack, usage: Usage, at: datetime) -> Message:
    """A question back."""
    labels = tuple(option.label for option in asked.options)
    changes = tuple(option.change for option in asked.options)
    return _final(
        prompt,
        MessageType.CLARIFICATION,
        at,
        content=f"{asked.question} {', '.join(labels)}".strip(),
        clarification=Clarification(question=asked.question, options=labels, changes=changes if any(changes) else ()),
        usage=usage,
    )


def remark(prompt: Prompt, words: str, usage: Usage, at: datetime) -> Message:
    """A response that rests on no data."""
    return _final(prompt, MessageType.RESPONSE, at, content=words, usage=usage)


def failure(prompt: Prompt, reason: CannotGoOn, at: datetime, usage: Usage | None = None) -> Message:
    """The end without an answer."""
    return _final(prompt, MessageType.ERROR, at, content=reason.content, code=reason.code, usage=usage)


def response(prompt: Prompt, ran: RunResult, content: str, result_uuid: UUID, usage: Usage, at: datetime) -> Message:
    """The answer, with the statement that ran and its proof."""
    return _final(
        prompt,
        MessageType.RESPONSE,
        at,
        content=content,
        result_uuid=result_uuid,
        result_type=result_type(ran),
        sql_query=ran.proof.sql,
        proof=ran.proof,
        usage=usage,
    )


def result_type(ran: RunResult) -> ResultType:
    """1×1 is a metric, 1×n a record, everything else a dataset."""
    if ran.row_count != 1:
        return ResultType.DATASET
    return ResultType.METRIC if len(ran.columns) == 1 else ResultType.RECORD


def message_id(message: Message) -> str:
    """De-duplicates what is published again: the initial and the final message share their msg_uuid."""
    return f"{message.msg_uuid}.{message.msg_type}"


def _passing(prompt: Prompt, msg_type: MessageType, content: str, at: datetime) -> Message:
    # The same words of the same prompt are the same message: a worker that resumes says nothing twice.
    return msgspec.structs.replace(
        prompt.message,
        msg_uuid=uuid5(prompt.prompt_uuid, f"{msg_type}: {content}"),
        msg_type=msg_type,
        content=content,
        timestamp=at,
    )


def _final(prompt: Prompt, msg_type: MessageType, at: datetime, **said: object) -> Message:
    return msgspec.structs.replace(prompt.message, msg_type=msg_type, timestamp=at, **said)
