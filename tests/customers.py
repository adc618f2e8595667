"""Customers' servers of each engine, all with the same shop in them: one suite for all (fixture `customers`).

customer = await customers.customer()                                # a database of its own, a login that may read
created = await office.add(customers.fields(customer))

In the shop the login may not read `secret`, and of `half` one column less. Its tables' names need no schema in SQL
that is proved; in SQL that goes to the server directly they begin with `customers.at`.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from basejump_common.contracts.connection import CreateDatabase, DatabaseType
from basejump_common.security.secret import Secret
from connection_house import SHOP, Customer, Desk
from mariadb import MariaDB, MariaDBCustomer
from mariadb import run as run_on_mariadb

MARIADB_SHOP = """
set time_zone = '+00:00';
create table customer (
    id integer primary key, full_name text not null, city varchar(40) comment 'Where the person lives', joined date,
    photo blob) comment 'People who buy from us';
create table purchase (
    id bigint primary key, customer_id integer not null, total numeric(10, 2) not null, placed_at timestamp not null,
    foreign key (customer_id) references customer (id));
create view big_purchase as select * from purchase where total > 100;
create view city as select city, count(*) as customers from customer group by city;
create table event (id integer, happened date)
    partition by range (year(happened)) (partition event_2024 values less than (2025));
create table secret (id integer primary key, pin text);
create table half (id integer primary key, open_note text, closed_note text);
insert into customer values
    (1, 'Ann Lee', 'Oslo', '2020-01-31', x'00ff'), (2, 'Bo Ek', 'Bergen', null, null),
    (3, 'Cy Oslo', 'oslo', null, null);
insert into purchase with recursive numbers as (select 1 as n union all select n + 1 from numbers where n < 200)
    select n, 1 + n % 3, n * 1.10, '2024-05-01 10:00:00' from numbers;
"""
_READABLE = ("customer", "purchase", "big_purchase", "city", "event")


class AnyCustomer(Protocol):
    """A customer's database: `reader` may SELECT in it."""

    @property
    def name(self) -> str: ...
    @property
    def reader(self) -> str: ...
    async def execute(self, sql: str, /) -> None:
        """In the administrator's name."""

    async def busy(self) -> list[str]:
        """Statements that the reader runs at this moment."""

    async def labels(self) -> list[str]:
        """How the server names what the reader runs at this moment."""

    def left_running(self, label: str, sql: str, /) -> AbstractAsyncContextManager[None]:
        """A statement in the reader's name whose process is gone without the server knowing."""


class Customers(Protocol):
    """A customers' server. `authority` signed its certificate (PEM); `spelled`: what the engines call differently."""

    engine: DatabaseType
    at: str
    authority: str
    spelled: Mapping[str, str]

    async def customer(self, script: str | None = None) -> AnyCustomer:
        """A database with the shop in it, or with what `script` makes."""

    def fields(self, customer: Any, **changes: Any) -> CreateDatabase:
        """A request that adds it."""


class PostgresCustomers:
    """Behind the desk's TLS front."""

    engine = DatabaseType.POSTGRES
    at = "shop."
    spelled: Mapping[str, str] = {
        "varchar(40)": "character varying(40)",
        "text": "text",
        "decimal": "numeric",
        "aggregate view": "materialized view",
    }

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.authority = desk.front.authority.read_text()

    async def customer(self, script: str | None = None) -> Customer:
        return await self._desk.customer(SHOP if script is None else script, "shop")

    def fields(self, customer: Customer, **changes: Any) -> CreateDatabase:
        return self._desk.fields(customer, **changes)


class MariadbCustomers:
    """A schema is a database: the shop is the one that is logged in to."""

    engine = DatabaseType.MARIADB
    at = ""
    spelled: Mapping[str, str] = {
        "varchar(40)": "varchar(40)",
        "text": "text",
        "decimal": "decimal",
        "aggregate view": "view",
    }

    def __init__(self, server: MariaDB) -> None:
        self._server = server
        self.authority = server.ca_pem or ""

    async def customer(self, script: str | None = None) -> MariaDBCustomer:
        customer = await self._server.customer(MARIADB_SHOP if script is None else script)
        if script is None:
            grants = [f"grant select on {customer.name}.{table} to {customer.reader}" for table in _READABLE]
            grants.append(f"grant select (id, open_note) on {customer.name}.half to {customer.reader}")
            revoke = f"revoke select on {customer.name}.* from {customer.reader}"
            async with self._server.session() as session:
                await run_on_mariadb(session, f"{revoke}; {'; '.join(grants)}; analyze table {customer.name}.customer")
        return customer

    def fields(self, customer: MariaDBCustomer, **changes: Any) -> CreateDatabase:
        given: dict[str, Any] = {
            "database_type": DatabaseType.MARIADB,
            "host": self._server.host,
            "port": self._server.port,
            "database_name": customer.name,
            "username": customer.reader,
            "password": Secret(customer.password),
        }
        return CreateDatabase(**(given | changes))
