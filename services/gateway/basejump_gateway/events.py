"""Server-sent events (the HTML standard, section 9.2): what they look like, and a response that sends them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec
from litestar import Response

from basejump_gateway.edge import Receive, Scope, Send

MEDIA_TYPE = "text/event-stream"
STALLED_SECONDS = 60.0
"""A reader who takes nothing for so long is cut off."""

HEARTBEAT = b": \n\n"


class StreamEnd(msgspec.Struct, frozen=True, kw_only=True):
    """The data of the event `end`: why nothing follows, and what to do. Reasons: `draining`, `token_expired`,
    `revoked`, `chat_deleted`."""

    reason: str
    detail: str


class StreamGap(msgspec.Struct, frozen=True, kw_only=True):
    """The data of the event `gap`: messages after the given `Last-Event-ID` may be gone; read the list of messages."""

    detail: str


def event(data: bytes, sequence: int | None = None) -> bytes:
    """A message. Without `data` it only moves the reader's `Last-Event-ID`. JSON has no line breaks of its own."""
    place = b"" if sequence is None else b"id: %d\n" % sequence
    return place + (b"data: %b\n\n" % data if data else b"\n")


def notice(name: str, data: msgspec.Struct) -> bytes:
    """An event of ours, which isn't a message."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode(data))


def retry(seconds: float) -> bytes:
    """How long a browser waits before it connects again."""
    return b"retry: %d\n\n" % int(seconds * 1000)


class EventStream(Response[bytes]):
    """Sends `first` and what `frames` gives, until it ends or the reader is gone; then `frames` is closed."""

    def __init__(self, first: bytes, frames: AsyncGenerator[bytes]) -> None:
        super().__init__(first, media_type=MEDIA_TYPE)
        self._frames = frames

    @classmethod
    async def begun(cls, frames: AsyncGenerator[bytes]) -> "EventStream":
        """With its first frame: what goes wrong until there is one is raised, and answered as a problem."""
        return cls(await anext(frames), frames)

    def to_asgi_response(self, *_: object, **__: object) -> Any:
        """Litestar's hook: the ASGI application that answers."""
        return self._answer

    async def _answer(self, _scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._frames):
            sending = asyncio.create_task(self._send_all(send))
            gone = asyncio.create_task(disconnected(receive))
            try:
                await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
                if sending.done():
                    sending.result()
            finally:
                gone.cancel()
                sending.cancel()
                await asyncio.wait({sending})

    async def _send_all(self, send: Send) -> None:
        # nginx and its like would hold events back.
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"x-accel-buffering", b"no")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await _send(send, self.content)
        async for frame in self._frames:
            await _send(send, frame)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send(send: Send, frame: bytes) -> None:
    async with asyncio.timeout(STALLED_SECONDS):
        await send({"type": "http.response.body", "body": frame, "more_body": True})


async def disconnected(receive: Receive) -> None:
    """Return once the caller has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


def accepts_events(accept: bytes) -> bool:
    """Whether the header `Accept` names event streams."""
    return any(_names_events(part) for part in accept.decode("latin-1").split(","))


def _names_events(media_range: str) -> bool:
    kind, *parameters = (part.strip().lower() for part in media_range.split(";"))
    return kind == MEDIA_TYPE and not any(
        p.replace(" ", "") in ("q=0", "q=0.0", "q=0.00", "q=0.000") for p in parameters
    )
