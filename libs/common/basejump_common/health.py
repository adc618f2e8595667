"""`/health/live` and `/health/ready` over HTTP, for the probes of a container platform."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

Ready = Callable[[], bool]


def application(ready: Ready) -> Any:
    """An ASGI application. Live never looks at dependencies: a restart would not bring them back."""

    async def answer(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        status = {"/health/live": 200, "/health/ready": 200 if ready() else 503}.get(scope["path"].rstrip("/"), 404)
        headers = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok\n" if status == 200 else b"not ready\n"})

    return answer


class SilentServer(uvicorn.Server):
    """uvicorn without its signal handlers: the service owns the signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


@asynccontextmanager
async def serve_health(host: str, port: int, ready: Ready) -> AsyncIterator[None]:
    """Answer at `host` for as long as the block lasts; port 0 answers nowhere."""
    if not port:
        yield
        return
    config = uvicorn.Config(
        application(ready),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = SilentServer(config)
    task = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.should_exit = True
        await task
