"""The server side of operations: NATS micro endpoints in the service's queue group, a task per request.

nats-py awaits one callback at a time per subscription, so the callback only takes a place under the endpoint's
semaphore and starts a task. Everything is caught inside the task: an exception that escaped would reach the caller as
its repr, secrets included.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.micro import add_service
from nats.micro.request import Request
from nats.micro.service import EndpointStats, Service, ServiceConfig

from basejump_common.bus.connection import ERROR_CODE, MAX_PAYLOAD, Bus
from basejump_common.bus.context import IDEMPOTENCY_KEY, Context, from_headers
from basejump_common.contracts import wire
from basejump_common.contracts.operation import Allow, Operation
from basejump_common.errors import (
    BasejumpError,
    DeadlineExceeded,
    ErrorBody,
    Forbidden,
    Internal,
    InvalidInput,
    TooLarge,
    Unauthenticated,
)
from basejump_common.security.principal import Principal
from basejump_common.security.secret import Secret
from basejump_common.storage.idempotency import Call, Idempotency
from basejump_common.telemetry import bind_request

log = logging.getLogger("basejump.server")
In = TypeVar("In", bound=msgspec.Struct)
Out = TypeVar("Out", bound=msgspec.Struct)

AT_ONCE = 64
"""Requests of one endpoint in flight in one process; more wait in NATS for this replica or go to another."""

DRAIN_SECONDS = 20.0


class Authenticate(Protocol):
    """Verifies a token; raises Unauthenticated, or Unavailable when it can't know."""

    def verify(self, token: str) -> Principal: ...


@dataclass(slots=True)
class Measures:
    """What micro's STATS shows; its own figures mean nothing with a task per request."""

    requests: int = 0
    errors: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Endpoint(Generic[In, Out]):
    """An operation and the function that carries it out."""

    operation: Operation[In, Out]
    function: Callable[[Context, In], Awaitable[Out]]
    shows_secret: bool
    measures: Measures = field(default_factory=Measures)


def handle(operation: Operation[In, Out], function: Callable[[Context, In], Awaitable[Out]]) -> Endpoint[In, Out]:
    """A row of a service's table of handlers; the types of both sides are checked."""
    return Endpoint(operation, function, operation.shows_secret)


def authorize(access: Allow, token: Secret | None, authenticate: Authenticate) -> Principal | None:
    """Who calls, or None where no token is asked for. Raises Unauthenticated or Forbidden."""
    if not access.credentials:
        return None
    if token is None:
        raise Unauthenticated("this call needs a credential")
    principal = authenticate.verify(token.reveal())
    if principal.credential not in access.credentials:
        raise Unauthenticated("this call needs another kind of credential")
    if not principal.role.at_least(access.least):
        raise Forbidden(f"this call needs the role {access.least} or above")
    return principal


class Server:
    """Answers operations until drained. Checks come in the order 401, 403, 422, then the function; a call with an
    idempotency key is carried out once, where there is an `idempotency`."""

    def __init__(
        self,
        bus: Bus,
        service: str,
        endpoints: Sequence[Endpoint[Any, Any]],
        authenticate: Authenticate,
        idempotency: Idempotency | None = None,
    ) -> None:
        self._bus = bus
        self._name = service
        self._endpoints = endpoints
        self._authenticate = authenticate
        self._idempotency = idempotency
        self._service: Service | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Subscribe to every operation; on return the server knows of all of them."""
        measures = {_micro_name(e.operation): e.measures for e in self._endpoints}
        config = ServiceConfig(
            name=self._name,
            version="1.0.0",
            queue_group=self._name,
            stats_handler=lambda stats: _stats(stats, measures),
        )
        self._service = await add_service(self._bus.nats, config)
        for endpoint in self._endpoints:
            await self._service.add_endpoint(
                name=_micro_name(endpoint.operation),
                subject=endpoint.operation.subject,
                handler=self._acceptor(endpoint),
            )
        await self._bus.settle()

    async def drain(self) -> None:
        """No new requests, then finish what is in flight, for at most 20 s. Losing none needs this order."""
        with contextlib.suppress(NatsError, OSError, TimeoutError):
            await self._withdraw()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()
        with contextlib.suppress(NatsError, OSError, TimeoutError):
            await self._bus.settle()

    async def _withdraw(self) -> None:
        """No new requests come, and every one that came has its task. A subscription's own drain won't do: it may
        forget the subscription before the server has seen the UNSUB, and what arrives in between would be lost (see
        `Bus.settle`); and it waits ten seconds for a server that has just gone."""
        subscriptions = self._subscriptions()
        for subscription in subscriptions:
            await self._bus.nats._send_unsubscribe(subscription._id)
        await self._bus.settle()
        async with asyncio.timeout(DRAIN_SECONDS):
            await asyncio.gather(*(subscription._pending_queue.join() for subscription in subscriptions))

    def _subscriptions(self) -> list[Subscription]:
        # micro has no public way to drain an endpoint without also dropping its pending replies.
        endpoints: list[Any] = self._service._endpoints if self._service else []
        return [endpoint._subscription for endpoint in endpoints if endpoint._subscription is not None]

    def _acceptor(self, endpoint: Endpoint[Any, Any]) -> Callable[[Request], Awaitable[None]]:
        places = asyncio.Semaphore(AT_ONCE)

        async def accept(request: Request) -> None:
            await places.acquire()
            task = asyncio.create_task(self._answer(endpoint, request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(lambda _: places.release())

        return accept

    async def _answer(self, endpoint: Endpoint[Any, Any], request: Request) -> None:
        started = time.perf_counter()
        endpoint.measures.requests += 1
        context = from_headers(request.headers)
        with bind_request(context.request_id, context.traceparent, endpoint.operation.name):
            try:
                body, headers = await self._reply(endpoint, request, context), None
            except BasejumpError as error:
                endpoint.measures.errors += 1
                body, headers = _error_reply(error.body())
            if body is not None:
                await _respond(request, body, headers)
        endpoint.measures.seconds += time.perf_counter() - started

    async def _reply(self, endpoint: Endpoint[Any, Any], request: Request, context: Context) -> bytes | None:
        """The reply's bytes; None when the deadline had passed before the work began: nobody waits for it."""
        operation = endpoint.operation
        remaining = context.remaining()
        if remaining <= 0:
            log.info("dropped: its deadline had passed")
            return None
        principal = authorize(operation.access, context.token, self._authenticate)
        argument = _decode(request.data, operation)
        context = msgspec.structs.replace(context, principal=principal)

        async def act() -> bytes:
            return await _carry_out(endpoint, context, argument)

        key = (request.headers or {}).get(IDEMPOTENCY_KEY)
        try:
            async with asyncio.timeout(remaining):
                if key is None or principal is None or self._idempotency is None:
                    return await act()
                call = Call(
                    caller=principal,
                    operation=operation.name,
                    key=key,
                    request=request.data,
                    shows_secret=endpoint.shows_secret,
                )
                return await self._idempotency.once(call, act, remaining)
        except TimeoutError as error:
            raise DeadlineExceeded("the answer did not come in time") from error


async def _carry_out(endpoint: Endpoint[Any, Any], context: Context, argument: Any) -> bytes:
    """The reply's bytes. Raises BasejumpError, TimeoutError, and nothing else."""
    try:
        body = wire.encode(await endpoint.function(context, argument))
    except (BasejumpError, TimeoutError):
        raise
    except Exception as error:
        # The last line of defence: whatever it is, the caller learns the request id and the log learns the rest.
        log.exception("unexpected failure")
        raise Internal("something went wrong on our side") from error
    if len(body) > MAX_PAYLOAD:
        raise TooLarge("the reply is larger than 1 MiB; ask for a smaller page")
    return body


def _decode(data: bytes, operation: Operation[Any, Any]) -> Any:
    try:
        return wire.decode(data, operation.takes)
    except msgspec.MsgspecError as error:
        raise InvalidInput(str(error)) from error


def _error_reply(body: ErrorBody) -> tuple[bytes, dict[str, str]]:
    return wire.encode(body), {ERROR_CODE: body.code, "Nats-Service-Error": body.code}


async def _respond(request: Request, body: bytes, headers: dict[str, str] | None) -> None:
    try:
        await request.respond(body, headers)
    except (NatsError, OSError, ValueError) as error:
        log.warning("the reply could not be sent: %s", type(error).__name__)


def _micro_name(operation: Operation[Any, Any]) -> str:
    return operation.name.replace(".", "-")


def _stats(stats: EndpointStats, measures: dict[str, Measures]) -> dict[str, float]:
    measured = measures[stats.name]
    stats.num_requests, stats.num_errors = measured.requests, measured.errors
    stats.processing_time = int(measured.seconds * 1e9)
    stats.average_processing_time = stats.processing_time // max(measured.requests, 1)
    return {"seconds": measured.seconds}
