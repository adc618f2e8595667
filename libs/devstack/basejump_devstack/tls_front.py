"""TLS for a PostgreSQL that was built without it: terminates TLS and pipes to the plain server.

The exchange before TLS is the protocol's own ("Message Flow, SSL Session Encryption" and "Canceling Requests
in Progress" in PostgreSQL's documentation, chapter Frontend/Backend Protocol). Who doesn't ask for TLS is
told so in an ErrorResponse; a CancelRequest is passed on, with TLS or without, since it carries only the
session's own key and drivers send it either way.
"""

import asyncio
import contextlib
import ssl
import struct
from pathlib import Path
from types import TracebackType
from typing import Self

from basejump_devstack.certificates import local_certificate

_CANCEL_REQUEST, _SSL_REQUEST, _GSS_REQUEST = 80877102, 80877103, 80877104
_LONGEST_STARTUP_BYTES = 10_000  # the server's own limit, MAX_STARTUP_PACKET_LENGTH
_HANDSHAKE_SECONDS = 10.0
_CHUNK_BYTES = 65_536

_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class TlsFront:
    """Listens on 127.0.0.1 with the certificate kept in `folder`, and pipes to `upstream` (host, port).

    `port` 0 picks a free one at the first start. Clients trust `authority`.
    """

    def __init__(self, folder: Path, upstream: tuple[str, int], *, port: int = 0) -> None:
        self.host = "127.0.0.1"
        self.port = port
        self._folder = folder
        self._upstream = upstream
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def authority(self) -> Path:
        """The PEM file of the authority that signed this server's certificate."""
        return local_certificate(self._folder).authority

    async def start(self) -> None:
        """Begin to listen; OSError when the port is taken."""
        context = local_certificate(self._folder).server_context()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            session = asyncio.create_task(self._serve(reader, writer, context))
            self._open.add(session)
            session.add_done_callback(self._open.discard)

        self._server = await asyncio.start_server(accept, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and hang up on everybody."""
        if self._server is None:
            return
        self._server.close()
        for session in tuple(self._open):
            session.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext) -> None:
        # A peer that hangs up, talks nonsense or refuses our certificate ends its own session only.
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
            try:
                first = await asyncio.wait_for(_secure(reader, writer, context), _HANDSHAKE_SECONDS)
                await self._pass_on(first, reader, writer)
            finally:
                writer.close()

    async def _pass_on(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if _code(first) != _CANCEL_REQUEST and writer.get_extra_info("ssl_object") is None:
            writer.write(_tls_required())
            return await writer.drain()
        upstream_reader, upstream_writer = await asyncio.open_connection(*self._upstream)
        try:
            upstream_writer.write(first)
            await _both_ways((reader, writer), (upstream_reader, upstream_writer))
        finally:
            upstream_writer.close()


async def _secure(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext) -> bytes:
    """Answer requests for encryption, and return the first message that isn't one."""
    while True:
        message = await _startup_message(reader)
        asked = _code(message)
        if asked == _SSL_REQUEST and writer.get_extra_info("ssl_object") is None:
            writer.write(b"S")
            await writer.start_tls(context, ssl_handshake_timeout=_HANDSHAKE_SECONDS)
        elif asked in (_SSL_REQUEST, _GSS_REQUEST):
            writer.write(b"N")
            await writer.drain()
        else:
            return message


async def _startup_message(reader: asyncio.StreamReader) -> bytes:
    """A message of the kind that opens a session: its length, then a code. ValueError for anything else."""
    head = await reader.readexactly(4)
    (length,) = struct.unpack("!I", head)
    if not 8 <= length <= _LONGEST_STARTUP_BYTES:
        raise ValueError(f"a startup message of {length} bytes")
    return head + await reader.readexactly(length - 4)


def _code(message: bytes) -> int:
    (code,) = struct.unpack_from("!I", message, 4)
    return int(code)


def _tls_required() -> bytes:
    fields = {"S": "FATAL", "V": "FATAL", "C": "28000", "M": "this server accepts TLS connections only"}
    body = b"".join(f"{key}{text}\0".encode() for key, text in fields.items()) + b"\0"
    return b"E" + struct.pack("!I", len(body) + 4) + body


async def _both_ways(one: _Stream, other: _Stream) -> None:
    """Copy until either side ends: TLS can't be closed by half, and PostgreSQL never is."""
    copies = {
        asyncio.ensure_future(_copy(one[0], other[1])),
        asyncio.ensure_future(_copy(other[0], one[1])),
    }
    try:
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for copy in copies:
            copy.cancel()
        await asyncio.gather(*copies, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()
