"""A prompt: a question that was accepted, who asked it, and the message that answers it."""

from datetime import datetime
from uuid import UUID

import msgspec

from basejump_common.contracts.chat import FINAL, Message
from basejump_common.security.principal import Role


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """As whom the work is done, and the request that its log lines belong to."""

    client_uuid: UUID
    user_uuid: UUID
    session_uuid: UUID
    role: Role
    request_id: str
    traceparent: str


class AnswerPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of the job that answers a prompt."""

    prompt_uuid: UUID
    asker: Asker


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """A stored prompt. `llm`: the language model it asks for, if any.

    `run_uuid` belongs to no statement any more: every statement of a prompt has its own, kept in the step that proved
    it. The version before read it here.
    """

    prompt_uuid: UUID
    client_uuid: UUID
    chat_uuid: UUID
    team_uuid: UUID
    user_uuid: UUID
    msg_uuid: UUID
    parent_msg_uuid: UUID | None
    question: str
    run_uuid: UUID
    return_sql_in_thoughts: bool
    return_visual_json: bool = False
    llm: str | None = None
    asked_at: datetime
    message: Message

    @property
    def answered(self) -> bool:
        """Whether the final message is stored."""
        return self.message.msg_type in FINAL
