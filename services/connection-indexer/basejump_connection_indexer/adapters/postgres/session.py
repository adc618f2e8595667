"""A session with a customer's PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, Literal, TypeAlias

import asyncpg

from basejump_common.contracts.connection import Estimate
from basejump_connection_indexer.adapters.inflow import put_before
from basejump_connection_indexer.adapters.postgres import catalog, role
from basejump_connection_indexer.adapters.postgres.rows import PostgresRows, Running
from basejump_connection_indexer.adapters.postgres.values import PostgresValues
from basejump_connection_indexer.domain.definition import SeenTable
from basejump_connection_indexer.domain.session import BrokeOff, CatalogRequest, Fetch, Query, Row

CustomerConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Isolation: TypeAlias = Literal["repeatable_read"]

_CLOSE_SECONDS = 3.0
_LOOK_SECONDS = 15.0
_CATALOG_SECONDS = 60.0
_END_OTHERS = """
    select pg_terminate_backend(pid) from pg_catalog.pg_stat_activity
    where application_name = $1 and usename = session_user and pid <> pg_backend_pid()
"""


class PostgresSession:
    """The port's `Session`."""

    values = PostgresValues()

    def __init__(self, connection: CustomerConnection) -> None:
        self._connection = connection
        inside: Any = connection
        self._running = Running(connection, put_before(inside._transport, inside._protocol))

    @property
    def is_open(self) -> bool:
        return not self._connection.is_closed()

    async def check_schemas(self, names: Sequence[str]) -> None:
        async with self._read_only(_LOOK_SECONDS):
            await catalog.check_schemas(self._connection, names)

    async def risks(self, schemas: Sequence[str]) -> tuple[str, ...]:
        async with self._read_only(_LOOK_SECONDS):
            return await role.risks(self._connection, schemas)

    async def catalog(self, request: CatalogRequest) -> list[SeenTable]:
        async with self._read_only(_CATALOG_SECONDS, isolation="repeatable_read"):
            return await catalog.read_catalog(self._connection, request)

    @asynccontextmanager
    async def reading(self, seconds: float) -> AsyncIterator[Fetch]:
        async def fetch(query: Query) -> Sequence[Row]:
            sql, values = query
            return [tuple(row) for row in await self._connection.fetch(sql, *values)]

        async with self._read_only(seconds):
            yield fetch

    async def explain(self, sql: str, label: str, seconds: float) -> Estimate:
        return await self._running.explain(sql, label, seconds)

    def rows(self, sql: str, label: str, seconds: float) -> AbstractAsyncContextManager[PostgresRows]:
        return self._running.rows(sql, label, seconds)

    async def end_others(self, label: str) -> None:
        async with self._read_only(_LOOK_SECONDS):
            await self._connection.fetch(_END_OTHERS, label)

    async def reset(self) -> bool:
        self._running.forget()
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._connection.execute("discard all")  # fails within a transaction
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        return True

    async def close(self) -> None:
        try:
            await asyncio.shield(self._connection.close(timeout=_CLOSE_SECONDS))
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self.terminate()

    def terminate(self) -> None:
        self._connection.terminate()

    @asynccontextmanager
    async def _read_only(self, seconds: float, isolation: Isolation | None = None) -> AsyncIterator[None]:
        with _in_the_drivers_words():
            async with self._connection.transaction(isolation=isolation, readonly=True):
                limit = f"set local statement_timeout = {int(seconds * 1000)}"
                await self._connection.execute(f"set local search_path = pg_catalog; {limit}")
                yield


@contextmanager
def _in_the_drivers_words() -> Iterator[None]:
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise BrokeOff(str(error)) from error
