"""Server-sent events (the HTML standard, section 9.2): what they look like, and a response that sends them."""

from collections.abc import AsyncGenerator

import msgspec

from basejump_gateway.piping import Piped

MEDIA_TYPE = "text/event-stream"

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


class EventStream(Piped):
    """Sends what `frames` gives, as Piped does."""

    @classmethod
    async def begun(cls, frames: AsyncGenerator[bytes]) -> "EventStream":
        """With its first frame: what goes wrong until there is one is raised, and answered as a problem."""
        # nginx and its like would hold events back.
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"x-accel-buffering", b"no")]
        return cls(await anext(frames), frames, headers)


def accepts_events(accept: bytes) -> bool:
    """Whether the header `Accept` names event streams."""
    return any(_names_events(part) for part in accept.decode("latin-1").split(","))


def _names_events(media_range: str) -> bool:
    kind, *parameters = (part.strip().lower() for part in media_range.split(";"))
    return kind == MEDIA_TYPE and not any(
        p.replace(" ", "") in ("q=0", "q=0.0", "q=0.00", "q=0.000") for p in parameters
    )
