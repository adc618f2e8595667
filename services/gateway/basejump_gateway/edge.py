"""What surrounds every request: its id, its trace, the spelling of its path, and one line in the access log."""

import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from uuid import uuid4

import msgspec

from basejump_common.bus.context import Context, new_traceparent
from basejump_common.security.principal import Principal
from basejump_common.security.secret import Secret
from basejump_gateway.address import Proxies

log = logging.getLogger("basejump.gateway")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

_NOT_KEPT = (b"cache-control", b"no-store")  # answers hold tokens and tenants' data
_KEY = "basejump.exchange"
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._~-]{1,128}")
_TRACEPARENT = re.compile(rb"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")


class Caller(msgspec.Struct, frozen=True):
    """A verified caller and the token that proves it to the services."""

    token: Secret
    principal: Principal


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """A request as the edge sees it. Of a header given twice, the last one counts. `said` collects headers that the
    answer carries, whatever it is."""

    request_id: str
    traceparent: str
    headers: dict[bytes, bytes]
    address: str = "unknown"
    said: list[tuple[bytes, bytes]] = []

    def context(self, seconds: float, caller: Caller | None = None) -> Context:
        """What travels with a call that may take `seconds`."""
        return Context(
            request_id=self.request_id,
            traceparent=self.traceparent,
            deadline=time.time() + seconds,
            token=caller.token if caller else None,
            principal=caller.principal if caller else None,
        )


def exchange_of(scope: Any) -> Exchange:
    """The exchange that the edge attached."""
    found: Exchange = scope[_KEY]
    return found


class Edge:
    """The outermost ASGI application."""

    def __init__(self, app: App, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies
        self._headers = [_NOT_KEPT]

    def close(self) -> None:
        """From now on every answer ends its connection, so that clients go to another replica."""
        self._headers = [_NOT_KEPT, (b"connection", b"close")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = self._exchange(scope)
        scope[_KEY] = exchange
        if "_" in scope["path"]:
            scope["path"] = scope["path"].replace("_", "-")
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                request_id = (b"x-request-id", exchange.request_id.encode())
                message["headers"] = [*message["headers"], *exchange.said, request_id, *self._headers]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            _log_access(scope, exchange, status, time.perf_counter() - started)

    def _exchange(self, scope: Scope) -> Exchange:
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        return Exchange(
            request_id=given.decode() if _REQUEST_ID.fullmatch(given) else str(uuid4()),
            traceparent=_traceparent(headers.get(b"traceparent", b"")),
            headers=headers,
            address=self._proxies.address(scope.get("client"), headers.get(b"x-forwarded-for", b"")),
        )


def _traceparent(given: bytes) -> str:
    """The caller's trace with a span of ours (W3C Trace Context), or a new trace."""
    found = _TRACEPARENT.fullmatch(given)
    if found is None:
        return new_traceparent()
    trace, flags = found.groups()
    return f"00-{trace.decode()}-{secrets.token_hex(8)}-{flags.decode()}"


def _log_access(scope: Scope, exchange: Exchange, status: int, seconds: float) -> None:
    """The route's template, never the path itself, query or headers: they may hold what logs must not."""
    route = scope.get("path_template", "")
    level = logging.DEBUG if route.startswith("/health") else logging.INFO
    if not log.isEnabledFor(level):
        return
    fields = {
        "method": scope["method"],
        "route": route,
        "status": status,
        "ms": round(seconds * 1000, 2),
        "request_id": exchange.request_id,
        "trace_id": exchange.traceparent[3:35],
    }
    log.log(level, "%s %s %s", scope["method"], route, status, extra=fields)
