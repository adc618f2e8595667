"""Logs in to a customer's MySQL or MariaDB and says exactly why when it can't."""

import asyncio
import ssl

import asyncmy
from asyncmy.constants import ER

from basejump_common.errors import BasejumpError, DatabaseMissing, DatabaseUnreachable, LoginRefused, TlsRefused
from basejump_connection_indexer.adapters.mysql.driver import Connection, is_encrypted, offers_tls, unconnected
from basejump_connection_indexer.adapters.mysql.session import MysqlSession
from basejump_connection_indexer.adapters.tls import tls_context
from basejump_connection_indexer.domain.target import Target

_DRIVERS_OWN = 2000  # the numbers from here on are the driver's, not the server's
_PLUGIN_ERRORS = (2059, 2061, 1251, 1275, 1524)
_LOGIN_ERRORS = (ER.ACCESS_DENIED_ERROR, 1698, 1820, 1862, 3118, 4151)  # also: password expired, account locked
_MISSING_ERRORS = (ER.BAD_DB_ERROR, ER.DBACCESS_DENIED_ERROR)  # a login that may nothing in it isn't told which


async def log_in(address: str, target: Target, seconds: float) -> MysqlSession:
    """Raises DatabaseUnreachable, TlsRefused, LoginRefused or DatabaseMissing."""

    async def connect() -> Connection:
        context = tls_context(target.ssl_mode, target.ssl_root_cert, target.host)
        attributes = {"program_name": target.query.get("application_name", "basejump")}
        connection = unconnected(address, target, context, attributes)
        try:
            async with asyncio.timeout(seconds):
                await connection.connect()
        except Exception as error:  # what isn't MySQL makes the driver raise anything
            raise _meaning(error, connection, target) from error
        return connection

    session = MysqlSession(await connect(), connect)
    try:
        async with asyncio.timeout(seconds):
            await session.begin()
    except (asyncmy.Error, OSError) as error:
        session.terminate()
        raise _meaning(error, None, target) from error
    except BaseException:
        session.terminate()
        raise
    return session


def _meaning(error: Exception, connection: Connection | None, target: Target) -> BasejumpError:
    place = f"{target.host}:{target.port}"
    number, message = error.args if isinstance(error, asyncmy.Error) and len(error.args) == 2 else (None, None)
    match error.__cause__ or error:
        case ssl.SSLCertVerificationError() as refusal:
            return TlsRefused.field("ssl_mode", f"the certificate of {place} is refused: {refusal.verify_message}")
        case _ if connection is not None and not offers_tls(connection):
            return TlsRefused.field("ssl_mode", f"{place} refuses TLS")
        case ssl.SSLError() as refusal:
            return TlsRefused.field("ssl_mode", f"no TLS connection with {place}: {refusal.reason}")
    if number in _MISSING_ERRORS:
        return DatabaseMissing.field("database_name", f"{place} has no database {target.database} that it may use")
    if number in _PLUGIN_ERRORS:
        return LoginRefused.field("username", f"{place} wants a way to log in that isn't supported: {message}")
    if not isinstance(error, asyncmy.Error | OSError) and connection is not None and is_encrypted(connection):
        return LoginRefused.field("username", f"{place} wants a way to log in that isn't supported")
    if number in _LOGIN_ERRORS:
        return LoginRefused.field("username", f"{place} refuses the login of {target.username}")
    if isinstance(number, int) and not _DRIVERS_OWN <= number < _DRIVERS_OWN + 1000:
        return DatabaseUnreachable.field("host", f"{place} refuses connections: {message}")
    return DatabaseUnreachable.field("host", f"nothing answers as MySQL at {place}")
