"""Connects to customers' databases: the address is settled here, the rest is the engine's."""

from collections.abc import Awaitable, Callable, Mapping

from basejump_common.contracts.connection import DatabaseType
from basejump_common.errors import BasejumpError, DatabaseUnreachable, InvalidInput
from basejump_common.security.addresses import addresses_of, check_addresses
from basejump_connection_indexer.adapters import mysql, postgres
from basejump_connection_indexer.domain.session import Session
from basejump_connection_indexer.domain.target import Target

CONNECT_SECONDS = 5.0
_MOST_ADDRESSES = 4

_LOG_IN: Mapping[DatabaseType, Callable[[str, Target, float], Awaitable[Session]]] = {
    DatabaseType.POSTGRES: postgres.log_in,
    DatabaseType.MYSQL: mysql.log_in,
    DatabaseType.MARIADB: mysql.log_in,
}


class Connector:
    """Resolves a host once, checks every address against the operator's policy, connects to what was checked."""

    def __init__(self, *, allow_private_hosts: bool) -> None:
        self._allow_private = allow_private_hosts

    async def connect(self, target: Target) -> Session:
        """Raises HostForbidden, DatabaseUnreachable, TlsRefused, LoginRefused or DatabaseMissing."""
        addresses = await _resolve(target.host, target.port)
        check_addresses(target.host, addresses, allow_private=self._allow_private)
        seconds = float(target.query.get("connect_timeout", CONNECT_SECONDS))
        failure: BasejumpError | None = None
        for address in addresses[:_MOST_ADDRESSES]:
            try:
                return await _LOG_IN[target.database_type](address, target, seconds)
            except DatabaseUnreachable as error:
                failure = error
        raise failure or DatabaseUnreachable.field("host", f"{target.host} has no address")


async def _resolve(host: str, port: int) -> list[str]:
    try:
        return await addresses_of(host, port)
    except UnicodeError as error:
        raise InvalidInput.field("host", "not a host name") from error
    except OSError as error:
        raise DatabaseUnreachable.field("host", f"no address is known for {host}") from error
