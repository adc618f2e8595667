"""A question and what comes of it: the messages of its prompt, as they happen, to whoever waits for them."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from uuid import UUID, uuid4

import msgspec
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from basejump_common.bus import Bus, Context
from basejump_common.contracts import chat, wire
from basejump_common.errors import BasejumpError, Unavailable

LOOK_AGAIN_SECONDS = 10.0
"""Live messages are lost while NATS is away: after a silence as long as this, the stored message is read."""

FLUSH_SECONDS = 5
_AWAY = "questions can't be asked just now; try again"
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,9})\b")


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """How long a call waits for a final message, in seconds."""

    default: float
    longest: float

    def asked(self, prefer: str) -> float:
        """What the header `Prefer` (RFC 7240) asks for, within the limit; one that can't be read is ignored."""
        found = _WAIT.search(prefer)
        return min(float(found.group(1)) if found else self.default, self.longest)


class _Glimpse(msgspec.Struct, frozen=True):
    """All the gateway reads of a message."""

    msg_uuid: UUID
    msg_type: str

    @property
    def final(self) -> bool:
        return self.msg_type in chat.FINAL


_glimpse = msgspec.json.Decoder(_Glimpse).decode


class Prompts:
    """Asks questions and follows them. Nobody who stops listening cancels anything."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._listening: set[asyncio.Queue[bytes | None]] = set()
        self._draining = False

    def drain(self) -> None:
        """End every iteration now: whoever waits answers with what it has."""
        self._draining = True
        for queue in self._listening:
            queue.put_nowait(None)

    async def answer(self, context: Context, question: chat.Ask, seconds: float) -> bytes:
        """The final message, or after `seconds`, or when the gateway drains, the `initial` one. The message's bytes.

        Raises what `chat.ASK` raises.
        """
        async with aclosing(self.messages(context, question)) as messages:
            latest = initial = await anext(messages)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    async for message in messages:
                        latest = message
            return latest if _glimpse(latest).final else initial

    async def messages(self, context: Context, question: chat.Ask) -> AsyncGenerator[bytes]:
        """The prompt's messages from the first to the final one, each once, as bytes. Ends early when draining."""
        prompt_uuid = uuid4()
        question = msgspec.structs.replace(question, prompt_uuid=prompt_uuid)
        subject = chat.live_subject(context.caller.tenant, question.chat_uuid, prompt_uuid)
        async with self._subscribed(subject) as arriving:
            first = await self._bus.call_bytes(chat.ASK, wire.encode(question), context)
            yield first
            initial = seen = _glimpse(first)
            while not seen.final:
                message = await self._next(arriving, initial.msg_uuid, context)
                if message is None:
                    return
                seen = _glimpse(message)
                if seen.msg_type != chat.MessageType.INITIAL:
                    yield message

    @asynccontextmanager
    async def _subscribed(self, subject: str) -> AsyncIterator[asyncio.Queue[bytes | None]]:
        """What arrives on a subject, None at its end. On entering, NATS knows of the subscription."""
        arriving: asyncio.Queue[bytes | None] = asyncio.Queue()

        async def arrived(message: Msg) -> None:
            arriving.put_nowait(message.data)

        subscription = await self._subscribe(subject, arrived)
        self._listening.add(arriving)
        if self._draining:
            arriving.put_nowait(None)
        try:
            yield arriving
        finally:
            self._listening.discard(arriving)
            with contextlib.suppress(NatsError, OSError):
                await subscription.unsubscribe()

    async def _subscribe(self, subject: str, arrived: Callable[[Msg], Awaitable[None]]) -> Subscription:
        if not self._bus.connected:
            raise Unavailable(_AWAY, retry_after=1.0)
        try:
            subscription = await self._bus.nats.subscribe(subject, cb=arrived)
            await self._bus.nats.flush(FLUSH_SECONDS)
        except (TimeoutError, NatsError, OSError) as error:
            raise Unavailable(_AWAY, retry_after=1.0) from error
        return subscription

    async def _next(self, arriving: asyncio.Queue[bytes | None], msg_uuid: UUID, context: Context) -> bytes | None:
        while True:
            try:
                async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                    return await arriving.get()
            except TimeoutError:
                stored = await self._stored(msg_uuid, context)
                if stored is not None and _glimpse(stored).final:
                    return stored

    async def _stored(self, msg_uuid: UUID, context: Context) -> bytes | None:
        """The message as it is kept; None when it can't be read just now (chat-agent is away, the token expired)."""
        request = wire.encode(chat.ByMessage(msg_uuid=msg_uuid))
        deadline = time.time() + chat.GET_MESSAGE.timeout
        with contextlib.suppress(BasejumpError):
            return await self._bus.call_bytes(
                chat.GET_MESSAGE, request, msgspec.structs.replace(context, deadline=deadline)
            )
        return None
