"""Streams of messages to readers who may be cut off: by the end of their token, a revocation, a deleted chat, our own
end. Each says so before it closes."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from typing import Protocol
from uuid import UUID

from basejump_common.bus import Bus, Context
from basejump_common.contracts import chat
from basejump_common.errors import TooManyRequests, Unauthenticated, Unavailable
from basejump_common.security.principal import Credential, Principal
from basejump_gateway import events
from basejump_gateway.events import StreamEnd, StreamGap
from basejump_gateway.feed import Answered, ChatFeed, Deleted, Drained, Listener, Said
from basejump_gateway.prompts import Prompts

CHECK_SECONDS = 1.0
"""How often a silent stream looks whether its reader may still read; with a message it is looked at before each."""

RECONNECT_SECONDS = 1.0
"""How long browsers wait before they connect again; when many are told to at once, up to twice as long."""

_DRAINING = StreamEnd(reason="draining", detail="this server ends; connect again with the last id as Last-Event-ID")
_EXPIRED = StreamEnd(reason="token_expired", detail="connect again with a new token and the last id as Last-Event-ID")
_REVOKED = StreamEnd(reason="revoked", detail="the credential is no longer good")
_DELETED = StreamEnd(reason="chat_deleted", detail="the chat was deleted; nothing follows")
_GAP = StreamGap(detail="messages after that Last-Event-ID may be gone: read the chat's list of messages")


class Check(Protocol):
    """Says whether a principal may still act; raises Unauthenticated, or Unavailable when it can't know."""

    def check(self, principal: Principal) -> None: ...


class Source(Protocol):
    """Where messages come from. `next` may be canceled and called again; raises Answered, Drained or Deleted."""

    async def next(self) -> Said: ...


class Streaming:
    """Answers with events. `heartbeat`: seconds of silence after which something is sent; `per_user`: open streams."""

    def __init__(
        self, bus: Bus, feed: ChatFeed, prompts: Prompts, check: Check, *, heartbeat: float, per_user: int
    ) -> None:
        self._bus = bus
        self._feed = feed
        self._prompts = prompts
        self._check = check
        self._heartbeat = heartbeat
        self._per_user = per_user
        self._open: Counter[UUID] = Counter()

    async def answer(self, context: Context, question: chat.Ask) -> AsyncGenerator[bytes]:
        """Ask, and give out what comes of it, the final message last. Raises, at first, what `chat.ASK` raises."""
        async with self._prompts.asking(context, question) as asked:
            yield events.event(asked.initial)
            async with aclosing(self._until_over(asked, context.caller)) as frames:
                async for frame in frames:
                    yield frame

    async def follow(self, context: Context, request: chat.OpenStream) -> AsyncGenerator[bytes]:
        """What is said in a chat. Raises, at first, Unauthenticated, NotFound, TooManyRequests."""
        principal = _principal(await self._reader(context, request))
        self._check.check(principal)
        with self._counted(principal.user):
            async with self._feed.listening(principal.tenant, request.chat_uuid) as listener:
                yield events.retry(RECONNECT_SECONDS) + await self._placed(listener, request.last_event_id)
                async with aclosing(self._until_over(listener, principal)) as frames:
                    async for frame in frames:
                        yield frame

    async def _reader(self, context: Context, request: chat.OpenStream) -> chat.StreamReader:
        by_ticket = request.ticket is not None
        return await self._bus.call(chat.REDEEM_STREAM_TICKET if by_ticket else chat.OPEN_STREAM, request, context)

    @contextmanager
    def _counted(self, user_uuid: UUID) -> Iterator[None]:
        if self._open[user_uuid] >= self._per_user:
            raise TooManyRequests(
                f"this user has {self._per_user} open streams; close one", retry_after=RECONNECT_SECONDS
            )
        self._open[user_uuid] += 1
        try:
            yield
        finally:
            self._open[user_uuid] -= 1
            self._open += Counter()  # forgets whoever has none

    async def _placed(self, listener: Listener, last_event_id: int | None) -> bytes:
        """Put the listener where its reader left off; what the reader is told of it."""
        window = await self._feed.window()
        if last_event_id is None:
            listener.last = window.last
            return events.event(b"", window.last)
        # A place after the last one is of a stream that was lost and made anew: all that is in it came since.
        listener.resume(last_event_id if last_event_id <= window.last else 0)
        is_kept = window.first - 1 <= last_event_id <= window.last
        return b"" if is_kept else events.notice("gap", _GAP)

    async def _until_over(self, source: Source, principal: Principal) -> AsyncGenerator[bytes]:
        silent_since, pause = _now(), min(CHECK_SECONDS, self._heartbeat)
        while True:
            said = None
            try:
                self._check.check(principal)
                async with asyncio.timeout(pause):
                    said = await source.next()
            except TimeoutError:
                pass
            except Unavailable:
                # Nobody can say whether the reader may still read: nothing is given out meanwhile.
                await asyncio.sleep(pause)
            except Answered:
                return
            except (Unauthenticated, Drained, Deleted) as over:
                yield _farewell(over, principal)
                return
            if said is not None:
                yield events.event(said.data, said.sequence)
                silent_since = _now()
            elif _now() - silent_since >= self._heartbeat:
                yield events.HEARTBEAT
                silent_since = _now()


def _farewell(over: Exception, principal: Principal) -> bytes:
    if isinstance(over, Drained):
        spread = RECONNECT_SECONDS * random.uniform(1, 2)  # noqa: S311 - no secret
        return events.retry(spread) + events.notice("end", _DRAINING)
    if isinstance(over, Deleted):
        return events.notice("end", _DELETED)
    return events.notice("end", _EXPIRED if principal.expires_at <= time.time() else _REVOKED)


def _principal(reader: chat.StreamReader) -> Principal:
    return Principal(
        credential=Credential.ACCESS,
        role=reader.role,
        client_uuid=reader.client_uuid,
        user_uuid=reader.user_uuid,
        session_uuid=reader.session_uuid,
        secret_uuid=reader.secret_uuid,
        issued_at=reader.issued_at,
        expires_at=reader.expires_at,
    )


def _now() -> float:
    return asyncio.get_running_loop().time()
