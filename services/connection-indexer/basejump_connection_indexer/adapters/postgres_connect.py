"""Opens a connection to a customer's PostgreSQL and says exactly why when it can't."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import asyncpg

from basejump_common.errors import (
    BasejumpError,
    DatabaseMissing,
    DatabaseUnreachable,
    InvalidInput,
    LoginRefused,
    TlsRefused,
)
from basejump_connection_indexer.adapters.tls import tls_context
from basejump_connection_indexer.domain.address_policy import check_addresses
from basejump_connection_indexer.domain.target import Target

CustomerConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Connect: TypeAlias = Callable[[Target], Awaitable[CustomerConnection]]

CONNECT_SECONDS = 5.0
_CLOSE_SECONDS = 3.0
_MOST_ADDRESSES = 4
_LOGIN_ERRORS = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InsufficientPrivilegeError)


class PostgresConnector:
    """Resolves a host once, checks every address against the operator's policy, connects to what was checked."""

    def __init__(self, *, allow_private_hosts: bool) -> None:
        self._allow_private = allow_private_hosts

    async def connect(self, target: Target) -> CustomerConnection:
        """Raises HostForbidden, DatabaseUnreachable, TlsRefused, LoginRefused or DatabaseMissing."""
        addresses = await _resolve(target.host, target.port)
        check_addresses(target.host, addresses, allow_private=self._allow_private)
        failure: BasejumpError | None = None
        for address in addresses[:_MOST_ADDRESSES]:
            try:
                return await _connect_to(address, target)
            except DatabaseUnreachable as error:
                failure = error
        raise failure or DatabaseUnreachable.field("host", f"{target.host} has no address")


async def close(connection: CustomerConnection) -> None:
    """End the session, after what was being canceled in it is canceled; cut it off when that takes too long."""
    try:
        await asyncio.shield(connection.close(timeout=_CLOSE_SECONDS))
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()


async def _resolve(host: str, port: int) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise InvalidInput.field("host", "not a host name") from error
    except OSError as error:
        raise DatabaseUnreachable.field("host", f"no address is known for {host}") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def _connect_to(address: str, target: Target) -> CustomerConnection:
    options: dict[str, Any] = {}
    if attributes := target.query.get("target_session_attrs"):
        options["target_session_attrs"] = attributes
    try:
        return await asyncpg.connect(
            host=address,
            port=target.port,
            user=target.username,
            password=target.password.reveal(),
            database=target.database,
            ssl=tls_context(target.ssl_mode, target.ssl_root_cert, target.host),
            timeout=float(target.query.get("connect_timeout", CONNECT_SECONDS)),
            # No named statements: a transaction pooler may stand in between.
            statement_cache_size=0,
            server_settings={"application_name": target.query.get("application_name", "basejump")},
            **options,
        )
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise _meaning(error, target) from error


def _meaning(error: Exception, target: Target) -> BasejumpError:
    place = f"{target.host}:{target.port}"
    match error:
        case ssl.SSLCertVerificationError():
            return TlsRefused.field("ssl_mode", f"the certificate of {place} is refused: {error.verify_message}")
        case ssl.SSLError():
            return TlsRefused.field("ssl_mode", f"no TLS connection with {place}: {error.reason}")
        case ConnectionError() if "SSL" in str(error) or "TLS" in str(error):
            return TlsRefused.field("ssl_mode", f"{place} refuses TLS")
        case asyncpg.InvalidCatalogNameError():
            return DatabaseMissing.field("database_name", f"{place} has no database {target.database}")
        case _ if isinstance(error, _LOGIN_ERRORS):
            return LoginRefused.field("username", f"{place} refuses the login of {target.username}")
        case asyncpg.PostgresError():
            return DatabaseUnreachable.field("host", f"{place} refuses connections: {error}")
        case _:
            return DatabaseUnreachable.field("host", f"nothing answers as PostgreSQL at {place}")
