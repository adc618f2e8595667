"""The way to a service's tables: a pool with two doors and no third.

    async with database.tenant(client_uuid) as tx:    # tables of that tenant; row-level security hides the others
        team = await tx.row(Team, "select * from team where team_uuid = $1", team_uuid)

    async with database.platform() as tx:             # the few tables without tenant content; tenants' tables are empty
        await tx.execute("delete from inbox where received_at < now() - interval '7 days'")

    async with database.whole(seconds) as tx:         # both doors, opened inside by the same task or its children,
        ...                                           # are parts of this one transaction

All are transactions: committed at the end of the block, rolled back when it raises. All settings are local to the
transaction, so a transaction pooler (pgbouncer, with `statement_cache_size=0`) may stand in between.
"""

import asyncio
import math
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from decimal import Decimal
from typing import Any, Self, TypeAlias, TypeVar
from uuid import UUID

import asyncpg
import msgspec

from basejump_common.errors import Unavailable
from basejump_common.storage.bells import Bells
from basejump_common.storage.driver_errors import DriverErrors

S = TypeVar("S", bound=msgspec.Struct)
Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

ACQUIRE_SECONDS = 5.0
CONNECT_SECONDS = 5.0
QUERY_SECONDS = 30.0
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_JSONB_VERSION = b"\x01"

driver_errors = DriverErrors()


def check_identifier(name: str) -> str:
    """`name` when it needs no quoting in SQL; ValueError otherwise."""
    if not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"not a plain SQL identifier: {name!r}")
    return name


class Transaction:
    """One open transaction. Parameters are `$1`, `$2` …; jsonb is given and taken as msgspec values.

    Every method raises Unavailable when the database is away and DeadlineExceeded when a statement takes too long;
    other errors (`asyncpg.UniqueViolationError` …) come as they are, for the caller to give them a meaning.
    """

    def __init__(self, connection: Connection, bells: "Bells") -> None:
        self._connection = connection
        self._bells = bells
        self._to_ring: set[str] = set()
        self._to_tell: set[str] = set()
        self._at_end: list[Callable[[bool], None]] = []
        self._committed = False
        self._savepoints = 0
        self.first = 0
        """How many rows the statement touched that came with the begin."""

    async def fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        """All rows."""
        with driver_errors:
            return await self._connection.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: Any) -> asyncpg.Record | None:
        """The first row, if any."""
        with driver_errors:
            return await self._connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        """The first column of the first row; None without one."""
        with driver_errors:
            return await self._connection.fetchval(sql, *args)

    async def rows(self, struct: type[S], sql: str, *args: Any) -> list[S]:
        """All rows as `struct`, columns to fields by name; columns that it doesn't know are left out."""
        return msgspec.convert(await self.fetch(sql, *args), list[struct])  # type: ignore[valid-type]

    async def row(self, struct: type[S], sql: str, *args: Any) -> S | None:
        """The first row as `struct`, if any."""
        record = await self.fetchrow(sql, *args)
        return None if record is None else msgspec.convert(record, struct)

    async def execute(self, sql: str, *args: Any) -> int:
        """Run one statement; the number of rows that it touched."""
        with driver_errors:
            status = await self._connection.execute(sql, *args)
        count = status.rpartition(" ")[2]
        return int(count) if count.isdecimal() else 0

    async def executemany(self, sql: str, args: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each set of arguments, pipelined."""
        with driver_errors:
            await self._connection.executemany(sql, args)

    async def insert_records(self, table: str, columns: Sequence[str], records: Iterable[Sequence[Any]]) -> None:
        """Insert many rows: about 9 µs each, COPY 3; but COPY is refused on tables with row-level security."""
        names = ", ".join(check_identifier(column) for column in columns)
        values = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
        statement = f"insert into {check_identifier(table)} ({names}) values ({values})"  # noqa: S608 - checked
        await self.executemany(statement, records)

    def ring(self, bell: str, *, everywhere: bool = False) -> None:
        """Ring `Database.bell(bell)` once this transaction is committed; never if it isn't.

        `everywhere`: in the service's other replicas too, as far as NATS reaches them.
        """
        self._to_ring.add(bell)
        if everywhere:
            self._to_tell.add(bell)

    def at_end(self, tell: Callable[[bool], None]) -> None:
        """Call `tell` when this transaction has ended, with whether it is known to be committed. It must not raise."""
        self._at_end.append(tell)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What fails inside is undone and raised; the transaction goes on if the caller catches it."""
        self._savepoints += 1
        name = f"savepoint_{self._savepoints}"
        await self.execute(f"savepoint {name}")
        try:
            yield
        except BaseException:
            await self.execute(f"rollback to savepoint {name}")
            raise
        await self.execute(f"release savepoint {name}")

    async def _begin(self, sql: str) -> None:
        try:
            self.first = await self.execute(sql)
        except BaseException:
            # Not even this worked, or nobody knows whether it did: this connection serves nobody any more.
            with suppress(asyncpg.InterfaceError):
                self._connection.terminate()
            raise

    async def _commit(self) -> None:
        with driver_errors:
            status = await self._connection.execute("commit")
        if status != "COMMIT":
            # PostgreSQL answers the commit of a failed transaction with a rollback and no error.
            raise RuntimeError("a statement failed and its error was swallowed: nothing was committed")
        self._committed = True
        for bell in self._to_ring:
            self._bells.ring(bell)
        if self._to_tell:
            await self._bells.tell(self._to_tell)

    def _tell_end(self) -> None:
        for tell in self._at_end:
            tell(self._committed)

    async def _rollback(self) -> None:
        # A connection that can't roll back is gone or will be reset; the first error is the one to report.
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await self._connection.execute("rollback")


class _Whole:
    """A transaction that the doors of one database, opened while it lasts, are savepoints of: one after another."""

    def __init__(self, database: "Database", tx: Transaction) -> None:
        self._database: Database | None = database
        self._tx = tx
        self._turn = asyncio.Lock()

    def holds(self, database: "Database") -> bool:
        return self._database is database

    def end(self) -> None:
        """Doors opened later, by a task that outlives the call, are transactions of their own again."""
        self._database = None

    @asynccontextmanager
    async def part(self, setting: str) -> AsyncIterator[Transaction]:
        async with self._turn, self._tx.savepoint():
            self._tx.first = await self._tx.execute(setting)
            yield self._tx


_whole: ContextVar[_Whole | None] = ContextVar("whole", default=None)


class Database:
    """A pool on one service's schema. `connect` makes one; `close` ends it."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", schema: str) -> None:
        self._pool = pool
        self.bells = Bells()
        self.schema = check_identifier(schema)
        self._begin = f"begin; set local search_path = {self.schema}"

    @classmethod
    async def connect(
        cls,
        dsn: str,
        *,
        schema: str,
        application_name: str,
        size: int = 8,
        statement_cache_size: int = 100,
    ) -> Self:
        """A pool of at most `size` connections, one of them open already.

        `statement_cache_size` must be 0 behind a transaction pooler. Raises Unavailable.
        """
        with driver_errors, _busy_when_late():
            pool = await asyncpg.create_pool(
                dsn,
                min_size=1,
                max_size=size,
                timeout=CONNECT_SECONDS,
                command_timeout=QUERY_SECONDS,
                statement_cache_size=statement_cache_size,
                server_settings={"application_name": application_name},
                init=_prepare,
                reset=_nothing_to_reset,
            )
        return cls(pool, schema)

    async def close(self) -> None:
        """Wait a moment for what is in flight, then close every connection."""
        try:
            async with asyncio.timeout(ACQUIRE_SECONDS):
                await self._pool.close()
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._pool.terminate()

    def tenant(self, client_uuid: UUID, first: str = "") -> AbstractAsyncContextManager[Transaction]:
        """A transaction that sees and writes the rows of one client alone.

        `first`: a statement of ours, without parameters, that is carried out in it before any other: it comes with the
        begin, and costs no round trip. `Transaction.first` says how many rows it touched.
        """
        # Rebuilt from its integer: nothing but a UUID can get into this text.
        return self._door(f"set local app.client_uuid = '{UUID(int=client_uuid.int)}'; {first}")

    def platform(self, first: str = "") -> AbstractAsyncContextManager[Transaction]:
        """A transaction without a tenant: for the tables that hold no tenant's content. `first` as for `tenant`."""
        return self._door(f"set local app.client_uuid = ''; {first}")

    @asynccontextmanager
    async def whole(self, seconds: float) -> AsyncIterator[Transaction]:
        """One transaction for all that is done inside, without a tenant until a door says which. It is rolled back by
        PostgreSQL itself when nothing is heard of it for `seconds`. A door inside a door waits for ever: open none."""
        patience = f"set local idle_in_transaction_session_timeout = '{math.ceil(max(seconds, 1))}s'"
        async with self._transaction(f"{self._begin}; {patience}") as tx:
            whole = _Whole(self, tx)
            token = _whole.set(whole)
            try:
                yield tx
            finally:
                whole.end()
                _whole.reset(token)

    @asynccontextmanager
    async def _door(self, setting: str) -> AsyncIterator[Transaction]:
        whole = _whole.get()
        if whole is not None and whole.holds(self):
            async with whole.part(setting) as tx:
                yield tx
        else:
            async with self._transaction(f"{self._begin}; {setting}") as tx:
                yield tx

    def bell(self, *names: str) -> asyncio.Event:
        """An event of the caller's own, set when a transaction that rang one of `names` is committed."""
        return self.bells.listen(*names)

    @asynccontextmanager
    async def _transaction(self, begin: str) -> AsyncIterator[Transaction]:
        connection = await self._acquire()
        try:
            tx = Transaction(connection, self.bells)
            await tx._begin(begin)
            try:
                yield tx
            except BaseException:
                await tx._rollback()
                raise
            else:
                await tx._commit()
            finally:
                tx._tell_end()
        finally:
            with driver_errors:
                await self._pool.release(connection, timeout=ACQUIRE_SECONDS)

    async def _acquire(self) -> Connection:
        with driver_errors, _busy_when_late():
            # With a timeout of its own the pool makes a task for every connection that it gives out.
            async with asyncio.timeout(ACQUIRE_SECONDS):
                return await self._pool.acquire()


@contextmanager
def _busy_when_late() -> Iterator[None]:
    """No connection in time is no deadline of the caller's: the database is busy or away."""
    try:
        yield
    except TimeoutError as error:
        raise Unavailable("the database is busy", retry_after=1) from error


# Numbers keep all their digits, both ways.
_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


async def _prepare(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: _JSONB_VERSION + _encode(value),
        decoder=lambda data: _decode(memoryview(data)[1:]),
    )


async def _nothing_to_reset(_connection: Any) -> None:
    """The default reset costs a round trip, and both doors leave no session state; asyncpg still rolls back."""
