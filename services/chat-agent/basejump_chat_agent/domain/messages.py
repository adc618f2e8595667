"""The messages that a prompt says: `initial`, `status`, `thought`, then exactly one that is final."""

from datetime import datetime
from uuid import UUID, uuid5

import msgspec

from basejump_chat_agent.domain.answerer import AskedBack
from basejump_chat_agent.domain.failures import CannotGoOn
from basejump_chat_agent.domain.new_result import NewResult
from basejump_chat_agent.domain.prompt import Prompt
from basejump_chat_agent.domain.verified.rights import verifies
from basejump_common.contracts.chat import Ask, Clarification, Message, MessageType, Usage
from basejump_common.security.principal import Role

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


def waiting(prompt: Prompt, at_once: int, before: int, at: datetime) -> Message:
    """Not begun yet: as many questions of the client as may be are at work; `before` came before this one."""
    most = "1 question" if at_once == 1 else f"{at_once:,} questions"
    said = f"Waiting: your organisation has {most} answered at a time, and {before:,} came before this one."
    return status(prompt, said, at)


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
        clarification=Clarification(
            question=asked.question,
            options=labels,
            changes=changes if any(changes) else (),
            excess=asked.excess,
            instead_of=asked.instead_of,
        ),
        usage=usage,
    )


def remark(prompt: Prompt, words: str, usage: Usage, at: datetime) -> Message:
    """A response that rests on no data."""
    return _final(prompt, MessageType.RESPONSE, at, content=words, usage=usage)


def failure(prompt: Prompt, reason: CannotGoOn, at: datetime, usage: Usage | None = None) -> Message:
    """The end without an answer."""
    return _final(prompt, MessageType.ERROR, at, content=reason.content, code=reason.code, usage=usage)


def response(prompt: Prompt, new: NewResult, usage: Usage, at: datetime) -> Message:
    """The answer, with the statement that ran and its proof, and the chart when one was asked for."""
    return _final(
        prompt,
        MessageType.RESPONSE,
        at,
        content=new.description,
        result_uuid=new.result_uuid,
        result_type=new.result_type,
        sql_query=new.ran.proof.sql,
        visual_result_uuid=None if new.visual.figure is None else new.result_uuid,
        visual_json=new.visual.figure,
        visual_explanation=new.visual.explanation,
        proof=new.ran.proof,
        usage=usage,
        verified=new.recalled is not None,
        verified_user_role=None if new.recalled is None else new.recalled.role,
        verified_user_uuid=None if new.recalled is None else new.recalled.user_uuid,
    )


def for_reader(message: Message, role: Role) -> Message:
    """The message as somebody of that role reads it."""
    verified_as = None if message.verified_user_role is None else Role(message.verified_user_role)
    can_verify = message.result_uuid is not None and verifies(role, verified_as)
    return msgspec.structs.replace(message, can_verify=can_verify)


def withheld(message: Message) -> Message:
    """The answer without what it says of a result that its reader may not read (any more)."""
    return msgspec.structs.replace(
        message,
        content="The result of this answer was deleted, or you may no longer read what it rests on.",
        result_type=None,
        sql_query=None,
        visual_result_uuid=None,
        visual_json=None,
        visual_explanation=None,
        proof=None,
    )


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
