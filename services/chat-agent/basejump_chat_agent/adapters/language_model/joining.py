"""Fewer and larger pieces of a model's stream, before its client sees them.

A client takes about 0.3 ms for a piece, and a statement comes in a hundred. Nobody reads half of a sentence or of a
tool's arguments, so pieces are joined until the turn is complete; but a sentence is given out once it is, and the
beginning of a call that follows words with them.
"""

import re
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import msgspec
from httpx2 import AsyncByteStream, Response

LONGEST = 64_000
"""Bytes of events that are held back at most."""

_DATA = b"data: "
_BLOCK = b"event: content_block_delta\n"
_EVENT_STREAM = "text/event-stream"
_SENTENCE_ENDS = re.compile(r"[.!?…:]\s|\n")


async def join_pieces(response: Response) -> None:
    """A response hook of an HTTP client."""
    if response.headers.get("content-type", "").startswith(_EVENT_STREAM):
        assert isinstance(response.stream, AsyncByteStream)
        response.stream = _Joined(response.stream)


class _Joined(AsyncByteStream):
    def __init__(self, stream: AsyncByteStream) -> None:
        self._stream = stream
        self._joiner = Joiner()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for read in self._stream:
            if joined := self._joiner.feed(read):
                yield joined
        if rest := self._joiner.end():
            yield rest

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Known(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """What is joined; an event that says more passes as it came."""


class _Function(_Known):
    name: str | None = None
    arguments: str | None = None


class _Call(_Known):
    index: int
    function: _Function
    id: str | None = None
    type: str | None = None


class _Delta(_Known):
    role: str | None = None
    content: str | None = None
    refusal: None = None
    tool_calls: list[_Call] | None = None


class _Choice(_Known):
    index: int
    delta: _Delta
    finish_reason: str | None = None
    logprobs: None = None


class _Event(_Known):
    """The event of OpenAI's protocol that goes on with an answer, or says what it took."""

    id: str
    choices: list[_Choice]
    object: str = ""
    created: int = 0
    model: str = ""
    service_tier: str | None = None
    system_fingerprint: str | None = None
    usage: dict[str, Any] | None = None
    obfuscation: str | None = None

    def said(self) -> str:
        return "".join(choice.delta.content or "" for choice in self.choices)

    def begins_call(self) -> bool:
        return any(call.function.name for choice in self.choices for call in choice.delta.tool_calls or ())

    def add(self, step: "_Step") -> bool:
        """False when it is of another answer, or this one has ended."""
        return isinstance(step, _Event) and _join(self, step)

    def encoded(self) -> bytes:
        return _DATA + msgspec.json.encode(self) + b"\n\n"


class _Text(_Known, tag_field="type", tag="text_delta"):
    text: str


class _Arguments(_Known, tag_field="type", tag="input_json_delta"):
    partial_json: str


class _Block(_Known):
    """The event of Anthropic's protocol that goes on with a block."""

    type: str
    index: int
    delta: _Text | _Arguments

    def said(self) -> str:
        return self.delta.text if isinstance(self.delta, _Text) else ""

    def begins_call(self) -> bool:
        return False  # another event does

    def add(self, step: "_Step") -> bool:
        if not isinstance(step, _Block) or step.index != self.index:
            return False
        match self.delta, step.delta:
            case _Text() as words, _Text() as more:
                words.text += more.text
            case _Arguments() as arguments, _Arguments() as more:
                arguments.partial_json += more.partial_json
            case _:
                return False
        return True

    def encoded(self) -> bytes:
        return _BLOCK + _DATA + msgspec.json.encode(self) + b"\n\n"


_Step: TypeAlias = _Event | _Block
_event_of = msgspec.json.Decoder(_Event).decode
_block_of = msgspec.json.Decoder(_Block).decode


class Joiner:
    """Takes the bytes of a stream of events as they are read, gives those of one with fewer events. What it doesn't
    know passes as it came."""

    def __init__(self) -> None:
        self._incomplete = b""
        self._held: _Step | None = None
        self._bytes = 0
        self._spoke = False
        self._passes = False

    def feed(self, read: bytes) -> bytes:
        """What can be given out after this read."""
        # Other ends of lines, or an event that is larger than any we know: from here on all passes as it comes.
        self._passes = self._passes or b"\r" in read or len(self._incomplete) > LONGEST
        if self._passes:
            before, self._incomplete = self.end(), b""
            return before + read
        *events, self._incomplete = (self._incomplete + read).split(b"\n\n")
        given = b"".join(map(self._add, events))
        return given + self._flush() if self._is_listened_for() else given

    def end(self) -> bytes:
        """The rest."""
        return self._flush() + self._incomplete

    def _is_listened_for(self) -> bool:
        """Sentences, and the call after words, which says that they are complete."""
        if self._held is None:
            return False
        said = self._held.said()
        self._spoke = self._spoke or bool(said)
        return bool(_SENTENCE_ENDS.search(said)) or (self._spoke and self._held.begins_call())

    def _add(self, event: bytes) -> bytes:
        step, self._bytes = _step(event), self._bytes + len(event)
        if step is None:
            return self._flush() + event + b"\n\n"
        if self._held is not None and self._bytes <= LONGEST and self._held.add(step):
            return b""
        before, self._held, self._bytes = self._flush(), step, len(event)
        return before

    def _flush(self) -> bytes:
        held, self._held = self._held, None
        return b"" if held is None else held.encoded()


def _step(event: bytes) -> _Step | None:
    """An event that does nothing but to go on with the one answer, or to say what it took; else None."""
    head, data, body = event.partition(_DATA)
    if not data or b"\n" in body or head not in (b"", _BLOCK):
        return None
    try:
        if head:
            return _block_of(body)
        step = _event_of(body)
    except msgspec.DecodeError:
        return None
    return step if len(step.choices) == 1 or (not step.choices and step.usage) else None


def _join(held: _Event, step: _Event) -> bool:
    """Add the step to what is held, unless that is of another answer or has ended."""
    if held.id != step.id or not held.choices:
        return False
    for said, more in zip(held.choices, step.choices, strict=False):
        if said.index != more.index or said.finish_reason or not _join_calls(said.delta, more.delta):
            return False
        if more.delta.content:
            said.delta.content = (said.delta.content or "") + more.delta.content
        said.finish_reason = more.finish_reason
    held.usage = step.usage or held.usage
    return True


def _join_calls(said: _Delta, more: _Delta) -> bool:
    """A call begins with its name, and goes on with arguments alone."""
    for call in more.tool_calls or ():
        begun = next((one for one in said.tool_calls or () if one.index == call.index), None)
        if begun is None:
            said.tool_calls = [*(said.tool_calls or ()), call]
        elif call.id or call.function.name:
            return False
        else:
            begun.function.arguments = (begun.function.arguments or "") + (call.function.arguments or "")
    return True
