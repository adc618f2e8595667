"""A session with a customer's MySQL or MariaDB."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress

import asyncmy

from basejump_common.contracts.connection import Estimate
from basejump_connection_indexer.adapters.mysql import catalog, role
from basejump_connection_indexer.adapters.mysql.driver import Connection, bounded, is_open, reset
from basejump_connection_indexer.adapters.mysql.rows import MysqlRows, explained, in_our_words, started
from basejump_connection_indexer.adapters.mysql.values import MysqlValues
from basejump_connection_indexer.domain.definition import SeenTable
from basejump_connection_indexer.domain.session import BrokeOff, CatalogRequest, Fetch, Query, Row

_CLOSE_SECONDS = 3.0
_LOOK_SECONDS = 15.0
_CATALOG_SECONDS = 60.0

# The database must read a statement as sqlguard has proved it: backslashes escape, double quotes are for texts, || is
# OR. A column that is neither grouped nor aggregated is an error: its value would be anyone's guess.
_SQL_MODE = (
    "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION"
)
_SETTINGS = ", ".join(
    (
        "set session character_set_client = utf8mb4",
        "session character_set_results = utf8mb4",
        "session collation_connection = utf8mb4_general_ci",
        f"session sql_mode = '{_SQL_MODE}'",
        "session time_zone = '+00:00'",
        "session autocommit = 1",
        # So that nothing is cut in silence.
        "session sql_select_limit = default",
        "session group_concat_max_len = 1000000",
    )
)


class MysqlSession:
    """The port's `Session`. Whatever is left in the middle is killed by a second connection."""

    values = MysqlValues()

    def __init__(self, connection: Connection, connect: Callable[[], Awaitable[Connection]]) -> None:
        self._connection = connection
        self._inflow = bounded(connection)
        self._connect = connect
        self._seconds: float | None = None
        self._busy = False
        self._number: int | None = None

    async def begin(self) -> None:
        """Make the session what the port promises; afterwards nothing in it can write. Raises asyncmy.Error."""
        self._seconds = None
        await self._connection.query(_SETTINGS)
        await self._connection.query("set session transaction read only")
        await self._limit(_LOOK_SECONDS)
        if self._number is None:
            ((self._number,),) = await self._fetch(("select connection_id()", ()))

    @property
    def _is_mariadb(self) -> bool:
        return "MariaDB" in self._connection.get_server_info()

    @property
    def is_open(self) -> bool:
        return is_open(self._connection)

    async def check_schemas(self, names: Sequence[str]) -> None:
        async with self.reading(_LOOK_SECONDS) as fetch:
            seen = await catalog.schemas_seen(fetch)
        # Outside: what is raised while it reads ends the session.
        catalog.check_schemas(names, seen)

    async def risks(self, _schemas: Sequence[str], /) -> tuple[str, ...]:
        async with self.reading(_LOOK_SECONDS) as fetch:
            return await role.risks(fetch)

    async def catalog(self, request: CatalogRequest) -> list[SeenTable]:
        async with self.reading(_CATALOG_SECONDS) as fetch:
            return await catalog.read_catalog(fetch, request)

    @asynccontextmanager
    async def reading(self, seconds: float) -> AsyncIterator[Fetch]:
        with _in_the_drivers_words():
            async with self._working(seconds):
                yield self._fetch

    async def explain(self, sql: str, label: str, seconds: float) -> Estimate:
        with in_our_words(seconds):
            async with self._working(seconds):
                return await explained(self._connection, sql, label, is_mariadb=self._is_mariadb)

    @asynccontextmanager
    async def rows(self, sql: str, label: str, seconds: float) -> AsyncIterator[MysqlRows]:
        with in_our_words(seconds):
            async with self._working(seconds):
                rows = await started(self._connection, self._inflow, sql, label)
                yield rows
                if await rows.fetch(1):
                    await self.close()
                self._inflow.let_in()

    async def end_others(self, label: str) -> None:
        listed = "select id from information_schema.processlist where info like concat('/* ', ?, ' */%')"
        async with self.reading(_LOOK_SECONDS) as fetch:
            others = [number for (number,) in await fetch((listed, (label,))) if number != self._number]
            for number in others:
                with suppress(asyncmy.Error):  # it has ended by itself
                    await self._connection.query(f"kill connection {number}")

    async def reset(self) -> bool:
        if self._busy or not self.is_open:
            return False
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await reset(self._connection)
                await self.begin()
        except (TimeoutError, OSError, asyncmy.Error):
            return False
        return True

    async def close(self) -> None:
        await asyncio.shield(self._end())

    def terminate(self) -> None:
        self._connection.close()

    async def _end(self) -> None:
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                if self._busy:
                    self.terminate()
                    await self._kill()
                else:
                    await self._connection.ensure_closed()
        except Exception:  # noqa: BLE001 - closing never fails: the server's own limits end what is left
            self.terminate()
        finally:
            self._busy = False

    async def _kill(self) -> None:
        """A login may kill its own sessions. One that has ended already is as good."""
        other = await self._connect()
        try:
            await other.query(f"kill connection {self._number}")
        finally:
            other.close()

    @asynccontextmanager
    async def _working(self, seconds: float) -> AsyncIterator[None]:
        """A read-only transaction. Left early, the session is at an end, and in the database too when this returns."""
        self._busy = True
        try:
            await self._limit(seconds)
            await self._connection.query("start transaction read only")
            yield
            if self.is_open:
                await self._connection.query("rollback")
                self._busy = False
        except BaseException as error:
            # An error that the server sent ended the statement; everything else may have left it running.
            self._busy = not (isinstance(error, asyncmy.Error) and self.is_open)
            await self.close()
            raise

    async def _limit(self, seconds: float) -> None:
        """MySQL limits SELECT alone, in milliseconds; MariaDB every statement, in seconds."""
        if seconds == self._seconds:
            return
        milliseconds = int(seconds * 1000)
        limit = f"max_statement_time = {seconds:g}" if self._is_mariadb else f"max_execution_time = {milliseconds}"
        await self._connection.query(f"set session {limit}")
        self._seconds = seconds

    async def _fetch(self, query: Query) -> Sequence[Row]:
        """By a prepared statement: the values stay apart from the text. Not all that has none can be prepared."""
        sql, values = query
        if not values:
            cursor = self._connection.cursor()
            await cursor.execute(sql)
            return await cursor.fetchall() if cursor.description else ()
        statement = await self._connection.prepare(sql)
        try:
            found: Sequence[Row] = (await statement.execute(values)).rows
        finally:
            await statement.close()
        return found


@contextmanager
def _in_the_drivers_words() -> Iterator[None]:
    try:
        yield
    except (asyncmy.Error, OSError) as error:
        raise BrokeOff(str(error.args[-1]) if error.args else str(error)) from error
