"""A proved statement, written anew, gives the rows of its own text through the whole of connection-indexer."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from basejump_common.contracts.connection import CreatedDatabase
from basejump_common.errors import BasejumpError
from connection_house import Customer, Desk, Office, connected
from installation import Installation
from same_rows import Verdict, comparable, compare, kept_rows

QUERIES = Path(__file__).parent.parent / "queries"
MORE = """
insert into shop.customer values (4, 'O''Neil "Q" \\ %', null, '2021-12-31', null), (5, 'One %', 'Bergen', null, null);
create table shop."Odd Table" ("Odd Name" text, "select" int primary key, "MixedCase" numeric);
insert into shop."Odd Table" values ('a', 1, 1.50), ('a', 2, null), ('B', 3, 0);
create type shop.mood as enum ('bad', 'fine');
create table shop.feelings (id int primary key, mood shop.mood);
insert into shop.feelings values (1, 'fine'), (2, 'bad'), (3, null);
"""


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
async def office(desk: Desk) -> Office:
    return await desk.office()


@pytest.fixture(scope="module")
async def customer(desk: Desk) -> Customer:
    customer = await desk.customer()
    await customer.execute(MORE + f'grant select on shop."Odd Table", shop.feelings to {customer.reader}')
    return customer


@pytest.fixture(scope="module")
async def shop(desk: Desk, office: Office, customer: Customer) -> CreatedDatabase:
    return await office.add(desk.fields(customer))


async def test_queries_of_every_kind_give_the_same_rows_proved_as_run_directly(
    office: Office, customer: Customer, shop: CreatedDatabase, results: Path
) -> None:
    wrong = []
    async with customer.session() as session:
        await session.execute("set search_path = shop; set timezone = 'UTC'")
        await session.set_type_codec("interval", schema="pg_catalog", encoder=str, decoder=str, format="text")
        for sql in queries("both.txt", "postgres.txt"):
            direct = comparable(tuple(row) for row in await session.fetch(sql))
            try:
                result = await office.run(shop, sql)
            except BasejumpError as error:
                wrong.append(f"{sql}\n    {error.message}")
                continue
            kept = kept_rows(results / "kept", result)
            if compare(kept, direct) is not Verdict.SAME:
                wrong.append(f"{sql}\n    {result.proof.sql}\n    {kept[:5]} instead of {direct[:5]}")
    assert not wrong, "\n".join(wrong)
