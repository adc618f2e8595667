"""A MariaDB (or MySQL) that the tests may use as a customer's server, wherever it came from (`mariadb_sources.py`).

customer = await server.customer("create table t (id int); insert into t values (1)")
async with customer.reading() as session: ...        # as the login that may only SELECT
async with customer.administering() as session: ...  # as the server's administrator
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncmy
from asyncmy.constants.CLIENT import MULTI_STATEMENTS

READER_PASSWORD = "reads only: 'quoted' and \\ too"
DOCUMENTED_ROLE = (
    "create user {reader} identified by {password} require ssl; grant select, show view on {database}.* to {reader}"
)


@dataclass(frozen=True, kw_only=True)
class MariaDB:
    """A server that accepts TLS: `user` administers it, `ca_pem` (PEM; None: the system's own) signed its certificate.

    `origin` says in a few words where it came from, `pid` the process when it is one of ours.
    """

    host: str
    port: int
    user: str
    password: str
    ca_pem: str | None
    origin: str
    pid: int | None = None

    @asynccontextmanager
    async def session(
        self, user: str | None = None, password: str | None = None, database: str | None = None
    ) -> AsyncIterator[Any]:
        """An `asyncmy.Connection` in autocommit mode, many statements at once; by default the administrator's."""
        opened = await asyncmy.connect(
            host=self.host,
            port=self.port,
            user=user or self.user,
            password=self.password if password is None else password,
            database=database,
            ssl=ssl.create_default_context(cadata=self.ca_pem),
            client_flag=MULTI_STATEMENTS,
            autocommit=True,
        )
        try:
            yield opened
        finally:
            opened.close()

    async def customer(self, script: str = "") -> "MariaDBCustomer":
        """A database of its own, filled by `script`, with the documented login: SELECT and SHOW VIEW on it alone."""
        name = f"customer_{uuid4().hex[:12]}"
        customer = MariaDBCustomer(server=self, name=name, reader=f"{name}_r", password=READER_PASSWORD)
        async with self.session() as session:
            reader, password = f"'{customer.reader}'@'%'", session.escape(customer.password)
            await run(session, f"create database {name} character set utf8mb4")
            await run(session, DOCUMENTED_ROLE.format(reader=reader, password=password, database=name))
        if script:
            await customer.execute(script)
        return customer


@dataclass(frozen=True, kw_only=True)
class MariaDBCustomer:
    """A database of a customer's; `reader` with `password` may only SELECT in it."""

    server: MariaDB
    name: str
    reader: str
    password: str

    def reading(self) -> Any:
        """A session of the reader's."""
        return self.server.session(self.reader, self.password, self.name)

    def administering(self) -> Any:
        """A session of the server's administrator in this database."""
        return self.server.session(database=self.name)

    async def execute(self, script: str) -> None:
        """Statements in the administrator's name."""
        async with self.administering() as session:
            await run(session, script)

    async def busy(self) -> list[str]:
        """Statements that the reader runs at this moment."""
        async with self.server.session() as session:
            rows = await run(session, "select user, info from information_schema.processlist where info is not null")
        return [info for user, info in rows if user == self.reader]

    async def labels(self) -> list[str]:
        """How the server names what the reader runs at this moment: by the comment before the statement."""
        return [info.removeprefix("/* ").split(" */")[0] for info in await self.busy()]

    @asynccontextmanager
    async def left_running(self, label: str, sql: str) -> AsyncIterator[None]:
        """A statement in the reader's name whose process is gone without the server knowing."""
        async with self.reading() as session:
            statement = asyncio.create_task(run(session, f"/* {label} */ {sql}"))
            try:
                yield
            finally:
                session.close()
                await asyncio.gather(statement, return_exceptions=True)


async def run(session: Any, script: str) -> list[tuple[Any, ...]]:
    """Run statements separated by semicolons; the rows of the last that gave any."""
    rows: list[tuple[Any, ...]] = []
    async with session.cursor() as cursor:
        await cursor.execute(script)
        while True:
            if cursor.description:
                rows = list(await cursor.fetchall())
            if not await cursor.nextset():
                return rows
