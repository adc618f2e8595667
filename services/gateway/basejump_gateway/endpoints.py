"""One HTTP handler per route: let the caller in, bind the request, ask the service, pass its reply on untouched."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler

from basejump_common.bus import Bus, Context
from basejump_common.contracts import wire
from basejump_common.contracts.operation import Operation
from basejump_common.errors import Canceled, TooLarge
from basejump_common.telemetry import bind_request
from basejump_gateway.binding import Binder
from basejump_gateway.door import Door
from basejump_gateway.edge import Exchange, Receive, exchange_of
from basejump_gateway.problems import UnsupportedMediaType
from basejump_gateway.prompts import Prompts, Waits
from basejump_gateway.routes import PREFIX, Route

AnyRequest = Request[Any, Any, Any]
Reply = Callable[[Context, Any, AnyRequest], Awaitable[bytes]]


class Endpoints:
    """Makes handlers from routes."""

    def __init__(self, bus: Bus, door: Door, prompts: Prompts, waits: Waits, body_limit: int) -> None:
        self._bus = bus
        self._door = door
        self._prompts = prompts
        self._waits = waits
        self._body_limit = body_limit

    def handler(self, route: Route) -> HTTPRouteHandler:
        """The handler of one route. Its checks come in the order 401, 403, 422; then the service is asked."""
        operation, access = route.operation, route.operation.access
        binder: Binder[Any] = Binder(operation.takes, query=route.queried, body=route.fields)
        reply = self._wait if route.waits else self._ask(operation)

        async def answer(request: AnyRequest) -> Response[bytes]:
            scope = request.scope
            exchange = exchange_of(scope)
            with bind_request(exchange.request_id, exchange.traceparent, operation.name):
                caller = await self._door.admit(access, exchange)
                body = await _read_body(request.receive, exchange, self._body_limit)
                argument = binder.bind(scope["path_params"], scope["query_string"], body)
                content = await reply(exchange.context(operation.timeout, caller), argument, request)
            return Response(content, media_type="application/json")

        path = PREFIX + route.path.replace("}", ":str}")
        return HTTPRouteHandler(path, http_method=[route.method], status_code=200, name=operation.name)(answer)

    def _ask(self, operation: Operation[Any, Any]) -> Reply:
        async def reply(context: Context, argument: msgspec.Struct, _request: AnyRequest) -> bytes:
            return await self._bus.call_bytes(operation, wire.encode(argument), context)

        return reply

    async def _wait(self, context: Context, argument: Any, request: AnyRequest) -> bytes:
        prefer = exchange_of(request.scope).headers.get(b"prefer", b"").decode("latin-1")
        waiting = self._prompts.answer(context, argument, self._waits.asked(prefer))
        return await _unless_gone(request.receive, waiting)


async def _read_body(receive: Receive, exchange: Exchange, limit: int) -> bytes:
    """The body, read only as far as the limit. Raises TooLarge, UnsupportedMediaType, InvalidInput."""
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
    if size:
        _require_json(exchange.headers.get(b"content-type", b""))
    return b"".join(chunks)


def _require_json(content_type: bytes) -> None:
    if content_type.partition(b";")[0].strip().lower() != b"application/json":
        raise UnsupportedMediaType("send the body as JSON, with the header `Content-Type: application/json`")


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit} bytes")


async def _unless_gone(receive: Receive, work: Coroutine[Any, Any, bytes]) -> bytes:
    """`work`'s result; a caller who hangs up is no longer waited for. The service's own work goes on."""
    working = asyncio.create_task(work)
    gone = asyncio.create_task(_disconnected(receive))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Canceled("the caller hung up")
        return working.result()
    finally:
        gone.cancel()
        working.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
