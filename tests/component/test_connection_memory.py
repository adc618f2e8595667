"""Values too large to be held: refused before they take the memory, with the number, over both engines."""

import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import psutil
import pytest

from basejump_common.contracts import connection
from basejump_common.contracts.connection import CreatedDatabase, DatabaseType, Run, RunResult
from basejump_common.errors import DeadlineExceeded, ResultTooLarge
from connection_house import Desk, Office, connected
from customers import AnyCustomer, Customers
from identity import within
from installation import Installation

MOST_GROWTH = 200_000_000
WIDE = {
    DatabaseType.POSTGRES: {
        "one cell": "select repeat('x', 200000000 * n) as wide from one",
        "one cell in the plan": "select repeat('x', 40000000) as wide",
        "one aggregate": "select string_agg(repeat('x', 1000000), ',') as wide from hundred",
        "few rows": "select repeat('x', 2000000 * n) as wide from hundred",
        "many columns": "select " + ", ".join(f"repeat('x', 20000000 * n) as c{n}" for n in range(10)) + " from one",
    },
    # No value is larger than max_allowed_packet, 16 MB.
    DatabaseType.MARIADB: {
        "few rows": "select repeat('x', 15000000) as wide from hundred",
        "many columns": "select " + ", ".join(f"repeat('x', 15000000) as c{n}" for n in range(14)) + " from one",
    },
}
LARGE = "select repeat('x', 20000) as wide from many"
"""200 MB of rows, each of which is small."""

TABLES = {
    DatabaseType.POSTGRES: """
create schema shop;
create table shop.one as select 1 as n;
create table shop.hundred as select n from generate_series(1, 100) n;
create table shop.many as select n from generate_series(1, 10000) n;
""",
    DatabaseType.MARIADB: """
create table one (n integer); insert into one values (1);
create table hundred (n integer);
insert into hundred with recursive r as (select 1 as n union all select n + 1 from r where n < 100) select n from r;
create table many (n integer); insert into many select a.n from hundred a, hundred b;
""",
}
CASES = ["one cell", "one cell in the plan", "one aggregate", "few rows", "many columns"]


@pytest.fixture(scope="module")
async def desk(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("memory")
    async with connected(installation, folder / "tls", results_url=(folder / "results").as_uri()) as opened:
        yield opened


@pytest.fixture(scope="module")
async def customer(customers: Customers) -> AnyCustomer:
    return await customers.customer(TABLES[customers.engine])


@pytest.fixture(scope="module")
async def database(customers: Customers, customer: AnyCustomer, office: Office) -> CreatedDatabase:
    created = await office.add(customers.fields(customer))
    await office.run(created, "select n from many")  # what is imported for the first result is no growth
    return created


class Peak:
    """How much this process has grown at most while the block lasts."""

    growth = 0

    async def __aenter__(self) -> "Peak":
        gc.collect()
        self._before = self._now()
        self._looking = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._looking.cancel()

    async def _look(self) -> None:
        while True:
            self.growth = max(self.growth, self._now() - self._before)
            await asyncio.sleep(0.005)

    def _now(self) -> int:
        return int(psutil.Process(os.getpid()).memory_info().rss)


@pytest.mark.parametrize("case", CASES)
async def test_what_is_too_large_to_be_held_is_refused_before_it_is_held(
    customers: Customers, customer: AnyCustomer, office: Office, database: CreatedDatabase, case: str
) -> None:
    sql = WIDE[customers.engine].get(case)
    if sql is None:
        return
    async with Peak() as peak:
        with pytest.raises(ResultTooLarge, match="more than 32,000,000 bytes: ask for less of it") as raised:
            await ran(office, database, sql)
    print(f"{customers.engine} {case}: grew by {peak.growth / 1e6:.0f} MB")
    assert raised.value.details == {"limit_bytes": 32_000_000}
    assert peak.growth < MOST_GROWTH

    async def quiet() -> bool:
        return not await customer.busy()

    assert await within(1, quiet)


async def test_a_large_result_of_small_rows_is_kept_and_does_not_pile_up(
    customers: Customers, office: Office, database: CreatedDatabase
) -> None:
    async with Peak() as peak:
        result = await office.run(database, LARGE)
    print(f"{customers.engine} large: grew by {peak.growth / 1e6:.0f} MB")
    assert result.row_count == 10_000
    assert peak.growth < MOST_GROWTH


async def ran(office: Office, database: CreatedDatabase, sql: str) -> RunResult:
    """Waits for as long as it takes: a server may compute for seconds before it sends anything."""
    request = Run(
        run_uuid=uuid4(),
        conn_uuid=database.conn_uuid,
        team_uuid=office.team_uuid,
        sql=sql,
        prompt_uuid=uuid4(),
        deadline=time.time() + 60,
    )
    while True:
        try:
            return await office.ask(connection.RUN, request)
        except DeadlineExceeded:
            assert request.deadline is not None
            assert time.time() < request.deadline
