"""A response that is sent piece by piece, as fast as its reader takes it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from litestar import Response

from basejump_gateway.edge import Receive, Scope, Send

STALLED_SECONDS = 60.0
"""A reader who takes nothing for so long is cut off."""

Headers = Sequence[tuple[bytes, bytes]]


class Piped(Response[bytes]):
    """Sends `first` and what `pieces` gives, until it ends or the reader is gone; then `pieces` is closed.

    What `pieces` raises cuts the connection, so that nobody takes what came for the whole.
    """

    def __init__(self, first: bytes, pieces: AsyncGenerator[bytes], headers: Headers) -> None:
        super().__init__(first)
        self._pieces = pieces
        self._headers_sent = headers

    def to_asgi_response(self, *_: object, **__: object) -> Any:
        """Litestar's hook: the ASGI application that answers."""
        return self._answer

    async def _answer(self, _scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._pieces):
            sending = asyncio.create_task(self._send_all(send))
            gone = asyncio.create_task(disconnected(receive))
            try:
                await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
                if sending.done():
                    sending.result()
            finally:
                gone.cancel()
                sending.cancel()
                await asyncio.wait({sending})

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(self._headers_sent)})
        await _send(send, self.content)
        async for piece in self._pieces:
            await _send(send, piece)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send(send: Send, piece: bytes) -> None:
    async with asyncio.timeout(STALLED_SECONDS):
        await send({"type": "http.response.body", "body": piece, "more_body": True})


async def disconnected(receive: Receive) -> None:
    """Return once the caller has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass
