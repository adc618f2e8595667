"""The way to NATS: one connection per process, calls of operations, and values of KV buckets."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeout
from nats.js import JetStreamContext
from nats.js.errors import APIError

from basejump_common.bus.context import Context
from basejump_common.contracts import wire
from basejump_common.contracts.operation import Operation
from basejump_common.errors import DeadlineExceeded, ErrorBody, Internal, Unavailable, from_body
from basejump_common.security.secret import Secret

log = logging.getLogger("basejump.bus")
In = TypeVar("In", bound=msgspec.Struct)
Out = TypeVar("Out", bound=msgspec.Struct)
T = TypeVar("T")

ERROR_CODE = "Nats-Service-Error-Code"
MAX_PAYLOAD = 1_048_576
CONNECT_SECONDS = 5.0
CLOSE_SECONDS = 3.0
FLUSH_SECONDS = 2
COUNT_SECONDS = 0.25
_AWAY = "the service is away; try again"
_STREAM_AWAY = "the event stream is away"


class _Counted(msgspec.Struct, frozen=True):
    val: str


class _Purged(msgspec.Struct, frozen=True):
    purged: int


def inbox_prefix(user: str) -> str:
    """Where replies to one NATS user go; no other user may subscribe there."""
    return f"_INBOX_{user}"


class Bus:
    """A connection to NATS that never gives up; while it is away every call fails at once with Unavailable."""

    def __init__(self, client: Client) -> None:
        self.nats = client
        self.jetstream: JetStreamContext = client.jetstream(timeout=5.0)
        self._on_reconnect: list[Callable[[], None]] = []
        self._closing = False

    @classmethod
    async def connect(cls, url: str, user: str, password: Secret) -> "Bus":
        """Raises Unavailable when NATS can't be reached now; afterwards the connection heals itself."""
        client = Client()
        bus = cls(client)
        try:
            # Told never to give up, nats-py does not give up on the first connection either.
            async with asyncio.timeout(CONNECT_SECONDS):
                await client.connect(
                    url,
                    user=user,
                    password=password.reveal(),
                    name=user,
                    inbox_prefix=inbox_prefix(user),
                    max_reconnect_attempts=-1,
                    allow_reconnect=True,
                    connect_timeout=2,
                    reconnect_time_wait=0.25,  # type: ignore[arg-type]  # annotated int, but only slept
                    ping_interval=10,
                    max_outstanding_pings=2,
                    error_cb=_log_error,
                    reconnected_cb=bus._reconnected,
                    disconnected_cb=bus._disconnected,
                )
        except (TimeoutError, OSError, NatsError) as error:
            with contextlib.suppress(NatsError, OSError):
                await client.close()
            raise Unavailable(f"NATS can't be reached: {type(error).__name__}", retry_after=1.0) from error
        return bus

    async def close(self) -> None:
        """Drain and close; with the broker away, just close."""
        self._closing = True
        if self.connected:
            with contextlib.suppress(NatsError, OSError, TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self.nats.drain()
        with contextlib.suppress(NatsError, OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.nats.close()

    @property
    def connected(self) -> bool:
        """False while NATS is away."""
        return self.nats.is_connected

    def on_reconnect(self, wake: Callable[[], None]) -> None:
        """`wake` is called after every reconnection."""
        self._on_reconnect.append(wake)

    async def _disconnected(self) -> None:
        if not self._closing:
            log.warning("the connection to NATS is lost")

    async def _reconnected(self) -> None:
        log.warning("connected to NATS again")
        for wake in self._on_reconnect:
            wake()

    async def settle(self) -> None:
        """Return once the server has seen everything sent so far, subscriptions included.

        nats-py's flush writes its PING past the commands that wait in its buffer, so one flush only proves that they
        were handed to the socket; a second one comes after them. Raises TimeoutError when the server is away.
        """
        if not self.connected:
            raise TimeoutError("NATS is away")
        await self.nats.flush(FLUSH_SECONDS)
        await self.nats.flush(FLUSH_SECONDS)

    @contextlib.asynccontextmanager
    async def hearing(self, subject: str, act: Callable[[], None]) -> AsyncIterator[None]:
        """`act` is called for each message on the subject that comes while the block lasts; none comes again."""

        async def heard(_message: Msg) -> None:
            act()

        subscription = await self.nats.subscribe(subject, cb=heard)
        try:
            yield
        finally:
            with contextlib.suppress(NatsError, OSError):
                await subscription.unsubscribe()

    async def call(
        self, operation: Operation[In, Out], request: In, context: Context, timeout: float | None = None
    ) -> Out:
        """Send the request and await the reply; `timeout` in seconds. Raises the operation's errors, Unavailable
        when nobody answers for it, DeadlineExceeded when the reply does not come in time."""
        reply = await self.call_bytes(operation, wire.encode(request), context, timeout)
        try:
            return wire.decode(reply, operation.gives)
        except msgspec.MsgspecError as error:
            log.error("unreadable reply", extra={"operation": operation.name, "error": str(error)})
            raise Internal("a service answered with something unreadable") from error

    async def call_bytes(
        self, operation: Operation[In, Out], body: bytes, context: Context, timeout: float | None = None
    ) -> bytes:
        """`call` with the bytes of request and reply left alone."""
        seconds = min(timeout or operation.timeout, context.remaining())
        message = await self._request(operation.subject, body, context.headers(seconds), seconds)
        if message.headers and ERROR_CODE in message.headers:
            raise from_body(_error_body(message))
        return message.data

    async def _request(self, subject: str, body: bytes, headers: dict[str, str], seconds: float) -> Msg:
        if not self.nats.is_connected:
            raise Unavailable(_AWAY, retry_after=1.0)
        if seconds <= 0:
            raise DeadlineExceeded("the answer did not come in time")
        try:
            return await self.nats.request(subject, body, timeout=seconds, headers=headers)
        except NoRespondersError as error:
            raise Unavailable(_AWAY, retry_after=1.0) from error
        except (TimeoutError, NatsTimeout) as error:
            raise DeadlineExceeded("the answer did not come in time") from error
        except (NatsError, OSError) as error:
            raise Unavailable(_AWAY, retry_after=1.0) from error

    async def publish_durably(self, subject: str, message_id: str, body: bytes) -> None:
        """Publish to the stream that keeps `subject` and await its acknowledgement. The same `message_id` within
        the stream's window is kept once. Raises Unavailable."""
        await self._guarded(self.jetstream.publish(subject, body, headers={"Nats-Msg-Id": message_id}))

    async def count(self, subject: str, more: int) -> int:
        """Add to a counter, a subject of a stream that counts (ADR-49 of NATS); its sum. Raises Unavailable."""
        if not self.connected:
            raise Unavailable("the counters are away", retry_after=1.0)
        headers = {"Nats-Incr": f"+{more}"}
        try:
            reply = await self.nats.request(subject, b"", timeout=COUNT_SECONDS, headers=headers)
            return int(msgspec.json.decode(reply.data, type=_Counted).val)
        except (TimeoutError, NatsError, OSError, msgspec.MsgspecError) as error:
            raise Unavailable("the counters are away", retry_after=1.0) from error

    async def publish(self, subject: str, message_id: str, body: bytes) -> None:
        """As `publish_durably`, without awaiting the acknowledgement: what is published here arrives before what this
        connection publishes later, or is lost with the connection or the stream. Raises Unavailable."""
        if not self.connected:
            raise Unavailable(_STREAM_AWAY, retry_after=1.0)
        await self._guarded(self.nats.publish(subject, body, headers={"Nats-Msg-Id": message_id}))

    async def put(self, bucket: str, key: str, value: bytes) -> None:
        """Write a key of a KV bucket. Raises Unavailable."""
        await self._guarded(self.jetstream.publish(f"$KV.{bucket}.{key}", value))

    async def remove(self, bucket: str, key: str) -> None:
        """Delete a key of a KV bucket. Raises Unavailable."""
        await self._guarded(self.jetstream.publish(f"$KV.{bucket}.{key}", headers={"KV-Operation": "DEL"}))

    async def purge(self, stream: str, subject: str) -> int:
        """Delete a stream's messages on `subject`, which may have wildcards; how many. Raises Unavailable."""
        api = f"$JS.API.STREAM.PURGE.{stream}"
        reply = await self._guarded(self.nats.request(api, msgspec.json.encode({"filter": subject}), timeout=5.0))
        return wire.decode(reply.data, _Purged).purged

    async def _guarded(self, work: Awaitable[T]) -> T:
        try:
            # Not asyncio.wait_for: before Python 3.12 it loses a cancellation that comes together with the reply.
            async with asyncio.timeout(5.0):
                return await work
        except (TimeoutError, NatsError, APIError, OSError) as error:
            raise Unavailable(_STREAM_AWAY, retry_after=1.0) from error


def _error_body(message: Msg) -> ErrorBody:
    try:
        return wire.decode(message.data, ErrorBody)
    except msgspec.MsgspecError:
        return ErrorBody(code="internal", message="a service failed")


async def _log_error(error: Exception) -> None:
    log.warning("NATS: %s: %s", type(error).__name__, error)


__all__ = ["ERROR_CODE", "MAX_PAYLOAD", "Bus", "inbox_prefix"]
