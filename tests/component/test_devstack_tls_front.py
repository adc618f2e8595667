"""The TLS front before a PostgreSQL without TLS: what drivers ask for, they get; plain text is refused."""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import asyncpg
import psycopg
import pytest

from basejump_devstack.certificates import local_certificate
from basejump_devstack.postgres import EmbeddedPostgres
from basejump_devstack.tls_front import TlsFront


@pytest.fixture(scope="module")
async def front(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TlsFront]:
    async with TlsFront(tmp_path_factory.mktemp("tls"), (postgres.host, postgres.port)) as server:
        yield server


def trusting(authority: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority))


async def connect(
    front: TlsFront, postgres: EmbeddedPostgres, tls: ssl.SSLContext | Literal[False], host: str = "127.0.0.1"
) -> "asyncpg.Connection[asyncpg.Record]":
    dsn = f"postgresql://postgres@{host}:{front.port}/postgres"
    return await asyncpg.connect(dsn, password=postgres.password, ssl=tls)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_client_that_verifies_name_and_authority_is_served(
    front: TlsFront, postgres: EmbeddedPostgres, host: str
) -> None:
    connection = await connect(front, postgres, trusting(front.authority), host)
    assert await connection.fetchval("select 6 * 7") == 42
    await connection.close()


async def test_a_client_that_trusts_another_authority_turns_away(
    front: TlsFront, postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    stranger = local_certificate(tmp_path).authority
    with pytest.raises(ssl.SSLCertVerificationError):
        await connect(front, postgres, trusting(stranger))


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
async def test_libpq_is_served_in_each_mode(front: TlsFront, postgres: EmbeddedPostgres, mode: str) -> None:
    trust = "" if mode == "require" else f"sslrootcert={front.authority}"
    where = f"host=localhost port={front.port} user=postgres sslmode={mode} {trust}"
    async with await psycopg.AsyncConnection.connect(where, password=postgres.password) as connection:
        assert await (await connection.execute("select 1")).fetchone() == (1,)
        assert connection.pgconn.ssl_in_use


async def test_a_client_without_tls_is_told_why_it_is_refused(front: TlsFront, postgres: EmbeddedPostgres) -> None:
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="accepts TLS connections only"):
        await connect(front, postgres, False)


async def test_large_results_and_parameters_arrive_whole(front: TlsFront, postgres: EmbeddedPostgres) -> None:
    connection = await connect(front, postgres, trusting(front.authority))
    text = "x" * 5_000_000
    assert await connection.fetchval("select $1::text || $1::text", text) == text * 2
    await connection.close()


async def test_a_statement_is_cancelled_through_it(front: TlsFront, postgres: EmbeddedPostgres) -> None:
    connection = await connect(front, postgres, trusting(front.authority))
    with pytest.raises(TimeoutError):
        await connection.execute("select pg_sleep(30)", timeout=0.2)
    running = "select count(*) from pg_stat_activity where state = 'active' and query like 'select pg_sleep%'"
    assert await connection.fetchval(running) == 0
    await connection.close()


async def test_a_cancel_request_without_tls_is_passed_on(front: TlsFront, postgres: EmbeddedPostgres) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    writer.write(struct.pack("!IIII", 16, 80877102, 0, 0))
    assert await asyncio.wait_for(reader.read(), timeout=5) == b""  # the server hangs up, without an error
    writer.close()


@pytest.mark.parametrize("noise", [b"GET / HTTP/1.1\r\n\r\n", struct.pack("!II", 4, 0), b"\0\0\0"])
async def test_noise_ends_only_its_own_session(front: TlsFront, postgres: EmbeddedPostgres, noise: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    writer.write(noise)
    writer.write_eof()
    assert await asyncio.wait_for(reader.read(), timeout=5) == b""
    writer.close()
    connection = await connect(front, postgres, trusting(front.authority))
    await connection.close()


async def test_stopping_hangs_up_on_open_sessions(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    async with TlsFront(tmp_path, (postgres.host, postgres.port)) as server:
        connection = await connect(server, postgres, trusting(server.authority))
        await asyncio.wait_for(server.stop(), timeout=5)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await connection.fetchval("select 1")


def test_the_certificate_is_kept_and_its_key_is_closed_to_others(tmp_path: Path) -> None:
    first = local_certificate(tmp_path).authority.read_bytes()
    assert local_certificate(tmp_path).authority.read_bytes() == first
    assert local_certificate(tmp_path).chain.stat().st_mode & 0o077 == 0
