"""uvicorn, with an end that loses nothing: the service's runtime owns the signals, not uvicorn."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn

from basejump_common.health import SilentServer
from basejump_gateway.edge import Edge

log = logging.getLogger("basejump.gateway")

GRACE_SECONDS = 0.5
"""For so long after the listening socket closes, busy connections get one more answer, which ends them."""

KEEP_ALIVE_SECONDS = 75


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
            http="httptools",
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
        await asyncio.sleep(GRACE_SECONDS)
        server.should_exit = True
        await serving


async def _listens(server: _Server, serving: "asyncio.Task[None]") -> None:
    listens = asyncio.create_task(server.listens.wait())
    await asyncio.wait({listens, serving}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        listens.cancel()
        serving.result()


def bind(host: str, port: int) -> socket.socket:
    """A listening socket's address, taken. Raises OSError when it is in use or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener
