"""Limits of statements: estimated before they run, bounded while they run, counted over all replicas."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from basejump_common.contracts import account, connection
from basejump_common.contracts.client_settings import OverBudget, UpdateClientSettings
from basejump_common.contracts.connection import CreatedDatabase, Estimate, Excess, Run, RunResult, Schema, StopRun
from basejump_common.errors import (
    Canceled,
    EstimateTooHigh,
    QueryFailed,
    ResultTooLarge,
    StatementTimeout,
    TooManyStatements,
)
from connection_house import Customer, Desk, Office, connected
from customers import Customers
from identity import within
from installation import Installation

WAREHOUSE = """
create schema depot;
create table depot.item (id integer primary key, kind text not null, weight integer not null);
insert into depot.item select n, 'kind ' || n % 7, n % 100 from generate_series(1, 20000) n;
create table depot.part (id integer primary key, item_id integer not null references depot.item, name text);
insert into depot.part select n, n % 20000 + 1, 'part ' || n from generate_series(1, 40000) n;
create index on depot.part (item_id);
create view depot.nap as select n as nap_id from generate_series(1, 2) n where n = 1 or pg_sleep(30) is not null;
analyze;
"""
MARIADB_WAREHOUSE = """
create table item (id integer primary key, kind text not null, weight integer not null);
create table part (id integer primary key, item_id integer not null references item (id), name text, key (item_id));
create table digit (n integer); insert into digit values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
create view number as
    select 1 + a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n as n
    from digit a, digit b, digit c, digit d, digit e;
insert into item select n, concat('kind ', n % 7), n % 100 from number where n <= 20000;
insert into part select n, n % 20000 + 1, concat('part ', n) from number where n <= 40000;
analyze table item, part;
"""
NAP = "select count(*) from depot.nap"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {
        "results_url": tmp_path_factory.mktemp("kept").as_uri(),
        "estimated_rows": "1000000",
        "statements_per_database": "3",
        "statement_wait_seconds": "0.5",
    }


@pytest.fixture(scope="module")
async def desk(installation: Installation, settings: dict[str, str], tmp_path_factory: Any) -> AsyncIterator[Desk]:
    async with connected(installation, tmp_path_factory.mktemp("budget"), **settings) as opened:
        yield opened


@pytest.fixture(scope="module")
async def customer(desk: Desk) -> Customer:
    return await desk.customer(WAREHOUSE, "depot")


async def office_with(desk: Desk, customer: Customer, **limits: Any) -> tuple[Office, CreatedDatabase]:
    """A client that has set these limits, with the depot."""
    office = await desk.office()
    if limits:
        owner = await office.tenant.owner()
        await owner.call(account.UPDATE_CLIENT_SETTINGS, UpdateClientSettings(**limits))
    return office, await office.add(desk.fields(customer, schemas=(Schema(schema_nm="depot"),)))


async def excess(office: Office, depot: CreatedDatabase, sql: str, **given: Any) -> Excess:
    """Why the statement did not run."""
    with pytest.raises(EstimateTooHigh) as raised:
        await office.run(depot, sql, **given)
    return msgspec.convert(raised.value.details, Excess)


# -- estimates ----------------------------------------------------------------------------------------------------


async def test_an_estimate_counts_what_is_read_and_not_what_is_given(desk: Desk, customer: Customer) -> None:
    office, depot = await office_with(desk, customer, estimated_rows=1)

    async def rows(sql: str) -> int:
        return (await excess(office, depot, sql)).estimate.rows

    assert 20_000 <= await rows("select id from depot.item where weight = 5") < 21_000, "a scan reads the whole table"
    assert await rows("select weight from depot.item where id = 5") < 5, "an index is read where it is asked"
    assert 20 <= await rows("select id from depot.item limit 10") < 50, "a limit ends the scan below it"
    assert await rows("select id from depot.item order by weight limit 10") > 20_000, "but not below a sort"
    joined = "select count(*) from depot.item i join depot.part p on p.item_id = i.id"
    assert 60_000 < await rows(joined) < 200_000
    crossed = await rows("select count(*) from depot.item i cross join depot.part p")
    assert 20_000 * 40_000 < crossed < 4 * 20_000 * 40_000
    nested = "select (select max(p.name) from depot.part p where p.name > i.kind) from depot.item i limit 1000"
    assert await rows(nested) > 1_000 * 40_000, "a subquery is executed for each row"


@pytest.mark.parametrize("customers", [pytest.param("mariadb", marks=pytest.mark.mariadb)], indirect=True)
async def test_mariadbs_estimates_count_what_is_read_too(desk: Desk, customers: Customers) -> None:
    office = await desk.office()
    owner = await office.tenant.owner()
    await owner.call(account.UPDATE_CLIENT_SETTINGS, UpdateClientSettings(estimated_rows=1))
    depot = await office.add(customers.fields(await customers.customer(MARIADB_WAREHOUSE)))

    async def rows(sql: str) -> int:
        return (await excess(office, depot, sql)).estimate.rows

    assert 15_000 < await rows("select id from item where weight = 5") < 25_000, "a scan reads the whole table"
    assert await rows("select weight from item where id in (5, 6)") < 10, "an index is read where it is asked"
    assert await rows("select id from item limit 10") == 10, "a limit ends the scan below it"
    assert await rows("select id from item order by weight limit 10") > 15_000, "but not below a sort"
    assert await rows("select count(*) from item limit 10") > 15_000, "or an aggregate"
    joined = "select count(*) from item i join part p on p.item_id = i.id"
    assert 30_000 < await rows(joined) < 200_000
    assert await rows("select count(*) from item i cross join part p") > 15_000 * 30_000
    nested = "select (select max(p.name) from part p where p.name > i.kind) from item i"
    assert await rows(nested) > 15_000 * 30_000, "a subquery is executed for each row"
    assert await rows("select kind from item union all select name from part") > 50_000
    assert (await excess(office, depot, "select id from item limit 10")).estimate.cost is None


async def test_a_statement_beyond_the_installations_limit_does_not_run_whoever_approves(
    desk: Desk, customer: Customer
) -> None:
    office, depot = await office_with(desk, customer, over_budget=OverBudget.ASK, estimated_rows=10**9)
    crossed = "select count(*) from depot.item i cross join depot.part p"
    refused = await excess(office, depot, crossed, approved=Estimate(rows=10**12, cost=1e12))
    assert (refused.limit.rows, refused.may_approve) == (1_000_000, False)
    assert refused.estimate.rows > 1_000_000


async def test_a_statement_beyond_the_clients_limit_is_refused_with_the_numbers(desk: Desk, customer: Customer) -> None:
    office, depot = await office_with(desk, customer, estimated_rows=5_000)
    sql = "select count(*) from depot.item"
    refused = await excess(office, depot, sql, approved=Estimate(rows=10**6))
    assert (refused.limit.rows, refused.may_approve) == (5_000, False)
    with pytest.raises(EstimateTooHigh, match=r"read about 2\d,\d\d\d rows; the limit is 5,000"):
        await office.run(depot, sql)
    assert (await office.run(depot, "select kind from depot.item where id = 7")).row_count == 1


async def test_a_cost_can_be_limited_as_well(desk: Desk, customer: Customer) -> None:
    office, depot = await office_with(desk, customer, estimated_cost=10)
    with pytest.raises(EstimateTooHigh, match=r"cost about [\d,]+ in the database's own units; the limit is 10"):
        await office.run(depot, "select count(*) from depot.item")
    assert (await office.run(depot, "select kind from depot.item where id = 7")).row_count == 1


async def test_what_a_person_approved_runs_and_nothing_dearer(desk: Desk, customer: Customer) -> None:
    office, depot = await office_with(desk, customer, over_budget=OverBudget.ASK, estimated_rows=5_000)
    cheap, run_uuid = "select count(*) from depot.item", uuid4()
    asked = await excess(office, depot, cheap, run_uuid=run_uuid)
    assert asked.may_approve
    dear = "select count(*) from depot.item i join depot.part p on p.item_id = i.id"
    assert (await excess(office, depot, dear, approved=asked.estimate)).may_approve
    assert (await office.run(depot, cheap, run_uuid=run_uuid, approved=asked.estimate)).preview == ((20_000,),)


async def test_what_the_database_refuses_is_refused_before_it_runs(desk: Desk, customer: Customer) -> None:
    office, depot = await office_with(desk, customer)
    with pytest.raises(QueryFailed, match="must appear in the GROUP BY") as raised:
        await office.run(depot, "select kind, count(*) from depot.item")
    assert raised.value.details["position"] == "8"


# -- while it runs ------------------------------------------------------------------------------------------------


async def test_a_client_may_set_less_than_the_installation_and_the_error_names_its_limit(
    desk: Desk, customer: Customer
) -> None:
    office, depot = await office_with(desk, customer, statement_seconds=0.4, result_rows=10, result_bytes=20_000)
    with pytest.raises(StatementTimeout, match=r"longer than 0\.4 s") as slow:
        await office.run(depot, NAP)
    assert float(slow.value.details["limit_seconds"]) == 0.4
    assert await customer.busy() == []
    cut = await office.run(depot, "select id from depot.item")
    assert (cut.row_count, cut.truncated, cut.proof.row_limit) == (10, True, 11)
    with pytest.raises(ResultTooLarge) as large:
        await office.run(depot, "select repeat(kind, 1000) from depot.item")
    assert large.value.details == {"limit_bytes": 20_000}


async def test_more_than_the_installation_allows_cannot_be_set(desk: Desk, customer: Customer) -> None:
    office, depot = await office_with(desk, customer, statements_at_once=100, estimated_rows=10**15)
    assert (await excess(office, depot, "select count(*) from depot.item i, depot.part p")).limit.rows == 1_000_000


# -- places -------------------------------------------------------------------------------------------------------


running: list[asyncio.Task[Any]] = []


async def begin(office: Office, depot: CreatedDatabase, customer: Customer, count: int) -> list[UUID]:
    """That many statements, running."""
    run_uuids = [uuid4() for _ in range(count)]
    before = len(await customer.busy())
    running.extend(asyncio.create_task(office.run(depot, NAP, run_uuid=run_uuid)) for run_uuid in run_uuids)

    async def all_run() -> bool:
        return len(await customer.busy()) == before + count

    assert await within(5, all_run)
    return run_uuids


@pytest.fixture(autouse=True)
async def nothing_left() -> AsyncIterator[None]:
    yield
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    running.clear()


async def stop(office: Office, run_uuids: list[UUID]) -> None:
    for run_uuid in run_uuids:
        await office.ask(connection.STOP_RUN, StopRun(run_uuid=run_uuid))
    ended = await asyncio.gather(*running, return_exceptions=True)
    assert all(isinstance(error, Canceled) for error in ended)


async def test_no_more_statements_of_a_client_run_than_it_allows(desk: Desk, customer: Customer) -> None:
    office, depot = await office_with(desk, customer, statements_at_once=2)
    run_uuids = await begin(office, depot, customer, 2)
    with pytest.raises(TooManyStatements, match="2 statements run for your organisation") as raised:
        await office.run(depot, "select 1 as one")
    assert raised.value.details == {"limit": "statements_at_once", "most": 2}
    assert raised.value.retry_after
    other, _ = await office_with(desk, customer)
    await stop(office, run_uuids)
    assert (await office.run(depot, "select 1 as one")).row_count == 1
    assert (await other.retrieve("items")).conn_uuid is not None


async def test_no_more_statements_run_in_a_database_than_the_installation_allows(
    desk: Desk, customer: Customer
) -> None:
    office, depot = await office_with(desk, customer)
    elsewhere = await office.add(desk.fields(await desk.customer(), database_name_alias="elsewhere"))
    run_uuids = await begin(office, depot, customer, 3)
    with pytest.raises(TooManyStatements, match="3 statements run in this database") as raised:
        await office.run(depot, "select 1 as one")
    assert raised.value.details == {"limit": "statements_per_database", "most": 3}
    assert (await office.run(elsewhere, "select 1 as one")).row_count == 1
    await stop(office, run_uuids)


async def test_who_waits_for_a_place_gets_it_when_one_is_free(desk: Desk, customer: Customer) -> None:
    office, depot = await office_with(desk, customer, statements_at_once=1)
    (run_uuid,) = await begin(office, depot, customer, 1)
    waiting = asyncio.create_task(office.run(depot, "select 1 as one"))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    began = asyncio.get_running_loop().time()
    await stop(office, [run_uuid])
    assert (await waiting).row_count == 1
    assert asyncio.get_running_loop().time() - began < 0.4, "a bell wakes it, not the next look"


async def test_what_was_stopped_while_it_waited_does_not_run(desk: Desk, customer: Customer) -> None:
    office, depot = await office_with(desk, customer, statements_at_once=1)
    (first,) = await begin(office, depot, customer, 1)
    run_uuid = uuid4()
    waiting = asyncio.create_task(office.run(depot, "select 1 as one", run_uuid=run_uuid))
    await asyncio.sleep(0.2)
    await office.ask(connection.STOP_RUN, StopRun(run_uuid=run_uuid))
    with pytest.raises(Canceled):
        await waiting
    await stop(office, [first])


async def test_places_are_counted_over_all_replicas_exactly(
    installation: Installation, desk: Desk, customer: Customer, settings: dict[str, str], tmp_path: Path
) -> None:
    office, depot = await office_with(desk, customer, statements_at_once=2)
    sql = "select count(*) from depot.item i join depot.part p on p.item_id = i.id where i.weight < 90"
    async with installation.running("connection-indexer", **settings | {"results_url": tmp_path.as_uri()}):
        calls = (office.run(depot, sql) for _ in range(24))
        ended = await asyncio.gather(*calls, return_exceptions=True)
    ran = [one for one in ended if isinstance(one, RunResult)]
    assert len(ran) >= 2  # how many get a place in time depends on the machine; never more than two at once
    assert all(isinstance(one, RunResult | TooManyStatements) for one in ended)
    assert await most_at_once(installation, [one.run_uuid for one in ran]) == 2


async def most_at_once(installation: Installation, run_uuids: list[UUID]) -> int:
    """The most of these runs that were under way at one moment."""
    superuser = await installation.database()
    try:
        return int(
            await superuser.fetchval(
                """
                select max(at_once) from (
                    select count(*) as at_once from connection_indexer.run as one join connection_indexer.run as other
                        on one.started_at between other.started_at and other.finished_at
                    where one.run_uuid = any($1::uuid[]) and other.run_uuid = any($1::uuid[]) group by one.run_uuid
                ) as counted
                """,
                run_uuids,
            )
        )
    finally:
        await superuser.close()


async def test_a_run_uuid_is_carried_out_once_over_two_replicas(
    installation: Installation, desk: Desk, customer: Customer, settings: dict[str, str], tmp_path: Path
) -> None:
    office, depot = await office_with(desk, customer)
    run_uuid = uuid4()
    async with installation.running("connection-indexer", **settings | {"results_url": tmp_path.as_uri()}):
        request = Run(
            run_uuid=run_uuid,
            conn_uuid=depot.conn_uuid,
            team_uuid=office.team_uuid,
            sql="select count(*) from depot.item",
            prompt_uuid=uuid4(),
        )
        answers = await asyncio.gather(*(office.ask(connection.RUN, request) for _ in range(12)))
    assert all(answer == answers[0] for answer in answers)
    superuser = await installation.database()
    try:
        attempts = "select attempt from connection_indexer.run where run_uuid = $1"
        assert [row[0] for row in await superuser.fetch(attempts, run_uuid)] == [1]
    finally:
        await superuser.close()
