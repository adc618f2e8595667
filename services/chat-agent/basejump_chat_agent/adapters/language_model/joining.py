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
_KNOWN = frozenset({"index", "delta", "finish_reason", "role", "content", "tool_calls"})
_VARYING = {"choices": None, "usage": None}


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


class Joiner:
    """Takes the bytes of a stream of events as they are read, gives those of one with fewer events. What it doesn't
    know passes as it came."""

    def __init__(self) -> None:
        self._incomplete = b""
        self._held: Any = None
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
        given = [part for event in events for part in self._add(event)]
        if self._held is not None and self._is_listened_for():
            given.append(self._flush())
        return b"".join(given)

    def end(self) -> bytes:
        """The rest."""
        return self._flush() + self._incomplete

    def _is_listened_for(self) -> bool:
        """Sentences, and the call after words, which says that they are complete."""
        for choice in self._held["choices"]:
            said, calls = choice["delta"].get("content") or "", choice["delta"].get("tool_calls") or ()
            self._spoke = self._spoke or bool(said)
            if _SENTENCE_ENDS.search(said) or (self._spoke and any(call["function"].get("name") for call in calls)):
                return True
        return False

    def _add(self, event: bytes) -> list[bytes]:
        step, self._bytes = _step(event), self._bytes + len(event)
        if step is None:
            return [self._flush(), event, b"\n\n"]
        if self._held is not None and self._bytes <= LONGEST and _join(self._held, step):
            return []
        before, self._held, self._bytes = self._flush(), step, len(event)
        return [before]

    def _flush(self) -> bytes:
        held, self._held = self._held, None
        return b"" if held is None else _DATA + msgspec.json.encode(held) + b"\n\n"


def _step(event: bytes) -> Any:
    """An event of OpenAI's protocol that does nothing but to go on with the one answer, or to say what it took; else
    None."""
    if not event.startswith(_DATA) or b"\n" in event:
        return None
    try:
        frame = msgspec.json.decode(event[len(_DATA) :])
        frame.pop("obfuscation", None)
        choices = frame["choices"]
        known = len(choices) == 1 and _goes_on(choices[0]) if choices else bool(frame["usage"])
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
        return None
    return frame if known else None


def _goes_on(choice: dict[str, Any]) -> bool:
    delta = choice["delta"]
    told = {key for key, value in [*choice.items(), *delta.items()] if value not in (None, "", [])}
    calls = delta.get("tool_calls") or []
    texts = [delta.get("content"), *(call["function"].get("arguments") for call in calls)]
    places = [choice["index"], *(call["index"] for call in calls)]
    are_texts = all(text is None or isinstance(text, str) for text in texts)
    return told <= _KNOWN and are_texts and len(calls) < 2 and all(isinstance(place, int) for place in places)


def _join(held: dict[str, Any], step: dict[str, Any]) -> bool:
    """Add the step to what is held, unless that is of another answer or has ended."""
    if {**held, **_VARYING} != {**step, **_VARYING}:
        return False
    for said, more in zip(held["choices"], step["choices"], strict=False):
        if said["index"] != more["index"] or said.get("finish_reason") or not _join_calls(said["delta"], more["delta"]):
            return False
        if text := more["delta"].get("content"):
            said["delta"]["content"] = (said["delta"].get("content") or "") + text
        said["finish_reason"] = more.get("finish_reason")
    held["usage"] = step.get("usage") or held.get("usage")
    return bool(held["choices"])


def _join_calls(said: dict[str, Any], more: dict[str, Any]) -> bool:
    """A call begins with its name, and goes on with arguments alone."""
    calls = said.get("tool_calls") or []
    for call in more.get("tool_calls") or ():
        begun = next((one for one in calls if one["index"] == call["index"]), None)
        if begun is None:
            calls.append(call)
        elif call.get("id") or call["function"].get("name"):
            return False
        else:
            function, text = begun["function"], call["function"].get("arguments") or ""
            function["arguments"] = (function.get("arguments") or "") + text
    if calls:
        said["tool_calls"] = calls
    return True
