"""What a provider's protocol must give the server; and JSON and server-sent events as both write them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar
from uuid import uuid4

import msgspec

from basejump_devstack.model_server import tokens
from basejump_devstack.model_server.conversation import BadRequest, Conversation
from basejump_devstack.model_server.playing import Spoken

MODEL = "scripted"
"""The model that the server lists; it answers to any name."""

T = TypeVar("T")
Frame = tuple[bytes, int]
"""A piece of a stream, and how many of the answer's tokens it carries."""


class Wire(Protocol):
    """A provider's protocol. Implementations hold no state."""

    @property
    def name(self) -> Literal["openai", "anthropic"]:
        """What it is called."""

    def key(self, headers: Mapping[str, str]) -> str:
        """The API key that came along, or nothing."""

    def read(self, body: bytes) -> Conversation:
        """Raises BadRequest where the provider would."""

    def whole(self, spoken: Spoken) -> bytes:
        """The answer in one body."""

    def frames(self, spoken: Spoken, *, usage: bool) -> Iterator[Frame]:
        """The answer as a stream of events."""

    def failure(self, status: int, message: str, kind: str | None) -> bytes:
        """The body of an HTTP error; `kind` is the provider's type of it, when it isn't the usual one."""

    def broken(self) -> bytes:
        """The event that says, in the middle of a stream, that something went wrong."""

    def models(self) -> bytes:
        """What models there are."""


def encode(value: object) -> bytes:
    """JSON."""
    return msgspec.json.encode(value)


def decode(body: bytes, kind: type[T]) -> T:
    """Raises BadRequest."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(str(error)) from error


def event(data: object, name: str | None = None) -> bytes:
    """A server-sent event of JSON."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + encode(data) + b"\n\n"


def bearer_token(headers: Mapping[str, str]) -> str:
    """The token of the Authorization header, or nothing."""
    return headers.get("authorization", "").removeprefix("Bearer ").strip()


def new_id(prefix: str) -> str:
    """An identifier as providers give them."""
    return prefix + uuid4().hex[:24]


def text_of(content: str | Sequence[Mapping[str, Any]] | None) -> str:
    """The text in a message's content, which is text or parts with text."""
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(str(part["text"]) for part in content if part.get("type") == "text" and "text" in part)


def estimate(*parts: object) -> int:
    """Tokens of texts, and of everything else as JSON; each part costs four more to say what it is."""
    return sum(4 + tokens.count(part if isinstance(part, str) else encode(part).decode()) for part in parts if part)
