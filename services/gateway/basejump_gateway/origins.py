"""CORS: browsers may call from the origins that clients have set.

A preflight names no client, so it is answered for any client's origins; so is a call whose caller isn't known (a page
must be able to read that its token has expired). A call with a good credential is answered for its client's origins
alone. Credentials of the browser's own (cookies) are never used.
"""

from collections.abc import Iterable

from basejump_common.bus import Bus
from basejump_common.bus.remembered import REMEMBER_SECONDS, Remembered
from basejump_common.contracts import account
from basejump_common.contracts.client_settings import ClientChoices
from basejump_common.errors import BasejumpError
from basejump_gateway.edge import Exchange

PREFLIGHT_SECONDS = 600
PATIENCE_SECONDS = 1.0
_LONGEST = 300

_MAY_SEND = (
    "Accept, Authorization, Client-Secret, Content-Type, Idempotency-Key, Last-Event-ID, Prefer, Traceparent, "
    "X-Request-Id"
)
_MAY_READ = (
    "Content-Disposition, Deprecation, Link, RateLimit, RateLimit-Policy, Retry-After, Sunset, WWW-Authenticate, "
    "X-Request-Id, X-Row-Count, X-Truncated"
)


class Origins:
    """Says in the headers of answers who may read them."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._known: Remembered[str, bool] = Remembered(seconds=REMEMBER_SECONDS, stale_seconds=300.0)

    def forget(self) -> None:
        """Ask again from now on."""
        self._known.forget()

    async def stranger(self, exchange: Exchange) -> None:
        """An answer to nobody that is known."""
        origin = _origin(exchange)
        if origin and await self._anyones(origin, exchange):
            _readable(origin, exchange)

    def known(self, choices: ClientChoices, exchange: Exchange) -> None:
        """An answer to a client."""
        origin = _origin(exchange)
        if origin and origin in choices.settings.allowed_origins:
            _readable(origin, exchange)

    async def preflight(self, methods: Iterable[str], exchange: Exchange) -> None:
        """The answer to a browser that asks whether it may make a call."""
        await self.stranger(exchange)
        if any(name == b"access-control-allow-origin" for name, _ in exchange.said):
            exchange.said.extend(
                [
                    (b"access-control-allow-methods", ", ".join(methods).encode()),
                    (b"access-control-allow-headers", _MAY_SEND.encode()),
                    (b"access-control-max-age", str(PREFLIGHT_SECONDS).encode()),
                ]
            )

    async def _anyones(self, origin: str, exchange: Exchange) -> bool:
        if len(origin) > _LONGEST:
            return False
        request = account.CheckOrigin(origin=origin)
        try:
            return await self._known.get(origin, lambda: self._ask(request, exchange))
        except BasejumpError:
            return False

    async def _ask(self, request: account.CheckOrigin, exchange: Exchange) -> bool:
        return (await self._bus.call(account.CHECK_ORIGIN, request, exchange.context(PATIENCE_SECONDS))).allowed


def _origin(exchange: Exchange) -> str:
    """The origin that asks; from here on the answer depends on it."""
    exchange.said.append((b"vary", b"Origin"))
    return exchange.headers.get(b"origin", b"").decode("latin-1")


def _readable(origin: str, exchange: Exchange) -> None:
    exchange.said.extend(
        [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", _MAY_READ.encode()),
        ]
    )
