"""Whole results over HTTP: whoever has a ticket gets all rows of one run, once its grant was checked.

A ticket is sealed with the keys of all replicas, so that any of them opens it; it names client, run and format, and is
good for a minute. The gateway reads it and passes the bytes on as fast as its own reader takes them.
"""

import asyncio
import base64
import binascii
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from basejump_common.contracts.connection import Format
from basejump_common.errors import BasejumpError
from basejump_common.security.envelope import Envelope, EnvelopeError
from basejump_common.security.secret import Secret
from basejump_common.storage.database import Database
from basejump_connection_indexer.adapters import run_rows, whole_files
from basejump_connection_indexer.adapters.internal_http import Receive, Scope, Send
from basejump_connection_indexer.adapters.result_store import ResultStore, StoredFile
from basejump_connection_indexer.adapters.whole_files import Part

TICKET_SECONDS = 60.0
SLICE_BYTES = 256_000
PATH = "/run/"
_CONTEXT = ("download",)
_THREADS = 2


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """What may be read, until when (seconds since the epoch)."""

    client_uuid: UUID
    run_uuid: UUID
    format: Format
    expires_at: float


class Tickets:
    """Issues tickets as URLs below `base`, and redeems them."""

    def __init__(self, envelope: Envelope, base: str) -> None:
        self._envelope = envelope
        self._base = base.rstrip("/")

    def issue(self, client_uuid: UUID, run_uuid: UUID, form: Format) -> tuple[Secret, datetime]:
        """The URL, and when it ends."""
        until = time.time() + TICKET_SECONDS
        ticket = Ticket(client_uuid=client_uuid, run_uuid=run_uuid, format=form, expires_at=until)
        sealed = self._envelope.encrypt(msgspec.json.encode(ticket), context=_CONTEXT)
        path = base64.urlsafe_b64encode(sealed).decode()
        return Secret(f"{self._base}{PATH}{path}"), datetime.fromtimestamp(until, UTC)

    def redeem(self, path: str) -> Ticket | None:
        """None for what isn't a ticket, or is none any more."""
        try:
            sealed = base64.urlsafe_b64decode(path.removeprefix(PATH).encode("ascii"))
            ticket = msgspec.json.decode(self._envelope.decrypt(sealed, context=_CONTEXT), type=Ticket)
        except (EnvelopeError, binascii.Error, UnicodeEncodeError):
            return None
        return ticket if ticket.expires_at > time.time() else None


class Downloads:
    """An ASGI application. At most `at_once` files are read at a time; more are answered with 503."""

    def __init__(self, database: Database, store: ResultStore, tickets: Tickets, at_once: int) -> None:
        self._database = database
        self._store = store
        self._tickets = tickets
        self._free = at_once
        # Threads of their own: whole results take no place from proofs.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="download")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises what ends the reading too early: the server then cuts the connection, so that nobody takes it for
        the whole."""
        if self._free <= 0:
            await _refuse(send, 503)
            return
        self._free -= 1
        try:
            await self._answer(scope, receive, send)
        finally:
            self._free += 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        ticket = self._tickets.redeem(scope["path"])
        try:
            file = None if ticket is None else await self._file(ticket)
        except BasejumpError:
            await _refuse(send, 503)
            return
        if ticket is None or file is None:
            await _refuse(send, 404)
            return
        length = file.bytes if ticket.format is Format.PARQUET else None
        sending = asyncio.create_task(self._send(whole_files.parts(file, ticket.format), length, send))
        gone = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            sending.cancel()
            gone.cancel()
            await asyncio.wait({sending, gone})

    async def _file(self, ticket: Ticket) -> StoredFile | None:
        async with self._database.tenant(ticket.client_uuid) as tx:
            row = await run_rows.find(tx, ticket.run_uuid)
        if row is None or row.object_key is None:
            return None
        try:
            return await self._store.open(ticket.client_uuid, row.storage_uuid, row.object_key)
        except FileNotFoundError:
            return None

    async def _send(self, parts: Iterator[Part], length: int | None, send: Send) -> None:
        """While one part is sent the next one is made."""
        headers = [] if length is None else [(b"content-length", b"%d" % length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        part = await self._next(parts)
        while part is not None:
            coming = asyncio.create_task(self._next(parts))
            try:
                await _send_slices(part, send)
            finally:
                if not coming.done():
                    await asyncio.wait({coming})
            part = coming.result()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _next(self, parts: Iterator[Part]) -> Part | None:
        return await asyncio.get_running_loop().run_in_executor(self._threads, next, parts, None)


async def _send_slices(part: Part, send: Send) -> None:
    whole = memoryview(part)
    for start in range(0, len(whole), SLICE_BYTES):
        body = bytes(whole[start : start + SLICE_BYTES])
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def _gone(receive: Receive) -> None:
    """Return once the reader has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(send: Send, status: int) -> None:
    headers: list[Any] = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
