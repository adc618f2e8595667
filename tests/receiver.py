"""A customer's server that receives webhooks over real HTTPS, and answers as it is told.

async with Receiver.open(folder) as receiver:
    receiver.answers = [b"HTTP/1.1 500 No\\r\\n\\r\\n"]        # then 200
    request = await receiver.next()
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import trustme

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
Answer = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


def status(code: int, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {code} Said", "Content-Length: 0", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


@dataclass(frozen=True)
class Received:
    """A request as it came; names of headers in small letters."""

    line: str
    headers: dict[str, str]
    body: bytes
    at: float


class Receiver:
    """`answers` are used up one by one; after them everything is fine."""

    def __init__(self, authority: Path, scheme: str) -> None:
        self.authority = authority
        self._scheme = scheme
        self.port = 0
        self.answers: list[Answer] = []
        self.requests: list[Received] = []
        self._taken = 0
        self._news = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, folder: Path, *names: str, ca: trustme.CA | None = None, tls: bool = True
    ) -> AsyncIterator["Receiver"]:
        """With a certificate for these names, by default `localhost`; `authority` is the file of who signed it."""
        ca = ca or trustme.CA()
        ca.cert_pem.write_to_path(str(folder / "ca.pem"))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        ca.issue_cert(*(names or ("localhost",))).configure_cert(context)
        receiver = cls(folder / "ca.pem", "https" if tls else "http")
        server = await asyncio.start_server(receiver._serve, "127.0.0.1", 0, ssl=context if tls else None)
        receiver.port = server.sockets[0].getsockname()[1]
        try:
            yield receiver
        finally:
            server.close()

    @property
    def url(self) -> str:
        return f"{self._scheme}://localhost:{self.port}/hook/secret-path?key=secret-query"

    async def next(self, seconds: float = 5.0) -> Received:
        """The next request; fails when none comes."""
        async with asyncio.timeout(seconds):
            while self._taken >= len(self.requests):
                self._news.clear()
                await self._news.wait()
        self._taken += 1
        return self.requests[self._taken - 1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.requests.append(Received(head[0], headers, body, asyncio.get_running_loop().time()))
            self._news.set()
            answer = self.answers.pop(0) if self.answers else OK
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(writer)
        writer.close()
