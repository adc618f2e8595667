"""Fewer and larger pieces of a model's stream, before its client sees them.

A client takes about 0.3 ms for a piece, and a statement comes in a hundred. Nobody reads half of a tool's arguments, so
those pieces are joined until the call is complete; words are joined only as far as they came together.
"""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from httpx2 import AsyncByteStream, Response

LONGEST = 64_000
"""Characters that are held back at most."""

_DATA = b"data: "
_EVENT_STREAM = "text/event-stream"


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


class _Piece:
    """An event of OpenAI's protocol that adds to a text. `place[key]` is the text; `frame` is the event without it."""

    def __init__(self, frame: Any, place: dict[str, Any], key: str) -> None:
        self.texts = [place[key]]
        self.held_back = key == "arguments"
        self.frame = frame
        self._place, self._key = place, key
        place[key] = ""

    def joins(self, other: "_Piece") -> bool:
        """Whether they differ in nothing but their text; then this one has both."""
        if self.frame != other.frame or sum(map(len, self.texts)) > LONGEST:
            return False
        self.texts += other.texts
        return True

    def event(self) -> bytes:
        self._place[self._key] = "".join(self.texts)
        return _DATA + msgspec.json.encode(self.frame) + b"\n\n"


class Joiner:
    """Takes the bytes of a stream of events as they are read, gives those of one with fewer events. What it doesn't
    know passes as it came."""

    def __init__(self) -> None:
        self._incomplete = b""
        self._piece: _Piece | None = None
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
        if self._piece is not None and not self._piece.held_back:
            given.append(self._flush())
        return b"".join(given)

    def end(self) -> bytes:
        """The rest."""
        return self._flush() + self._incomplete

    def _add(self, event: bytes) -> list[bytes]:
        piece = _piece(event)
        if piece is not None and self._piece is not None and self._piece.joins(piece):
            return []
        before, self._piece = self._flush(), piece
        return [before] if piece is not None else [before, event, b"\n\n"]

    def _flush(self) -> bytes:
        piece, self._piece = self._piece, None
        return b"" if piece is None else piece.event()


def _piece(event: bytes) -> _Piece | None:
    """None for everything that does more than to add to one text."""
    if not event.startswith(_DATA) or b"\n" in event:
        return None
    try:
        frame = msgspec.json.decode(event[len(_DATA) :])
        frame.pop("obfuscation", None)
        [choice] = frame["choices"]
        delta = choice["delta"]
        if not delta.get("tool_calls"):
            return _Piece(frame, delta, "content") if isinstance(delta["content"], str) else None
        [call] = delta["tool_calls"]
        # The first piece of a call has its id and name too: it goes ahead.
        nameless = not call.get("id") and not call["function"].get("name") and not delta.get("content")
        return _Piece(frame, call["function"], "arguments") if nameless else None
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError):
        return None
