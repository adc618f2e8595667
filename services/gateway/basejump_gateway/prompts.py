"""A question and what comes of it: the messages of its prompt, as they happen, to whoever waits for them."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4, uuid5

import msgspec

from basejump_common.bus import Bus, Context
from basejump_common.contracts import chat, wire
from basejump_common.errors import BasejumpError
from basejump_gateway.feed import Answered, ChatFeed, Drained, Listener, Said

LOOK_AGAIN_SECONDS = 10.0
"""After a silence as long as this the stored message is read: what stores it may have died before it was told."""

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


class Asked:
    """A prompt that was stored: `initial`, the bytes of its first message, and what it says from there on."""

    def __init__(self, bus: Bus, context: Context, initial: bytes, listener: Listener) -> None:
        self._bus = bus
        self._context = msgspec.structs.replace(context, idempotency_key=None)
        self._listener = listener
        # With a key it may have been asked before, and answered.
        self._look_again_at = _now() + (LOOK_AGAIN_SECONDS if context.idempotency_key is None else 0)
        self._msg_uuid = _glimpse(initial).msg_uuid
        self.initial = initial
        self.answered = _glimpse(initial).final

    async def next(self) -> Said:
        """What it says next. May be canceled and called again. Raises Answered, Drained."""
        if self.answered:
            raise Answered
        while True:
            try:
                async with asyncio.timeout_at(self._look_again_at):
                    said = await self._listener.next()
            except TimeoutError:
                stored = await self._stored()
                self._look_again_at = _now() + LOOK_AGAIN_SECONDS
                if stored is None or not _glimpse(stored).final:
                    continue
                said = Said(None, stored)
            self._look_again_at = _now() + LOOK_AGAIN_SECONDS
            return self._noted(said)

    def _noted(self, said: Said) -> Said:
        glimpse = _glimpse(said.data)
        self.answered = glimpse.final
        # The initial message was given out before it came on the stream.
        return Said(said.sequence, b"") if glimpse.msg_type == chat.MessageType.INITIAL else said

    async def _stored(self) -> bytes | None:
        """The message as it is kept; None when it can't be read just now (chat-agent is away, the token expired)."""
        request = wire.encode(chat.ByMessage(msg_uuid=self._msg_uuid))
        deadline = time.time() + chat.GET_MESSAGE.timeout
        context = msgspec.structs.replace(self._context, deadline=deadline)
        with contextlib.suppress(BasejumpError):
            return await self._bus.call_bytes(chat.GET_MESSAGE, request, context)
        return None


class Prompts:
    """Asks questions and follows them. Nobody who stops listening cancels anything."""

    def __init__(self, bus: Bus, feed: ChatFeed) -> None:
        self._bus = bus
        self._feed = feed

    async def answer(self, context: Context, question: chat.Ask, seconds: float) -> bytes:
        """The final message, or after `seconds`, or when the gateway drains, the `initial` one. The message's bytes.

        Raises what `chat.ASK` raises.
        """
        async with self.asking(context, question) as asked:
            latest = asked.initial
            with contextlib.suppress(TimeoutError, Answered, Drained):
                async with asyncio.timeout(seconds):
                    while True:
                        latest = (await asked.next()).data
            return latest if asked.answered else asked.initial

    @asynccontextmanager
    async def asking(self, context: Context, question: chat.Ask) -> AsyncIterator[Asked]:
        """Ask, listening first. Raises what `chat.ASK` raises."""
        prompt_uuid = _prompt_uuid(context)
        question = msgspec.structs.replace(question, prompt_uuid=prompt_uuid)
        async with self._feed.listening(context.caller.tenant, question.chat_uuid, prompt_uuid) as listener:
            initial = await self._bus.call_bytes(chat.ASK, wire.encode(question), context)
            yield Asked(self._bus, context, initial, listener)


def _prompt_uuid(context: Context) -> UUID:
    """With an Idempotency-Key always the same, so that a repetition attaches to the same prompt."""
    if context.idempotency_key is None:
        return uuid4()
    return uuid5(context.caller.tenant, f"{context.caller.credential_name}\n{context.idempotency_key}")


def _now() -> float:
    return asyncio.get_running_loop().time()
