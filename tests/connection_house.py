"""connection-indexer running before a customer's database behind TLS, with people who may call it.

async with connected(installation, folder) as desk:
    office = await desk.office()                       # a client with an ADMIN, a MEMBER in a team
    created = await office.add(desk.fields(database))
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
import msgspec

from basejump_common.bus import Bus, Context
from basejump_common.contracts import account, connection
from basejump_common.contracts.account import CreateTeam, Membership
from basejump_common.contracts.connection import (
    ByDatabase,
    CreateDatabase,
    CreatedDatabase,
    DatabaseType,
    GrantTeams,
    IndexState,
    IndexStatus,
    Retrieve,
    Retrieved,
    Run,
    RunResult,
    Schema,
)
from basejump_common.contracts.operation import Operation
from basejump_common.security.principal import UserRole
from basejump_common.security.secret import Secret
from basejump_devstack.postgres import EmbeddedPostgres
from basejump_devstack.tls_front import TlsFront
from identity import House, Person, Tenant, people
from installation import Installation, ready, unique

In = TypeVar("In", bound=msgspec.Struct)
Out = TypeVar("Out", bound=msgspec.Struct)

READER_PASSWORD = "reads only: 'quoted' and \\ too"
SHOP = """
create schema shop;
create table shop.customer (
    id integer primary key, full_name text not null, city varchar(40), joined date, photo bytea);
create table shop.purchase (
    id bigint primary key, customer_id integer not null references shop.customer, total numeric(10, 2) not null,
    placed_at timestamptz not null);
create view shop.big_purchase as select * from shop.purchase where total > 100;
create materialized view shop.city as select city, count(*) as customers from shop.customer group by city;
create table shop.event (id integer, happened date) partition by range (happened);
create table shop.event_2024 partition of shop.event for values from ('2024-01-01') to ('2025-01-01');
create table shop.secret (id integer primary key, pin text);
create table shop.half (id integer primary key, open_note text, closed_note text);
comment on table shop.customer is 'People who buy from us';
comment on column shop.customer.city is 'Where the person lives';
insert into shop.customer values
    (1, 'Ann Lee', 'Oslo', '2020-01-31', '\\x00ff'), (2, 'Bo Ek', 'Bergen', null, null),
    (3, 'Cy Oslo', 'oslo', null, null);
insert into shop.purchase select n, 1 + n % 3, n * 1.10, '2024-05-01 12:00+02' from generate_series(1, 200) n;
"""


@dataclass(frozen=True)
class Customer:
    """A customer's database: `admin` is its superuser's DSN."""

    name: str
    reader: str
    admin: str

    @asynccontextmanager
    async def session(self) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        opened = await asyncpg.connect(self.admin)
        try:
            yield opened
        finally:
            await opened.close()

    async def execute(self, sql: str) -> None:
        async with self.session() as opened:
            await opened.execute(sql)

    async def busy(self) -> list[str]:
        """Statements that the reader runs at this moment."""
        async with self.session() as opened:
            rows = await opened.fetch(
                "select query from pg_stat_activity where usename = $1 and state = 'active'", self.reader
            )
        return [row["query"] for row in rows]

    async def labels(self) -> list[str]:
        """How the server names what the reader runs at this moment."""
        async with self.session() as opened:
            rows = await opened.fetch(
                "select application_name from pg_stat_activity where usename = $1 and state = 'active'", self.reader
            )
        return [row["application_name"] for row in rows]

    @asynccontextmanager
    async def left_running(self, label: str, sql: str) -> AsyncIterator[None]:
        """A statement in the reader's name whose process is gone without the server knowing."""
        opened = await asyncpg.connect(
            self.admin, user=self.reader, password=READER_PASSWORD, server_settings={"application_name": label}
        )
        statement = asyncio.create_task(opened.execute(f"set search_path = shop; {sql}"))
        try:
            yield
        finally:
            opened.terminate()
            await asyncio.gather(statement, return_exceptions=True)


@dataclass(frozen=True)
class Office:
    """A client: an ADMIN, and a MEMBER who is in `team_uuid`; `agent` calls as chat-agent does."""

    tenant: Tenant
    admin: Person
    member: Person
    team_uuid: UUID
    agent: Bus

    async def add(self, fields: CreateDatabase, *, grant: bool = True) -> CreatedDatabase:
        """Add a database and wait for its index."""
        created = await self.admin.call(connection.CREATE_DATABASE, fields)
        if grant:
            await self.grant(created.conn_uuid)
        await self.indexed(created.db_uuid)
        return created

    async def grant(self, conn_uuid: UUID) -> None:
        await self.admin.call(connection.GRANT_TEAMS, GrantTeams(conn_uuid=conn_uuid, team_uuids=(self.team_uuid,)))

    async def indexed(self, db_uuid: UUID) -> IndexStatus:
        """Wait until indexing ends, well or not."""
        async with asyncio.timeout(40):
            while True:
                status = await self.admin.call(connection.INDEX_STATUS, ByDatabase(db_uuid=db_uuid))
                if status.status in (IndexState.FINISHED, IndexState.FAILED):
                    return status
                await asyncio.sleep(0.05)

    async def ask(self, operation: Operation[In, Out], request: In, seconds: float = 30.0) -> Out:
        """What chat-agent calls in the member's name."""
        return await self.agent.call(operation, request, Context.new(self.member.token, seconds=seconds))

    async def retrieve(self, question: str, db_uuid: UUID | None = None) -> Retrieved:
        return await self.ask(
            connection.RETRIEVE, Retrieve(team_uuid=self.team_uuid, question=question, db_uuid=db_uuid)
        )

    async def run(self, created: CreatedDatabase, sql: str, **given: Any) -> RunResult:
        request = Run(
            run_uuid=given.pop("run_uuid", None) or uuid4(),
            conn_uuid=created.conn_uuid,
            team_uuid=self.team_uuid,
            sql=sql,
            prompt_uuid=uuid4(),
            approved=given.pop("approved", None),
            known_missing=given.pop("known_missing", None),
        )
        return await self.ask(connection.RUN, request, **given)


async def new_customer(server: EmbeddedPostgres, script: str = SHOP, *schemas: str) -> Customer:
    """A database of its own with a login that may only read; of `shop.half` one column less."""
    name = unique("customer").replace("-", "_")
    reader = f"{name}_reader"
    admin = await asyncpg.connect(server.dsn())
    try:
        await admin.execute(f"create database {name}")
        quoted = await admin.fetchval("select quote_literal($1::text)", READER_PASSWORD)
        await admin.execute(f"create role {reader} login noinherit password {quoted}")
    finally:
        await admin.close()
    customer = Customer(name, reader, server.dsn(database=name))
    await customer.execute(script)
    for schema in schemas or ("shop",):
        await customer.execute(
            f"grant usage on schema {schema} to {reader}; grant select on all tables in schema {schema} to {reader}"
        )
    if script is SHOP:
        await customer.execute(
            f"revoke all on shop.secret from {reader}; revoke all on shop.half from {reader};"
            f"grant select (id, open_note) on shop.half to {reader}; analyze"
        )
    return customer


class Desk:
    """The running service and the customers' server before it."""

    def __init__(self, house: House, agent: Bus, server: EmbeddedPostgres, front: TlsFront) -> None:
        self.house = house
        self.agent = agent
        self.server = server
        self.front = front

    async def office(self) -> Office:
        tenant = await self.house.tenant()
        admin, member = await tenant.person(UserRole.ADMIN), await tenant.person(UserRole.MEMBER)
        team = await admin.call(account.CREATE_TEAM, CreateTeam(team_name=unique("team")))
        await admin.call(account.ADD_MEMBER, Membership(user_uuid=member.user_uuid, team_uuid=team.team_uuid))
        return Office(tenant, admin, member, team.team_uuid, self.agent)

    async def customer(self, script: str = SHOP, *schemas: str) -> Customer:
        """See `new_customer`."""
        return await new_customer(self.server, script, *schemas)

    def fields(self, customer: Customer, **changes: Any) -> CreateDatabase:
        """A request that adds the customer's database."""
        given: dict[str, Any] = {
            "database_type": DatabaseType.POSTGRES,
            "host": self.front.host,
            "port": self.front.port,
            "database_name": customer.name,
            "username": customer.reader,
            "password": Secret(READER_PASSWORD),
            "schemas": (Schema(schema_nm="shop"),),
        }
        return CreateDatabase(**(given | changes))


@asynccontextmanager
async def connected(
    installation: Installation, folder: Path, parts: Mapping[str, Any] | None = None, /, **settings: str
) -> AsyncIterator[Desk]:
    """auth, account and connection-indexer run; customers' databases are on the same server, behind TLS.

    `parts` go to connection-indexer's bootstrap. Statements may be as slow as a test wants them: only tests of
    estimates limit those.
    """
    settings = {"estimated_rows": str(10**15)} | settings
    server = installation.around.postgres
    async with (
        people(installation) as house,
        TlsFront(folder, (server.host, server.port)) as front,
        installation.serving("connection-indexer", settings, **(parts or {})) as indexer,
        installation.bus("chat-agent") as agent,
    ):
        await ready(indexer)
        yield Desk(house, agent, server, front)
