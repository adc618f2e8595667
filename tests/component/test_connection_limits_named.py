"""Each limit of a statement, on either engine: the error, or the flag, names the limit and its number."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from basejump_common.contracts import account, connection
from basejump_common.contracts.client_settings import UpdateClientSettings
from basejump_common.contracts.connection import CreatedDatabase, DatabaseType, Excess, StopRun
from basejump_common.errors import (
    EstimateTooHigh,
    QueryFailed,
    ResultTooLarge,
    StatementTimeout,
    TooManyStatements,
)
from connection_house import Desk, Office, connected
from customers import AnyCustomer, Customers
from identity import within
from installation import Installation

TABLES = {
    DatabaseType.POSTGRES: """
create schema shop;
create table shop.item as select n, 'kind ' || n % 7 as kind from generate_series(1, 2000) n;
create view shop.nap as select n as nap_id from generate_series(1, 2) n where n = 1 or pg_sleep(60) is not null;
analyze;
""",
    DatabaseType.MARIADB: """
create table item (n integer, kind varchar(20));
insert into item with recursive r as (select 1 as n union all select n + 1 from r where n < 1000)
    select n, concat('kind ', n % 7) from r union all select n + 1000, concat('kind ', n % 7) from r;
create view nap as select n as nap_id from item where n <= 2 and (n = 1 or sleep(60) is not null);
analyze table item;
""",
}
NAP = "select count(*) from nap"


@pytest.fixture(scope="module")
async def desk(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("named")
    limits = {"statements_per_database": "2", "statement_wait_seconds": "0.3", "statement_seconds": "20"}
    async with connected(installation, folder / "tls", results_url=(folder / "kept").as_uri(), **limits) as opened:
        yield opened


@pytest.fixture(scope="module")
async def customer(customers: Customers) -> AnyCustomer:
    return await customers.customer(TABLES[customers.engine])


class Limited:
    """A client that has set limits, with the customer's database."""

    def __init__(self, office: Office, database: CreatedDatabase, customer: AnyCustomer) -> None:
        self.office = office
        self.customer = customer
        self._database = database

    @classmethod
    async def make(cls, desk: Desk, customers: Customers, customer: AnyCustomer, **limits: Any) -> "Limited":
        office = await desk.office()
        if limits:
            owner = await office.tenant.owner()
            await owner.call(account.UPDATE_CLIENT_SETTINGS, UpdateClientSettings(**limits))
        return cls(office, await office.add(customers.fields(customer)), customer)

    async def run(self, sql: str, **given: Any) -> connection.RunResult:
        return await self.office.run(self._database, sql, **given)

    async def refused_while_others_run(self, count: int, says: str) -> dict[str, Any]:
        """The details of the error of one more, while that many run."""
        run_uuids = [uuid4() for _ in range(count)]
        running = [asyncio.create_task(self.run(NAP, run_uuid=run_uuid)) for run_uuid in run_uuids]

        async def all_run() -> bool:
            return len(await self.customer.busy()) == count

        assert await within(5, all_run)
        with pytest.raises(TooManyStatements, match=says) as raised:
            await self.run("select n from item")
        for run_uuid in run_uuids:
            await self.office.ask(connection.STOP_RUN, StopRun(run_uuid=run_uuid))
        await asyncio.gather(*running, return_exceptions=True)
        return raised.value.details


async def test_seconds(desk: Desk, customers: Customers, customer: AnyCustomer) -> None:
    limited = await Limited.make(desk, customers, customer, statement_seconds=0.5)
    with pytest.raises(StatementTimeout, match=r"longer than 0\.5 s") as raised:
        await limited.run(NAP)
    assert raised.value.details == {"limit_seconds": 0.5}
    assert await customer.busy() == []


async def test_rows(desk: Desk, customers: Customers, customer: AnyCustomer) -> None:
    cut = await (await Limited.make(desk, customers, customer, result_rows=10)).run("select n from item")
    assert (cut.row_count, cut.truncated, cut.proof.row_limit) == (10, True, 11)


async def test_bytes(desk: Desk, customers: Customers, customer: AnyCustomer) -> None:
    limited = await Limited.make(desk, customers, customer, result_bytes=20_000)
    with pytest.raises(ResultTooLarge, match="more than 20,000 bytes") as raised:
        await limited.run("select repeat(kind, 1000) from item")
    assert raised.value.details == {"limit_bytes": 20_000}


async def test_estimated_rows(desk: Desk, customers: Customers, customer: AnyCustomer) -> None:
    limited = await Limited.make(desk, customers, customer, estimated_rows=50)
    with pytest.raises(EstimateTooHigh, match=r"read about \d,\d{3} rows; the limit is 50") as raised:
        await limited.run("select count(*) from item")
    excess = msgspec.convert(raised.value.details, Excess)
    assert (excess.limit.rows, excess.estimate.rows > 1_000) == (50, True)


async def test_statements_of_a_client(desk: Desk, customers: Customers, customer: AnyCustomer) -> None:
    limited = await Limited.make(desk, customers, customer, statements_at_once=1)
    details = await limited.refused_while_others_run(1, "1 statements run for your organisation")
    assert details == {"limit": "statements_at_once", "most": 1}


async def test_statements_in_a_database(desk: Desk, customers: Customers, customer: AnyCustomer) -> None:
    limited = await Limited.make(desk, customers, customer)
    details = await limited.refused_while_others_run(2, "2 statements run in this database")
    assert details == {"limit": "statements_per_database", "most": 2}


@pytest.mark.parametrize("customers", [pytest.param("mariadb", marks=pytest.mark.mariadb)], indirect=True)
async def test_a_view_that_mariadb_does_not_explain_is_refused_with_what_it_needs(
    desk: Desk, customers: Customers
) -> None:
    customer = await customers.customer(TABLES[customers.engine])
    await customer.execute(f"revoke show view on {customer.name}.* from {customer.reader}")
    limited = await Limited.make(desk, customers, customer)
    with pytest.raises(QueryFailed, match="needs SHOW VIEW"):
        await limited.run(NAP)
