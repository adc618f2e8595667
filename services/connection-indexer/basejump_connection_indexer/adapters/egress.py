"""The way out to clients' buckets: a proxy on loopback that connects only to addresses the operator's policy allows.

Object-store clients resolve names themselves; through this proxy every connection of theirs is to an address that was
resolved here once and checked. TLS goes through untouched: it still verifies the name.
"""

import asyncio
import base64
import hmac
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from basejump_common.errors import HostForbidden
from basejump_common.security.addresses import addresses_of, check_addresses

CONNECT_SECONDS = 5.0
_HEAD_SECONDS = 10.0
_MOST_HEAD = 32_768
_CHUNK = 65_536
_MOST_ADDRESSES = 4
_DROPPED = (b"proxy-", b"connection:", b"keep-alive:")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Asked:
    """`head` is what goes on to the server; of a tunnel nothing does."""

    host: str
    port: int
    head: bytes
    tunnel: bool


class _Refused(Exception):
    """The status line that says why."""


class Egress:
    """`url` is the proxy's, with the password that only this process knows."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._password = secrets.token_urlsafe(24)
        self._credentials = base64.b64encode(f"basejump:{self._password}".encode())
        self.url = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Egress"]:
        """Serve on a free port of the loopback for as long as the block lasts."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_MOST_HEAD)
        port = server.sockets[0].getsockname()[1]
        self.url = f"http://basejump:{self._password}@127.0.0.1:{port}"
        try:
            yield self
        finally:
            server.close()

    async def check(self, host: str, port: int, field: str) -> None:
        """Raises HostForbidden, which names `field`; OSError and UnicodeError when no address is known."""
        addresses = await addresses_of(host, port)
        check_addresses(host, addresses, allow_private=self._allow_private, field=field)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_HEAD_SECONDS):
                asked = self._read(await reader.readuntil(b"\r\n\r\n"))
            there, to = await self._connect(asked)
        except _Refused as refused:
            writer.write(f"HTTP/1.1 {refused}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            pass  # who asked is gone, or said nothing that is HTTP
        else:
            if asked.tunnel:
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                to.write(asked.head)
            await _join((reader, writer), (there, to))
        finally:
            with suppress(OSError):
                writer.close()

    def _read(self, head: bytes) -> _Asked:
        """Raises _Refused."""
        line, *fields = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
        given = [f[20:].strip() for f in fields if f.lower().startswith(b"proxy-authorization:")]
        if len(given) != 1 or not hmac.compare_digest(given[0], b"Basic " + self._credentials):
            raise _Refused("407 Proxy Authentication Required")
        try:
            method, target, version = line.decode("ascii").split(" ")
            tunnel = method == "CONNECT"
            parts = urlsplit(f"//{target}" if tunnel else target)
            host, port = parts.hostname, parts.port or 80
        except ValueError as error:
            raise _Refused("400 Bad Request") from error
        if not host:
            raise _Refused("400 Bad Request")
        # One request for each connection: what follows a second head would go where the first one went.
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        kept = [field for field in fields if not field.lower().startswith(_DROPPED)]
        lines = [f"{method} {path} {version}".encode(), *kept, b"connection: close", b"", b""]
        return _Asked(host, port, b"\r\n".join(lines), tunnel)

    async def _connect(self, asked: _Asked) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Raises _Refused."""
        try:
            addresses = await addresses_of(asked.host, asked.port)
            check_addresses(asked.host, addresses, allow_private=self._allow_private)
        except HostForbidden as error:
            log.warning("a client's bucket led to an address that is forbidden: %s", asked.host)
            raise _Refused("403 Forbidden") from error
        except (OSError, UnicodeError) as error:
            raise _Refused("502 Bad Gateway") from error
        for address in addresses[:_MOST_ADDRESSES]:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await asyncio.open_connection(address, asked.port)
        raise _Refused("502 Bad Gateway")


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _join(one: Stream, other: Stream) -> None:
    """Pass bytes both ways until one side has ended."""
    ways = [asyncio.create_task(_pass(one[0], other[1])), asyncio.create_task(_pass(other[0], one[1]))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.wait(ways)
        for _, writer in (one, other):
            with suppress(OSError):
                writer.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
