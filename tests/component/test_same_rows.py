"""A proved statement, written anew, gives the rows of its own text through the whole of connection-indexer."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from basejump_common.contracts.connection import CreatedDatabase, DatabaseType
from basejump_common.errors import BasejumpError
from connection_house import Customer, Desk, Office, connected
from customers import AnyCustomer, Customers
from installation import Installation
from mariadb import MariaDBCustomer, run
from same_rows import Rows, Verdict, comparable, compare, kept_rows

QUERIES = Path(__file__).parent.parent / "queries"
SETTINGS = {
    DatabaseType.POSTGRES: "set search_path = shop; set timezone = 'UTC'; set intervalstyle = 'postgres'",
    DatabaseType.MARIADB: (
        "set time_zone = '+00:00', sql_mode = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
        "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"
    ),
}
MORE = {
    DatabaseType.POSTGRES: """
        insert into shop.customer values
            (4, 'O''Neil "Q" \\ %', null, '2021-12-31', null), (5, 'One %', 'Bergen', null, null);
        create table shop."Odd Table" ("Odd Name" text, "select" int primary key, "MixedCase" numeric);
        insert into shop."Odd Table" values ('a', 1, 1.50), ('a', 2, null), ('B', 3, 0);
        create type shop.mood as enum ('bad', 'fine');
        create table shop.feelings (id int primary key, mood shop.mood);
        insert into shop.feelings values (1, 'fine'), (2, 'bad'), (3, null);
        grant select on shop."Odd Table", shop.feelings to {reader};
        alter role {reader} set standard_conforming_strings = off; -- texts are read as they were proved, all the same
    """,
    DatabaseType.MARIADB: """
        insert into customer values
            (4, 'O''Neil "Q" \\\\ %', null, '2021-12-31', null), (5, 'One %', 'Bergen', null, null);
        create table `Odd Table` (`Odd Name` text, `select` int primary key);
        insert into `Odd Table` values ('a', 1), ('a', 2), ('B', 3);
        create table feelings (
            id int primary key, mood enum ('bad', 'fine'), unsure tinyint(1), bits bit(3), moment time, year_of year);
        insert into feelings values
            (1, 'fine', 1, b'101', '10:11:12', 2024), (2, 'bad', 0, b'001', '-01:00:00', 1999),
            (3, null, 2, 0, null, null);
        grant select on {name}.`Odd Table` to {reader}; grant select on {name}.feelings to {reader};
    """,
}
FILES = {DatabaseType.POSTGRES: ("both.txt", "postgres.txt"), DatabaseType.MARIADB: ("both.txt", "mysql.txt")}
Fetch = Callable[[str], Awaitable[Rows]]


def queries(*files: str) -> list[str]:
    lines = [line for file in files for line in (QUERIES / file).read_text().splitlines()]
    return [line for line in lines if not line.startswith("## ")]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
async def desk(installation: Installation, results: Path) -> AsyncIterator[Desk]:
    async with connected(installation, results / "tls", results_url=(results / "kept").as_uri()) as opened:
        yield opened


@pytest.fixture(scope="module")
async def customer(customers: Customers) -> AnyCustomer:
    customer = await customers.customer()
    await customer.execute(MORE[customers.engine].format(name=customer.name, reader=customer.reader))
    return customer


@pytest.fixture(scope="module")
async def shop(customers: Customers, office: Office, customer: AnyCustomer) -> CreatedDatabase:
    return await office.add(customers.fields(customer))


@asynccontextmanager
async def asking_directly(customer: AnyCustomer, settings: str) -> AsyncIterator[Fetch]:
    """A session with the settings that a run has."""
    if isinstance(customer, MariaDBCustomer):
        async with customer.administering() as session:
            await run(session, settings)
            yield lambda sql: run(session, sql)
    else:
        assert isinstance(customer, Customer)
        async with customer.session() as opened:
            await opened.execute(settings)
            await opened.set_type_codec("interval", schema="pg_catalog", encoder=str, decoder=str, format="text")

            async def fetch(sql: str) -> Rows:
                return [tuple(row) for row in await opened.fetch(sql)]

            yield fetch


async def test_queries_of_every_kind_give_the_same_rows_proved_as_run_directly(
    customers: Customers, office: Office, customer: AnyCustomer, shop: CreatedDatabase, results: Path
) -> None:
    wrong = []
    async with asking_directly(customer, SETTINGS[customers.engine]) as fetch:
        for sql in queries(*FILES[customers.engine]):
            direct = comparable(await fetch(sql))
            try:
                result = await office.run(shop, sql)
            except BasejumpError as error:
                wrong.append(f"{sql}\n    {error.message}")
                continue
            kept = kept_rows(results / "kept", result)
            if compare(kept, direct) is not Verdict.SAME:
                wrong.append(f"{sql}\n    {result.proof.sql}\n    {kept[:5]} instead of {direct[:5]}")
    assert not wrong, "\n".join(wrong)
