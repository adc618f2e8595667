"""One HTTP handler per route: let the caller in, bind the request, ask the service, pass its reply on untouched."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler

from basejump_common.bus import Bus, Context
from basejump_common.contracts import chat, wire
from basejump_common.contracts.operation import Operation
from basejump_common.errors import Canceled, InvalidInput, TooLarge
from basejump_common.telemetry import bind_request
from basejump_gateway.binding import Binder
from basejump_gateway.door import Door
from basejump_gateway.downloads import Downloads
from basejump_gateway.edge import Caller, Exchange, Receive, exchange_of
from basejump_gateway.events import EventStream, accepts_events
from basejump_gateway.piping import disconnected
from basejump_gateway.problems import UnsupportedMediaType
from basejump_gateway.prompts import Prompts, Waits
from basejump_gateway.routes import POST, Route
from basejump_gateway.streaming import Streaming
from basejump_gateway.versions import Headers, Version

AnyRequest = Request[Any, Any, Any]
_MOST_DIGITS = 18
_KEY = re.compile(rb"[\x20-\x7e]{1,255}")
Reply = Callable[[Context, Any, AnyRequest], Awaitable[Response[bytes]]]


@dataclass(frozen=True, slots=True)
class Answers:
    """Those that are more than one reply passed on."""

    prompts: Prompts
    streaming: Streaming
    downloads: Downloads


class Endpoints:
    """Makes handlers from routes."""

    def __init__(self, bus: Bus, door: Door, answers: Answers, waits: Waits, body_limit: int) -> None:
        self._bus = bus
        self._door = door
        self._prompts = answers.prompts
        self._streaming = answers.streaming
        self._downloads = answers.downloads
        self._waits = waits
        self._body_limit = body_limit

    def handler(self, route: Route, version: Version, farewell: Callable[[str], Headers]) -> HTTPRouteHandler:
        """The handler of one route; `farewell` gives headers of its answers. Its checks come in the order 401, 429,
        403, 422; then the service is asked."""
        operation = route.operation
        binder: Binder[Any] = Binder(operation.takes, query=route.queried, body=route.fields)
        reply = self._reply(route)

        async def answer(request: AnyRequest) -> Response[bytes]:
            scope = request.scope
            exchange = exchange_of(scope)
            exchange.said.extend(farewell(scope["path"]))
            with bind_request(exchange.request_id, exchange.traceparent, operation.name):
                caller = await self._admit(route, request)
                body = await _read_body(request.receive, exchange, self._body_limit, route.csv)
                context = exchange.context(operation.timeout, caller)
                if route.method == POST:
                    context = msgspec.structs.replace(context, idempotency_key=_idempotency_key(exchange))
                argument = binder.bind(scope["path_params"], scope["query_string"], body)
                return await reply(context, argument, request)

        path, name = _litestar(version.prefix + route.path), f"{version.name}.{operation.name}"
        return HTTPRouteHandler(path, http_method=[route.method], status_code=200, name=name)(answer)

    def preflight(self, path: str, methods: Iterable[str]) -> HTTPRouteHandler:
        """The handler of OPTIONS on a path that has these methods."""
        methods = tuple(sorted(methods))

        async def answer(request: AnyRequest) -> Response[bytes]:
            exchange = exchange_of(request.scope)
            if b"origin" in exchange.headers:
                await self._door.preflight(methods, exchange)
            return Response(b"", headers={"allow": ", ".join((*methods, "OPTIONS"))})

        return HTTPRouteHandler(_litestar(path), http_method=["OPTIONS"], status_code=200)(answer)

    def _reply(self, route: Route) -> Reply:
        if route.waits:
            return self._wait
        if route.media_type:
            return partial(self._downloads.answer, route.operation, route.media_type)
        return self._follow if route.streams else self._ask(route.operation)

    async def _admit(self, route: Route, request: AnyRequest) -> Caller | None:
        if route.streams and _has_ticket(request.scope["query_string"]):
            # Who calls is known once the ticket is redeemed.
            await self._door.admit_stranger(exchange_of(request.scope))
            return None
        return await self._door.admit(route.operation.access, exchange_of(request.scope))

    def _ask(self, operation: Operation[Any, Any]) -> Reply:
        async def reply(context: Context, argument: msgspec.Struct, _request: AnyRequest) -> Response[bytes]:
            return _json(await self._bus.call_bytes(operation, wire.encode(argument), context))

        return reply

    async def _wait(self, context: Context, argument: Any, request: AnyRequest) -> Response[bytes]:
        headers = exchange_of(request.scope).headers
        if accepts_events(headers.get(b"accept", b"")):
            return await EventStream.begun(self._streaming.answer(context, argument))
        prefer = headers.get(b"prefer", b"").decode("latin-1")
        waiting = self._prompts.answer(context, argument, self._waits.asked(prefer))
        return _json(await _unless_gone(request.receive, waiting))

    async def _follow(self, context: Context, argument: Any, request: AnyRequest) -> Response[bytes]:
        resumed = _resumed(argument, exchange_of(request.scope).headers.get(b"last-event-id", b""))
        return await EventStream.begun(self._streaming.follow(context, resumed))


def _litestar(path: str) -> str:
    return path.replace("}", ":str}")


def _json(content: bytes) -> Response[bytes]:
    return Response(content, media_type="application/json")


def _idempotency_key(exchange: Exchange) -> str | None:
    """Raises InvalidInput."""
    given = exchange.headers.get(b"idempotency-key")
    if given is None:
        return None
    if not _KEY.fullmatch(given):
        raise InvalidInput.field("Idempotency-Key", "must be 1 to 255 printable ASCII characters")
    return given.decode()


def _has_ticket(query_string: bytes) -> bool:
    return any(part.startswith(b"ticket=") for part in query_string.split(b"&"))


def _resumed(request: chat.OpenStream, last_event_id: bytes) -> chat.OpenStream:
    """With the header, which a browser that connects again sends beside the query that it began with."""
    if not last_event_id:
        return request
    if not last_event_id.isdigit() or len(last_event_id) > _MOST_DIGITS:
        raise InvalidInput.field("Last-Event-ID", "must be the id of an event of this stream")
    return msgspec.structs.replace(request, last_event_id=int(last_event_id))


async def _read_body(receive: Receive, exchange: Exchange, limit: int, csv: str) -> bytes:
    """The body as JSON, read only as far as the limit; one in CSV is the field `csv`, if there is one.

    Raises TooLarge, UnsupportedMediaType, InvalidInput.
    """
    announced = exchange.headers.get(b"content-length", b"")
    if announced.isdigit() and int(announced[:20]) > limit:
        raise _too_large(limit)
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Canceled("the caller hung up")
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise _too_large(limit)
        more = message.get("more_body", False)
    body = b"".join(chunks)
    if size:
        kind = exchange.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if csv and kind == b"text/csv":
            return _as_field(csv, body)
        if kind != b"application/json":
            raise UnsupportedMediaType("send the body as JSON, with the header `Content-Type: application/json`")
    return body


def _as_field(name: str, body: bytes) -> bytes:
    try:
        return msgspec.json.encode({name: body.decode("utf-8-sig")})
    except UnicodeDecodeError:
        raise InvalidInput.field("body", "is not UTF-8") from None


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit} bytes")


async def _unless_gone(receive: Receive, work: Coroutine[Any, Any, bytes]) -> bytes:
    """`work`'s result; a caller who hangs up is no longer waited for. The service's own work goes on."""
    working = asyncio.create_task(work)
    gone = asyncio.create_task(disconnected(receive))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Canceled("the caller hung up")
        return working.result()
    finally:
        gone.cancel()
        working.cancel()
