"""Statements that are too slow, too large, asked twice or abandoned: a typed error, and nothing left running."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pyarrow.parquet as pq
import pytest

from basejump_common.contracts import connection
from basejump_common.contracts.connection import CreatedDatabase, DatabaseType, Prove, StopRun
from basejump_common.errors import (
    Canceled,
    DeadlineExceeded,
    InvalidInput,
    NotFound,
    QueryFailed,
    ResultTooLarge,
    StatementTimeout,
)
from connection_house import Desk, Office, connected
from customers import AnyCustomer, Customers
from identity import within
from installation import Installation

SLOW = "select count(*) from purchase a " + " ".join(f"cross join purchase {name}" for name in "bcde")
KINDS = {
    DatabaseType.POSTGRES: """
create schema shop;
create type shop.mood as enum ('fine', 'bad');
create table shop.kinds as select
    1::smallint as small, 9007199254740993::bigint as big, 1.5::real as single, 'NaN'::float8 as nan,
    '-Infinity'::float8 as low, 12345678901234567890.123456789::numeric as exact, true as yes,
    'x'::varchar(3) as letters,
    'ab'::char(4) as padded, date '2024-02-29' as day, time '12:30' as clock, timestamp '2024-02-29 12:30' as local,
    timestamptz '2024-02-29 12:30+02' as moment, interval '1 month 2 hours' as span, int4range(1, 3) as between,
    B'101' as bits, array[interval '1 day'] as spans, '\\x00ff'::bytea as raw,
    '9f0c5a4e-8c1c-4f5e-9d0a-0b1c2d3e4f50'::uuid as id, '{"a": [1]}'::jsonb as doc, array[1, 2, null] as numbers,
    array['a,b'] as texts, 'fine'::shop.mood as mood, inet '10.0.0.1/8' as address, null::text as nothing;
create table shop.many as
    select n as id, repeat('x', 100) as filler, n * 1.01 as price from generate_series(1, 60000) n;
""",
    DatabaseType.MARIADB: """
set time_zone = '+00:00', sql_mode = '';
create table kinds (
    tiny tinyint(1), small smallint unsigned, medium mediumint, big bigint, biggest bigint unsigned, single float,
    `double` double, exact decimal(40, 9), letters varchar(3), padded char(4), day date, clock time(1),
    local datetime(3), moment timestamp null, `year` year, bits bit(3), raw blob, few binary(2),
    doc json, mood enum ('fine', 'bad'), several set ('a', 'b', 'c'), id uuid,
    place point, other text character set latin1, nothing text);
insert into kinds values (
    2, 65535, -8388608, 9007199254740993, 18446744073709551615, 1.5, 0.1, 1234567890123456789012345678901.123456789,
    'x', 'ab', '2024-02-29', '-838:59:58.9', '2024-02-29 12:30:00.123', '2024-02-29 10:30:00', 2024, b'101', x'00ff',
    x'01ff', '{"a": [1]}', 'fine', 'a,c', '9f0c5a4e-8c1c-4f5e-9d0a-0b1c2d3e4f50', point(1, 2), 'é', null);
create table old (id integer, day date, local datetime);
insert into old values (1, '0000-00-00', '0000-00-00 00:00:00'), (2, '2024-02-29', '2024-02-29 12:30:00');
create table many (id integer, filler varchar(100), price decimal(12, 2));
create table digit (n integer); insert into digit values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
insert into many
    select n, repeat('x', 100), n * 1.01 from (
        select 1 + a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n as n
        from digit a, digit b, digit c, digit d, digit e where e.n < 6) numbers;
""",
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
async def desk(installation: Installation, results: Path) -> AsyncIterator[Desk]:
    limits = {"statement_seconds": "2", "result_rows": "50000", "result_bytes": "4000000"}
    async with connected(installation, results / "tls", results_url=(results / "kept").as_uri(), **limits) as opened:
        yield opened


@pytest.fixture(scope="module")
async def customer(customers: Customers) -> AnyCustomer:
    return await customers.customer()


@pytest.fixture(scope="module")
async def shop(customers: Customers, office: Office, customer: AnyCustomer) -> CreatedDatabase:
    return await office.add(customers.fields(customer))


@pytest.fixture(scope="module")
async def kinds(customers: Customers, office: Office) -> CreatedDatabase:
    return await office.add(customers.fields(await customers.customer(KINDS[customers.engine])))


def kept(results: Path) -> list[Path]:
    return sorted(path for path in (results / "kept").rglob("*") if path.is_file())


async def quiet(customer: AnyCustomer) -> bool:
    return not await customer.busy()


async def busy(customer: AnyCustomer) -> bool:
    return bool(await customer.busy())


async def test_a_statement_too_slow_is_canceled_in_the_database(
    office: Office, customer: AnyCustomer, shop: CreatedDatabase, results: Path
) -> None:
    before, run_uuid = kept(results), uuid4()
    with pytest.raises(StatementTimeout):
        await office.run(shop, SLOW, run_uuid=run_uuid)
    assert await quiet(customer)
    assert kept(results) == before
    with pytest.raises(StatementTimeout):
        await asyncio.wait_for(office.run(shop, SLOW, run_uuid=run_uuid), 1)


async def test_a_result_too_large_leaves_nothing_kept_and_nothing_running(
    office: Office, customer: AnyCustomer, kinds: CreatedDatabase, results: Path
) -> None:
    before = kept(results)
    with pytest.raises(ResultTooLarge):
        await office.run(kinds, "select id, filler from many")
    assert kept(results) == before
    assert await quiet(customer)


async def test_rows_beyond_the_cap_are_cut_and_it_says_so(
    desk: Desk, office: Office, kinds: CreatedDatabase, results: Path
) -> None:
    cut = await office.run(kinds, "select id from many")
    assert (cut.row_count, cut.truncated, len(cut.preview)) == (50_000, True, 50)
    exact = await office.run(kinds, "select id from many where id <= 50000")
    assert (exact.row_count, exact.truncated) == (50_000, False)
    whole = await office.run(kinds, "select id from many where id < 50000")
    assert (whole.row_count, whole.truncated) == (49_999, False)
    file = next(path for path in kept(results) if str(whole.run_uuid) in path.name)
    assert whole.bytes == file.stat().st_size
    assert sorted(pq.read_table(file)["id"].to_pylist()) == list(range(1, 50_000))


async def test_columns_of_one_name_have_names_of_their_own_in_the_file(
    office: Office, shop: CreatedDatabase, results: Path
) -> None:
    named = "select count(*) as count, 7 as count_2, count(*) as count, max(id) as count from customer"
    result = await office.run(shop, named)
    assert [column.name for column in result.columns] == ["count", "count_2", "count", "count"]
    file = next(path for path in kept(results) if str(result.run_uuid) in path.name)
    assert pq.read_table(file).column_names == ["count", "count_2", "count_3", "count_4"]


async def test_a_deadline_of_the_caller_ends_the_statement_and_the_run_may_be_asked_again(
    office: Office, customer: AnyCustomer, shop: CreatedDatabase
) -> None:
    run_uuid = uuid4()
    with pytest.raises(DeadlineExceeded):
        await office.run(shop, SLOW, run_uuid=run_uuid, seconds=0.8)
    assert await within(1, lambda: quiet(customer))
    with pytest.raises(StatementTimeout):
        await office.run(shop, SLOW, run_uuid=run_uuid)


async def test_two_calls_with_one_run_uuid_run_it_once(
    office: Office, customer: AnyCustomer, shop: CreatedDatabase
) -> None:
    run_uuid = uuid4()
    calls = [asyncio.create_task(office.run(shop, SLOW, run_uuid=run_uuid)) for _ in range(3)]
    assert await within(1.5, lambda: busy(customer))
    assert len(await customer.busy()) == 1
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(error) for error in ended] == [StatementTimeout] * 3
    answers = await asyncio.gather(
        *(office.run(shop, "select 1 as one", run_uuid=run_uuid2) for run_uuid2 in [uuid4()] * 5)
    )
    assert all(answer == answers[0] for answer in answers)


async def test_a_stop_that_overtakes_its_run_is_kept(office: Office, shop: CreatedDatabase) -> None:
    run_uuid = uuid4()
    await office.ask(connection.STOP_RUN, StopRun(run_uuid=run_uuid))
    with pytest.raises(Canceled):
        await office.run(shop, "select 1 as one", run_uuid=run_uuid)


async def test_a_run_uuid_belongs_to_one_statement(office: Office, shop: CreatedDatabase) -> None:
    run_uuid = uuid4()
    await office.run(shop, "select 1 as one", run_uuid=run_uuid)
    with pytest.raises(InvalidInput):
        await office.run(shop, "select 2 as two", run_uuid=run_uuid)


async def test_what_the_database_refuses_is_said_in_its_words(office: Office, shop: CreatedDatabase) -> None:
    with pytest.raises(QueryFailed, match=r"more than (1|one) row"):
        await office.run(shop, "select (select id from purchase) as one")


@pytest.mark.parametrize("customers", ["postgres"], indirect=True)
async def test_every_kind_of_value_of_postgresql_survives_as_json_and_in_the_file(
    office: Office, kinds: CreatedDatabase, results: Path
) -> None:
    result = await office.run(kinds, "select * from kinds")
    shown = dict(zip((column.name for column in result.columns), result.preview[0], strict=True))
    assert shown["big"] == 9007199254740993
    assert (shown["nan"], shown["low"], shown["single"]) == ("NaN", "-Infinity", 1.5)
    assert (shown["day"], shown["clock"]) == ("2024-02-29", "12:30:00")
    assert (shown["local"], shown["moment"]) == ("2024-02-29T12:30:00", "2024-02-29T10:30:00Z")
    assert (shown["raw"], shown["id"]) == ("AP8=", "9f0c5a4e-8c1c-4f5e-9d0a-0b1c2d3e4f50")
    assert (shown["doc"], shown["numbers"], shown["texts"]) == ('{"a": [1]}', [1, 2, None], ["a,b"])
    assert (shown["mood"], shown["address"], shown["nothing"]) == ("fine", "10.0.0.1/8", None)
    assert (shown["span"], shown["between"], shown["bits"]) == ("1 mon 02:00:00", "[1,3)", "101")
    assert shown["spans"] == ["1 day"]
    file = next(path for path in kept(results) if str(result.run_uuid) in path.name)
    row = pq.read_table(file).to_pylist()[0]
    assert row["exact"] == Decimal("12345678901234567890.123456789")
    assert (row["numbers"], row["raw"], row["big"]) == ("[1,2,null]", b"\x00\xff", 9007199254740993)


@pytest.mark.parametrize("customers", [pytest.param("mariadb", marks=pytest.mark.mariadb)], indirect=True)
async def test_every_kind_of_value_of_mariadb_survives_as_json_and_in_the_file(
    office: Office, kinds: CreatedDatabase, results: Path
) -> None:
    result = await office.run(kinds, "select * from kinds")
    types = {column.name: column.type for column in result.columns}
    shown = dict(zip(types, result.preview[0], strict=True))
    assert [shown[name] for name in ("tiny", "small", "medium", "year", "bits")] == [2, 65535, -8388608, 2024, 5]
    assert (shown["big"], shown["biggest"]) == (9007199254740993, 18446744073709551615)
    assert (float(shown["single"]), float(shown["double"])) == (1.5, 0.1)
    assert (shown["day"], shown["clock"]) == ("2024-02-29", "-838:59:58.9")
    assert (shown["local"], shown["moment"]) == ("2024-02-29T12:30:00.123000", "2024-02-29T10:30:00Z")
    assert (shown["raw"], shown["few"], shown["id"]) == ("AP8=", "Af8=", "9f0c5a4e-8c1c-4f5e-9d0a-0b1c2d3e4f50")
    assert (shown["doc"], shown["mood"], shown["several"]) == ('{"a": [1]}', "fine", "a,c")
    assert (shown["other"], shown["nothing"], shown["padded"]) == ("é", None, "ab")
    assert (types["small"], types["mood"], types["biggest"]) == ("smallint unsigned", "enum", "bigint unsigned")
    file = next(path for path in kept(results) if str(result.run_uuid) in path.name)
    row = pq.read_table(file).to_pylist()[0]
    assert row["exact"] == "1234567890123456789012345678901.123456789"
    assert (row["biggest"], row["raw"], row["moment"]) == (
        18446744073709551615,
        b"\x00\xff",
        datetime(2024, 2, 29, 10, 30, tzinfo=UTC),
    )


@pytest.mark.parametrize("customers", [pytest.param("mariadb", marks=pytest.mark.mariadb)], indirect=True)
async def test_dates_that_are_none_stay_as_the_database_writes_them(
    office: Office, kinds: CreatedDatabase, results: Path
) -> None:
    result = await office.run(kinds, "select day, local from old order by id")
    assert result.preview == (("0000-00-00", "0000-00-00 00:00:00"), ("2024-02-29", "2024-02-29T12:30:00"))
    file = next(path for path in kept(results) if str(result.run_uuid) in path.name)
    assert pq.read_table(file)["day"].to_pylist() == ["0000-00-00", "2024-02-29"]


async def test_a_filter_on_a_text_is_proved_by_looking_the_text_up(office: Office, shop: CreatedDatabase) -> None:
    async def proved(city: str) -> bool:
        sql = f"select full_name from customer where city = '{city}'"
        asked = Prove(conn_uuid=shop.conn_uuid, team_uuid=office.team_uuid, sql=sql)
        proof = (await office.ask(connection.PROVE, asked)).proof
        assert proof is not None
        return proof.fully_proved

    assert await proved("Bergen")
    assert not await proved("Paris")


async def test_without_the_grant_nothing_is_answered_not_even_what_has_run(
    desk: Desk, customer: AnyCustomer, shop: CreatedDatabase, office: Office
) -> None:
    run_uuid = uuid4()
    await office.run(shop, "select 1 as one", run_uuid=run_uuid)
    revoked = connection.ByGrant(conn_uuid=shop.conn_uuid, team_uuid=office.team_uuid)
    await office.admin.call(connection.REVOKE_GRANT, revoked)
    with pytest.raises(NotFound):
        await office.run(shop, "select 1 as one", run_uuid=run_uuid)
    assert (await office.retrieve("customers", shop.db_uuid)).conn_uuid is None
    await office.grant(shop.conn_uuid)
    assert (await office.run(shop, "select 1 as one", run_uuid=run_uuid)).row_count == 1
