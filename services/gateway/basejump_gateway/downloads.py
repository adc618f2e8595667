"""Whole results: a service says where the bytes are, and they are passed on as fast as the reader takes them."""

from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import quote

import httpcore
from litestar import Request, Response

from basejump_common.bus import Bus, Context
from basejump_common.contracts.operation import Operation
from basejump_common.contracts.result import Download
from basejump_common.errors import NotFound, Unavailable
from basejump_common.security.secret import Secret
from basejump_gateway.piping import Headers, Piped

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 60.0
"""The source makes the next bytes within milliseconds, however slow the reader is: silence means that it is gone."""

_AWAY = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)


class Downloads:
    """Pipes files. No more than a few chunks of each are in memory."""

    def __init__(self, bus: Bus, sources: httpcore.AsyncConnectionPool) -> None:
        self._bus = bus
        self._sources = sources

    async def answer(
        self,
        operation: Operation[Any, Download],
        media_type: str,
        context: Context,
        argument: Any,
        _request: Request[Any, Any, Any],
    ) -> Response[bytes]:
        """The file of `argument`. Raises what the operation raises, NotFound and Unavailable."""
        download = await self._bus.call(operation, argument, context)
        pieces = self._pieces(download.url)
        length = await anext(pieces)
        return Piped(await anext(pieces, b""), pieces, _headers(download, media_type, length))

    async def _pieces(self, url: Secret) -> AsyncGenerator[bytes]:
        """The length if it is known (else empty), then the bytes."""
        timeouts = {"connect": CONNECT_SECONDS, "read": SILENCE_SECONDS, "write": CONNECT_SECONDS}
        try:
            async with self._sources.stream("GET", url.reveal(), extensions={"timeout": timeouts}) as response:
                _check(response.status)
                yield dict(response.headers).get(b"content-length", b"")
                async for piece in response.aiter_stream():
                    yield piece
        except _AWAY as error:
            raise Unavailable("the rows of this result can't be read just now", retry_after=1.0) from error


def _check(status: int) -> None:
    if status == 404:
        raise NotFound("the rows of this result are no longer kept")
    if status != 200:
        raise Unavailable("as many results are downloaded as may be at once", retry_after=2.0)


def _headers(download: Download, media_type: str, length: bytes) -> Headers:
    plain = download.file_name.encode("ascii", "ignore").decode().replace('"', "").strip()
    names = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(download.file_name, safe='')}"
    known = [(b"content-length", length)] if length else []
    return [
        (b"content-type", media_type.encode()),
        (b"content-disposition", names.encode()),
        (b"x-row-count", b"%d" % download.row_count),
        (b"x-truncated", b"true" if download.truncated else b"false"),
        (b"x-content-type-options", b"nosniff"),
        *known,
    ]
