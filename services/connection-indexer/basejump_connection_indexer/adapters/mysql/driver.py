"""What asyncmy keeps to itself and we need: all that is touched of its inside is in this module."""

import ssl
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import asyncmy
from asyncmy.constants.CLIENT import MULTI_STATEMENTS, SSL

from basejump_connection_indexer.adapters.inflow import Inflow, put_before
from basejump_connection_indexer.adapters.mysql.types import CONVERSIONS, Described
from basejump_connection_indexer.domain.session import Row
from basejump_connection_indexer.domain.target import Target

_RESET_CONNECTION = 0x1F  # the protocol's COM_RESET_CONNECTION


class Prepared(Protocol):
    """A statement with `?` for its values."""

    async def execute(self, args: Sequence[Any]) -> Any: ...
    async def close(self) -> None: ...


class Cursor(Protocol):
    """Reads one result."""

    @property
    def description(self) -> Sequence[Any] | None: ...
    async def execute(self, query: str) -> Any: ...
    async def fetchmany(self, size: int) -> Sequence[Row]: ...
    async def fetchall(self) -> Sequence[Row]: ...


class Connection(Protocol):
    """The driver's connection, with the types that its own stubs lack. Everything raises asyncmy.Error."""

    @property
    def connected(self) -> bool: ...
    async def connect(self) -> Any: ...
    async def query(self, sql: str) -> Any: ...
    async def prepare(self, query: str) -> Prepared: ...
    def cursor(self, cursor: type | None = None) -> Cursor: ...
    def get_server_info(self) -> str: ...
    async def ensure_closed(self) -> None: ...
    def close(self) -> None: ...


def unconnected(address: str, target: Target, context: ssl.SSLContext, attributes: Mapping[str, str]) -> Connection:
    """A connection that will take one statement at a time, and gives values of results as `types` has them."""
    make: Any = asyncmy.Connection
    connection = make(
        host=address,
        port=target.port,
        user=target.username,
        # Bytes: the driver would encode a text as Latin-1, and the server compares UTF-8.
        password=target.password.reveal().encode(),
        database=target.database,
        ssl=context,
        conv=CONVERSIONS,
        autocommit=True,
    )
    # The driver always asks for several statements in one text; without the flag the server parses one only.
    connection._client_flag &= ~MULTI_STATEMENTS
    connection._connect_attrs.update(attributes)
    # The driver would ask for a statement's warnings, a round trip, and log them: they hold its text and values.
    # Not by a cursor class of ours: rows come in bulk to the driver's own alone.
    connection.show_warnings = _none
    made: Connection = connection
    return made


def bounded(connection: Any) -> Inflow:
    """What comes in over a connection that is logged in."""
    return put_before(connection._transport, connection._proto)


async def reset(connection: Any) -> None:
    """Make the session as if it had just logged in: settings, variables, locks, temporary tables, prepared statements.

    Raises asyncmy.Error, also where the server is too old to know how.
    """
    await connection._execute_command(_RESET_CONNECTION, b"")
    await connection._read_ok_packet()


async def _none() -> None:
    return None


def is_open(connection: Any) -> bool:
    """Whether the server, as far as is known, still listens."""
    return bool(connection.connected) and not connection._stream_broken


def offers_tls(connection: Any) -> bool:
    """As the server's greeting said; True when there was none."""
    return bool(getattr(connection, "server_capabilities", SSL) & SSL)


def is_encrypted(connection: Any) -> bool:
    """Whether TLS was agreed on: then it is a server of ours that speaks."""
    return bool(connection._secure)


def fields(cursor: Any) -> Sequence[Described]:
    """The columns of the result that the cursor reads."""
    found: Sequence[Described] = cursor._result.fields
    return found
