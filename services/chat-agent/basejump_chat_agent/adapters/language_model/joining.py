"""Fewer and larger pieces of a model's stream, before its client sees them.

A client takes about 0.3 ms for a piece, and a statement comes in a hundred. Nobody reads half of a sentence or of a
tool's arguments, so pieces are joined until the turn is complete; but a sentence is given out once it is, and the
beginning of a call that follows words with them.
"""

import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from httpx2 import AsyncByteStream, Response

LONGEST = 64_000
"""Bytes of events that are held back at most."""

_DATA = b"data: "
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
    """What of OpenAI's protocol is joined; an event that says more passes as it came."""


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
    id: str
    choices: list[_Choice]
    object: str = ""
    created: int = 0
    model: str = ""
    service_tier: str | None = None
    system_fingerprint: str | None = None
    usage: dict[str, Any] | None = None
    obfuscation: str | None = None


_decode = msgspec.json.Decoder(_Event).decode


class Joiner:
    """Takes the bytes of a stream of events as they are read, gives those of one with fewer events. What it doesn't
    know passes as it came."""

    def __init__(self) -> None:
        self._incomplete = b""
        self._held: _Event | None = None
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
        for choice in self._held.choices if self._held is not None else ():
            said, calls = choice.delta.content or "", choice.delta.tool_calls or ()
            self._spoke = self._spoke or bool(said)
            if _SENTENCE_ENDS.search(said) or (self._spoke and any(call.function.name for call in calls)):
                return True
        return False

    def _add(self, event: bytes) -> bytes:
        step, self._bytes = _step(event), self._bytes + len(event)
        if step is None:
            return self._flush() + event + b"\n\n"
        if self._held is not None and self._bytes <= LONGEST and _join(self._held, step):
            return b""
        before, self._held, self._bytes = self._flush(), step, len(event)
        return before

    def _flush(self) -> bytes:
        held, self._held = self._held, None
        return b"" if held is None else _DATA + msgspec.json.encode(held) + b"\n\n"


def _step(event: bytes) -> _Event | None:
    """An event that does nothing but to go on with the one answer, or to say what it took; else None."""
    if not event.startswith(_DATA) or b"\n" in event:
        return None
    try:
        step = _decode(event[len(_DATA) :])
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
