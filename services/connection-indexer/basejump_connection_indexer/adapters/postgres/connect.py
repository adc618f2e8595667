"""Logs in to a customer's PostgreSQL and says exactly why when it can't."""

import ssl
from typing import Any

import asyncpg

from basejump_common.errors import BasejumpError, DatabaseMissing, DatabaseUnreachable, LoginRefused, TlsRefused
from basejump_connection_indexer.adapters.postgres.session import CustomerConnection, PostgresSession
from basejump_connection_indexer.adapters.tls import tls_context
from basejump_connection_indexer.domain.target import Target

_NOTICE_OUR_DEATH = {
    "client_connection_check_interval": "1000",
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
"""Without these the server goes on with the statement of a process that is gone until it has a row to send. Given with
the login they are the session's defaults, which a reset goes back to."""

_KNOWN_TO_NOBODY = (asyncpg.UndefinedObjectError, asyncpg.InvalidParameterValueError, asyncpg.ProtocolViolationError)
"""What servers before 14, those that aren't Linux's, and poolers say to them."""

_LOGIN_ERRORS = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InsufficientPrivilegeError)


async def log_in(address: str, target: Target, seconds: float) -> PostgresSession:
    """Raises DatabaseUnreachable, TlsRefused, LoginRefused or DatabaseMissing."""
    try:
        try:
            connection = await _connection(address, target, seconds, _NOTICE_OUR_DEATH)
        except _KNOWN_TO_NOBODY:
            connection = await _connection(address, target, seconds, {})
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise _meaning(error, target) from error
    return PostgresSession(connection)


async def _connection(address: str, target: Target, seconds: float, settings: dict[str, str]) -> CustomerConnection:
    options: dict[str, Any] = {}
    if attributes := target.query.get("target_session_attrs"):
        options["target_session_attrs"] = attributes
    return await asyncpg.connect(
        host=address,
        port=target.port,
        user=target.username,
        password=target.password.reveal(),
        database=target.database,
        ssl=tls_context(target.ssl_mode, target.ssl_root_cert, target.host),
        timeout=seconds,
        # No named statements: a transaction pooler may stand in between.
        statement_cache_size=0,
        server_settings=settings | {"application_name": target.query.get("application_name", "basejump")},
        **options,
    )


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
