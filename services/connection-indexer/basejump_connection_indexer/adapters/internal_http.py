"""HTTP for the other services alone: an ASGI application on a port of its own."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import uvicorn

from basejump_common.health import SilentServer

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Any]]
Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

GRACE_SECONDS = 20
"""What is being answered at the end may take so long; it is cut off then."""


def listener(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 is a free one. Raises OSError."""
    return socket.create_server((host, port))


def address_of(listening: socket.socket) -> str:
    """The URL at which other machines reach the socket."""
    host, port = listening.getsockname()[:2]
    return f"http://{socket.gethostbyname(socket.gethostname()) if host == '0.0.0.0' else host}:{port}"  # noqa: S104 - compared with, not bound to


@asynccontextmanager
async def serving(app: App, listening: socket.socket) -> AsyncIterator[None]:
    """Answer for as long as the block lasts."""
    config = uvicorn.Config(
        app,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = SilentServer(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
