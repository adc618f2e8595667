"""chat: chats, messages, the agent's work on a prompt, and the live stream of what it says."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from basejump_common.contracts.common import Done, Name, PageRequest, Text, WidePageRequest
from basejump_common.contracts.connection import Excess, Proof, Question
from basejump_common.contracts.erasing import erase_client
from basejump_common.contracts.operation import PUBLIC, EventType, Operation
from basejump_common.errors import Conflict, InvalidInput, NotFound, TooManyRequests, Unauthenticated
from basejump_common.security.principal import Role
from basejump_common.security.secret import Secret

# -- chats --------------------------------------------------------------------------------------------------------


class PriorMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a conversation held elsewhere."""

    role: Annotated[str, Meta(pattern=r"^(user|assistant)$(?!\n)")]
    content: Text


class CreateChat(msgspec.Struct, frozen=True, kw_only=True):
    """A chat of a team the caller belongs to; `messages` are prior history."""

    team_uuid: UUID
    messages: Annotated[tuple[PriorMessage, ...], Meta(max_length=200)] = ()


class OrphanType(StrEnum):
    """Whose deletion has left a chat behind. One without its user is read and deleted by ADMINs."""

    USER_DELETED = "user_deleted"
    TEAM_DELETED = "team_deleted"


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    """`chat_name` is the first question until somebody names it."""

    chat_uuid: UUID
    team_uuid: UUID
    user_uuid: UUID
    chat_name: str | None
    chat_description: str
    created_at: datetime
    updated_at: datetime
    orphan_type: OrphanType | None = None


class ByChat(msgspec.Struct, frozen=True, kw_only=True):
    """Names a chat."""

    chat_uuid: UUID


class ListChats(WidePageRequest, frozen=True, kw_only=True):
    """The caller's chats; an ADMIN may widen to the whole client."""


class ChatPage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first."""

    data: tuple[Chat, ...]
    next_cursor: str | None = None


class UpdateChat(msgspec.Struct, frozen=True, kw_only=True):
    """What is given is changed."""

    chat_uuid: UUID
    chat_name: Name | None = None
    chat_description: Text | None = None


# -- messages -----------------------------------------------------------------------------------------------------


class MessageType(StrEnum):
    """`response`, `clarification` and `error` are final: exactly one of them ends a prompt."""

    INITIAL = "initial"
    STATUS = "status"
    THOUGHT = "thought"
    SOLUTION = "solution"
    RESPONSE = "response"
    CLARIFICATION = "clarification"
    ERROR = "error"


FINAL = frozenset({MessageType.RESPONSE, MessageType.CLARIFICATION, MessageType.ERROR})


class ResultType(StrEnum):
    """1×1, 1×n and everything else."""

    METRIC = "metric"
    RECORD = "record"
    DATASET = "dataset"


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer took. Tokens are the language model's, None with the built-in planner.

    `database_seconds`: for how long the queried database was waited for by the statements that ran: logging in, values
    looked up, estimates and rows.
    `model` is the one that answered last, as `provider:model`; `cost` is in the price table's currency, None where
    that doesn't know the model; `prompts_version` names the prompts it was given.
    """

    planner: str
    database_seconds: float = 0.0
    total_seconds: float = 0.0
    input_tokens: int | None = None
    output_tokens: int | None = None
    model: str | None = None
    model_calls: int = 0
    cost: float | None = None
    prompts_version: str | None = None


class Clarification(msgspec.Struct, frozen=True, kw_only=True):
    """A question back to the person, answered by a prompt with `parent_msg_uuid`.

    `changes[i]` says what choosing `options[i]` would change; empty where the option says it itself. With `excess` it
    asks whether a statement may run that takes more than the client's limit; with `instead_of` which value is meant by
    a word that no row has, or whether the word itself.
    """

    question: str
    options: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    excess: Excess | None = None
    instead_of: str | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message, the same in the reply, the stream, webhooks and lists."""

    msg_uuid: UUID
    chat_uuid: UUID
    role: str
    msg_type: MessageType
    content: str
    timestamp: datetime
    parent_msg_uuid: UUID | None = None
    prompt_uuid: UUID | None = None
    initial_prompt: str | None = None
    prompt_time: datetime | None = None
    code: str | None = None
    result_uuid: UUID | None = None
    result_type: ResultType | None = None
    sql_query: str | None = None
    visual_result_uuid: UUID | None = None
    visual_json: dict[str, Any] | None = None
    visual_explanation: str | None = None
    saved_result_uuid: UUID | None = None
    verified: bool = False
    verified_user_role: str | None = None
    verified_user_uuid: UUID | None = None
    can_verify: bool = False
    thumbs_up: bool | None = None
    proof: Proof | None = None
    usage: Usage | None = None
    clarification: Clarification | None = None


LlmName = Annotated[str, Meta(min_length=1, max_length=200)]
"""A language model as `provider:model`; `built-in` is the planner without one."""


WebhookUrl = Annotated[str, Meta(min_length=8, max_length=2_000)]
WebhookHeaders = Annotated[dict[str, Secret], Meta(max_length=20)]


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A question. The gateway chooses `prompt_uuid`, so that it listens before the work begins; asked again with
    the same one, the stored prompt answers and nothing is done twice. `llm`: answered by this language model rather
    than the client's, where the client allows it. The final message is sent to `webhook_url` as well, signed, with
    `webhook_headers` added."""

    chat_uuid: UUID
    prompt: Question
    prompt_uuid: UUID | None = None
    parent_msg_uuid: UUID | None = None
    return_visual_json: bool = False
    return_sql_in_thoughts: bool = False
    llm: LlmName | None = None
    webhook_url: WebhookUrl | None = None
    webhook_headers: WebhookHeaders = {}


class ByMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Names a message."""

    msg_uuid: UUID


class JudgeMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What a person thinks of an answer, named by its msg_uuid; null takes back what was thought before."""

    parent_msg_uuid: UUID
    thumbs_up: bool | None
    reason: Annotated[str, Meta(max_length=2_000)] = ""


class ChatMessagesRequest(PageRequest, frozen=True, kw_only=True):
    """The messages of one chat."""

    chat_uuid: UUID


class MessagePage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first."""

    data: tuple[Message, ...]
    next_cursor: str | None = None


class AwaitingQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question that a member got no answer to, because the client is STRICT and nobody has verified one: ask it in a
    chat of that team, and verify the answer. Said in the same words over one database it is one, `times` asked, and
    told as it was asked last."""

    msg_uuid: UUID
    chat_uuid: UUID
    user_uuid: UUID
    team_uuid: UUID
    db_uuid: UUID
    question: str
    asked_at: datetime
    times: int


class AwaitingPage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first, of the last 90 days; a question is gone once an answer to it is verified."""

    data: tuple[AwaitingQuestion, ...]
    next_cursor: str | None = None


# -- the stream of a chat -----------------------------------------------------------------------------------------


class OpenStream(msgspec.Struct, frozen=True, kw_only=True):
    """The messages of a chat as they happen: those after `last_event_id` (the header `Last-Event-ID` counts before
    it), or from now on. A browser, which can't send a token, gives a `ticket`."""

    chat_uuid: UUID
    last_event_id: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    ticket: Secret | None = None


class StreamReader(msgspec.Struct, frozen=True, kw_only=True):
    """Who may read a chat's stream, until when (seconds since the epoch), and what would end it before."""

    client_uuid: UUID
    chat_uuid: UUID
    user_uuid: UUID
    role: Role
    session_uuid: UUID | None = None
    secret_uuid: UUID | None = None
    issued_at: int
    expires_at: int


class StreamTicket(msgspec.Struct, frozen=True, kw_only=True):
    """Opens the stream of one chat once, as the user who asked for it. The stream ends with that user's token."""

    ticket: Secret
    expires_at: datetime


DELETED = "deleted"
"""In the place of the prompt in a subject: the chat was deleted, nothing follows."""


def stream_subject(client_uuid: UUID | str, chat_uuid: UUID | str, prompt_uuid: UUID | str) -> str:
    """Where chat-agent publishes the messages of a prompt (stream CHAT)."""
    return f"basejump.v1.chat-stream.{client_uuid}.{chat_uuid}.{prompt_uuid}"


def live_subject(client_uuid: UUID | str, chat_uuid: UUID | str, prompt_uuid: UUID | str) -> str:
    """Where the stream republishes them for plain subscribers, with the header `Nats-Sequence`."""
    return f"basejump.v1.chat-live.{client_uuid}.{chat_uuid}.{prompt_uuid}"


# -- events -------------------------------------------------------------------------------------------------------


class MessageAnswered(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt has its final message; `code` is that of an error: `not_verified` is a question that waits for somebody
    to verify an answer."""

    chat_uuid: UUID
    prompt_uuid: UUID
    msg_uuid: UUID
    msg_type: MessageType
    code: str | None = None


class MessageJudged(msgspec.Struct, frozen=True, kw_only=True):
    """A person said what they think of an answer; why is not told here."""

    chat_uuid: UUID
    prompt_uuid: UUID
    msg_uuid: UUID
    user_uuid: UUID
    thumbs_up: bool | None


MESSAGE_JUDGED = EventType("message", "judged", MessageJudged, publisher="chat-agent")
MESSAGE_ANSWERED = EventType("message", "answered", MessageAnswered, publisher="chat-agent")

# -- operations ---------------------------------------------------------------------------------------------------

CREATE_CHAT = Operation(
    "basejump.v1.chat.chat.create", takes=CreateChat, gives=Chat, allow=Role.MEMBER, errors=(NotFound,)
)
LIST_CHATS = Operation("basejump.v1.chat.chat.list", takes=ListChats, gives=ChatPage, allow=Role.MEMBER)
GET_CHAT = Operation("basejump.v1.chat.chat.get", takes=ByChat, gives=Chat, allow=Role.MEMBER, errors=(NotFound,))
UPDATE_CHAT = Operation(
    "basejump.v1.chat.chat.update", takes=UpdateChat, gives=Chat, allow=Role.MEMBER, errors=(NotFound,)
)
DELETE_CHAT = Operation("basejump.v1.chat.chat.delete", takes=ByChat, gives=Done, allow=Role.MEMBER, errors=(NotFound,))
ASK = Operation(
    "basejump.v1.chat.message.ask",
    takes=Ask,
    gives=Message,
    allow=Role.MEMBER,
    errors=(NotFound, Conflict, InvalidInput),
)
LIST_MESSAGES = Operation(
    "basejump.v1.chat.message.list",
    takes=ChatMessagesRequest,
    gives=MessagePage,
    allow=Role.MEMBER,
    errors=(NotFound,),
)
GET_MESSAGE = Operation(
    "basejump.v1.chat.message.get", takes=ByMessage, gives=Message, allow=Role.MEMBER, errors=(NotFound,)
)
LIST_AWAITING = Operation(
    "basejump.v1.chat.message.list-awaiting", takes=PageRequest, gives=AwaitingPage, allow=Role.ADMIN
)
JUDGE_MESSAGE = Operation(
    "basejump.v1.chat.message.judge",
    takes=JudgeMessage,
    gives=Message,
    allow=Role.MEMBER,
    errors=(NotFound, Conflict),
)
STOP_CHAT = Operation("basejump.v1.chat.chat.stop", takes=ByChat, gives=Done, allow=Role.MEMBER, errors=(NotFound,))
OPEN_STREAM = Operation(
    "basejump.v1.chat.stream.open",
    takes=OpenStream,
    gives=StreamReader,
    allow=Role.MEMBER,
    errors=(NotFound, TooManyRequests),
)
CREATE_STREAM_TICKET = Operation(
    "basejump.v1.chat.stream.create-ticket",
    takes=ByChat,
    gives=StreamTicket,
    allow=Role.MEMBER,
    errors=(NotFound,),
)
REDEEM_STREAM_TICKET = Operation(
    "basejump.v1.chat.stream.redeem-ticket",
    takes=OpenStream,
    gives=StreamReader,
    allow=PUBLIC,
    errors=(Unauthenticated,),
)
ERASE_CLIENT = erase_client("chat")
