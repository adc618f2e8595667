"""uvicorn, with an end that loses nothing: the service's runtime owns the signals, not uvicorn."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import msgspec
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from basejump_common.health import SilentServer
from basejump_gateway.edge import Edge
from basejump_gateway.problems import MEDIA_TYPE, BadRequest, problem

log = logging.getLogger("basejump.gateway")

GRACE_SECONDS = 0.5
"""Connections end once nothing was answered on any of them for so long."""

KEEP_ALIVE_SECONDS = 75
HEAD_LIMIT = 65_536
"""Bytes of a request's line and headers that may arrive before they are complete."""


class _Protocol(HttpToolsProtocol):
    """httptools keeps headers of any size in memory: whoever sends too many without end is cut off."""

    _head_bytes = 0
    _in_head = True

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data) if self._in_head else 0
        super().data_received(data)
        if self._head_bytes > HEAD_LIMIT and not self.transport.is_closing():
            self.send_400_response(f"the line and headers of the request are longer than {HEAD_LIMIT} bytes")

    def send_400_response(self, msg: str) -> None:
        """A problem document here too, though no application saw a request."""
        request_id = str(uuid4())
        body = msgspec.json.encode(problem(BadRequest(msg), request_id))
        head = (
            "HTTP/1.1 400 Bad Request",
            f"content-type: {MEDIA_TYPE}",
            f"content-length: {len(body)}",
            f"x-request-id: {request_id}",
            "connection: close",
        )
        self.transport.write("\r\n".join((*head, "", "")).encode() + body)
        self.transport.close()

    def on_headers_complete(self) -> None:
        self._in_head, self._head_bytes = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_complete()


class _Server(SilentServer):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()

    def refuse_new_connections(self) -> None:
        for server in self.servers:
            server.close()


@asynccontextmanager
async def listening(
    edge: Edge, listener: socket.socket, drain_seconds: int, on_drain: Callable[[], None]
) -> AsyncIterator[None]:
    """Serve HTTP for as long as the block lasts. On leaving it: no new connections, `on_drain` ends what waits, and
    requests in flight finish within `drain_seconds`."""
    server = _Server(
        uvicorn.Config(
            edge,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=drain_seconds,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await _listens(server, serving)
        host, port = listener.getsockname()[:2]
        log.info("listening", extra={"host": host, "port": port})
        yield
    finally:
        edge.close()
        if server.started:
            server.refuse_new_connections()
        on_drain()
        await _last_answers(server)
        server.should_exit = True
        await serving


async def _listens(server: _Server, serving: "asyncio.Task[None]") -> None:
    listens = asyncio.create_task(server.listens.wait())
    await asyncio.wait({listens, serving}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        listens.cancel()
        serving.result()


async def _last_answers(server: _Server) -> None:
    """Every answer now ends its connection: closing one that is busy would lose the request that is on its way."""
    state, answered = server.server_state, -1
    while state.connections and answered != state.total_requests:
        answered = state.total_requests
        await asyncio.sleep(GRACE_SECONDS)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket's address, taken. Raises OSError when it is in use or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends at once only where a socket says that it is TCP's: else an answer's end waits 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener
