"""The way out to clients' buckets: what asks through it reaches allowed addresses alone, and only with its password."""

import asyncio
import base64
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from basejump_connection_indexer.adapters.egress import Egress


@pytest.fixture
async def outside() -> AsyncIterator[int]:
    """A server that says what it was sent; its port."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + await reader.readuntil(b"\r\n\r\n"))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def asked(egress: Egress, head: str, *, password: bool = True, then: bytes = b"") -> bytes:
    """All that comes back for a head with, or without, the proxy's password."""
    parts = urlsplit(egress.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    credentials = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
    known = f"Proxy-Authorization: Basic {credentials}\r\n" if password else ""
    writer.write(f"{head}\r\n{known}Host: outside\r\nX-Kept: yes\r\n\r\n".encode() + then)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return answer


async def test_what_is_allowed_is_reached(outside: int) -> None:
    async with Egress(allow_private=True).serving() as egress:
        tunnel = await asked(egress, f"CONNECT localhost:{outside} HTTP/1.1", then=b"GET / HTTP/1.1\r\n\r\n")
        assert tunnel.startswith(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK")
        assert tunnel.endswith(b"GET / HTTP/1.1\r\n\r\n"), "nothing is added to what goes through"
        plain = await asked(egress, f"GET http://localhost:{outside}/a?b=c HTTP/1.1")
        assert b"GET /a?b=c HTTP/1.1\r\nHost: outside\r\nX-Kept: yes\r\n" in plain
        assert b"Basic" not in plain, "the password stays here"


@pytest.mark.parametrize("head", ["CONNECT localhost:{port} HTTP/1.1", "GET http://127.0.0.1:{port}/ HTTP/1.1"])
async def test_private_addresses_are_not_reached(outside: int, head: str) -> None:
    async with Egress(allow_private=False).serving() as egress:
        assert (await asked(egress, head.format(port=outside))).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("host", ["169.254.169.254", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "0.0.0.0"])
async def test_what_clouds_tell_their_machines_is_never_reached(host: str) -> None:
    async with Egress(allow_private=True).serving() as egress:
        assert (await asked(egress, f"CONNECT {host}:80 HTTP/1.1")).startswith(b"HTTP/1.1 403 ")


async def test_who_does_not_know_the_password_gets_nowhere(outside: int) -> None:
    async with Egress(allow_private=True).serving() as egress:
        answer = await asked(egress, f"CONNECT localhost:{outside} HTTP/1.1", password=False)
        assert answer.startswith(b"HTTP/1.1 407 ")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("CONNECT nobody.invalid:443 HTTP/1.1", b"502"),
        ("CONNECT localhost:1 HTTP/1.1", b"502"),
        ("CONNECT localhost:99999 HTTP/1.1", b"400"),
        ("GET / HTTP/1.1", b"400"),
        ("nonsense", b"400"),
    ],
)
async def test_what_leads_nowhere_is_said(head: str, status: bytes) -> None:
    async with Egress(allow_private=True).serving() as egress:
        assert (await asked(egress, head)).startswith(b"HTTP/1.1 " + status)
