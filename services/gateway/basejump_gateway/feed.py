"""What is said in chats (stream CHAT), as it happens and from any place on: each message once, in order, none left out.

Live messages come on plain subscriptions. Whenever some may have been missed (NATS was away, the reader was too slow,
or a reader resumes), they are read from the stream, page by page, until there is none left; then live ones go on. The
sequence of the stream, which is also the id of the event that a reader gets, tells which were seen.

A page is read by a consumer of its own: to find nothing takes it 2 ms among 200,000 messages, a direct get 200 ms.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

import msgspec
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js import api
from nats.js.errors import Error as JetStreamError

from basejump_common.bus import Bus
from basejump_common.bus.topology import CHAT_STREAM
from basejump_common.contracts import chat
from basejump_common.errors import Unavailable

WAITING = 256
"""Live messages kept for a reader; one that is slower reads them from the stream."""

PAGE = 64
"""Messages read from the stream at once."""

FETCH_SECONDS = 5.0
RETRY_SECONDS = 0.5
_SEQUENCE = "Nats-Sequence"
_AWAY = "chats can't be followed just now; try again"


class Said(msgspec.Struct, frozen=True):
    """A message's bytes, its place in the stream and the prompt that it belongs to (or `chat.DELETED`).

    `sequence` is None for what was not read from the stream; no `data`: a place, and nothing new.
    """

    sequence: int | None
    data: bytes
    about: str = ""


class Kept(msgspec.Struct, frozen=True):
    """Messages that the stream keeps, oldest first; `more`: others follow them."""

    page: list[Said]
    more: bool


class Drained(Exception):
    """The gateway ends: whoever listens connects again, to another one."""


class Answered(Exception):
    """The final message was given out already."""


class Window(msgspec.Struct, frozen=True):
    """The first and the last place that the stream keeps; the first is one more than the last when it is empty."""

    first: int
    last: int


class Deleted(Exception):
    """The chat was deleted: nothing follows."""


class Listener:
    """One reader's place. `last` is the sequence of what it was given last; set it to resume."""

    def __init__(self, kept_after: Callable[[int], Awaitable[Kept]]) -> None:
        self.last = 0
        self._kept_after = kept_after
        self._kept: deque[Said] = deque()
        self._arrived: asyncio.Queue[Said | None] = asyncio.Queue(WAITING)
        self._missed, self._regained = 0, 0  # how often something may have been missed, and was read again
        self._ended = False

    async def next(self) -> Said:
        """The next message. May be canceled and called again: nothing is lost by it. Raises Drained, Deleted."""
        while not self._ended:
            said = await self._kept_or_live()
            if said is not None and (said.sequence or 0) > self.last:
                self.last = said.sequence or 0
                if said.about == chat.DELETED:
                    raise Deleted
                return said
        raise Drained

    def resume(self, last: int) -> None:
        """Go on after `last`, with what the stream keeps."""
        self.last = last
        self.may_have_missed()

    def arrived(self, said: Said) -> None:
        """A live message."""
        try:
            self._arrived.put_nowait(said)
        except asyncio.QueueFull:
            self._missed += 1

    def may_have_missed(self) -> None:
        """What comes next is read from the stream."""
        self._missed += 1
        self._wake()

    def end(self) -> None:
        """Give out nothing more."""
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(asyncio.QueueFull):  # then it isn't waiting
            self._arrived.put_nowait(None)

    async def _kept_or_live(self) -> Said | None:
        if self._kept:
            return self._kept.popleft()
        if self._missed == self._regained:
            return await self._arrived.get()
        missed = self._missed
        try:
            kept = await self._kept_after(self.last)
        except Unavailable:
            await asyncio.sleep(RETRY_SECONDS)
            return None
        self._kept.extend(kept.page)
        if not kept.more:
            self._regained = missed
        return None


class ChatFeed:
    """All the readers of this gateway."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._listeners: set[Listener] = set()
        self._draining = False
        bus.on_reconnect(self._reconnected)

    def drain(self) -> None:
        """End every reader now."""
        self._draining = True
        for listener in self._listeners:
            listener.end()

    @asynccontextmanager
    async def listening(self, client_uuid: UUID, chat_uuid: UUID, about: UUID | str = "*") -> AsyncIterator[Listener]:
        """What is said in a chat, or about one prompt of it. NATS knows of it before it knows of anything that this
        gateway sends from here on, what it asks of the stream included. Raises Unavailable."""
        listener = Listener(lambda last: self._kept_after(last, chat.stream_subject(client_uuid, chat_uuid, about)))

        async def arrived(message: Msg) -> None:
            sequence = (message.headers or {}).get(_SEQUENCE, "")
            if sequence.isdecimal():
                listener.arrived(Said(int(sequence), message.data, _last_word(message.subject)))

        subscription = await self._subscribe(chat.live_subject(client_uuid, chat_uuid, about), arrived)
        self._listeners.add(listener)
        if self._draining:
            listener.end()
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            with contextlib.suppress(NatsError, OSError):
                await subscription.unsubscribe()

    async def window(self) -> Window:
        """Which places the stream keeps. Raises Unavailable."""
        self._require_connection()
        with _away_when_failing():
            state = (await self._bus.jetstream.stream_info(CHAT_STREAM)).state
        return Window(state.first_seq, state.last_seq)

    def _reconnected(self) -> None:
        for listener in self._listeners:
            listener.may_have_missed()

    async def _kept_after(self, last: int, subject: str) -> Kept:
        self._require_connection()
        config = api.ConsumerConfig(
            filter_subject=subject,
            deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=last + 1,
            ack_policy=api.AckPolicy.NONE,
            inactive_threshold=FETCH_SECONDS,
            mem_storage=True,
            num_replicas=1,
        )
        with _away_when_failing():
            consumer = await self._bus.jetstream.add_consumer(CHAT_STREAM, config)
            pending = consumer.num_pending or 0
            page = await self._fetched(consumer.name, min(pending, PAGE))
        return Kept(page, pending > len(page))

    async def _fetched(self, consumer: str, count: int) -> list[Said]:
        """That many messages of a consumer, and its end; one that is left behind ends by itself."""
        if count == 0:
            await self._bus.jetstream.delete_consumer(CHAT_STREAM, consumer)
            return []
        subscription = await self._bus.jetstream.pull_subscribe_bind(consumer, CHAT_STREAM)
        try:
            messages = await subscription.fetch(count, timeout=FETCH_SECONDS)
        finally:
            await subscription.unsubscribe()
        await self._bus.jetstream.delete_consumer(CHAT_STREAM, consumer)
        return [Said(m.metadata.sequence.stream, m.data, _last_word(m.subject)) for m in messages]

    async def _subscribe(self, subject: str, arrived: Callable[[Msg], Awaitable[None]]) -> Subscription:
        self._require_connection()
        with _away_when_failing():
            return await self._bus.nats.subscribe(subject, cb=arrived)

    def _require_connection(self) -> None:
        if not self._bus.connected:
            raise Unavailable(_AWAY, retry_after=1.0)


def _last_word(subject: str) -> str:
    return subject.rpartition(".")[2]


@contextmanager
def _away_when_failing() -> Iterator[None]:
    try:
        yield
    except (TimeoutError, NatsError, JetStreamError, OSError) as error:
        raise Unavailable(_AWAY, retry_after=1.0) from error
