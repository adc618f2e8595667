"""Stored results, read again: some rows of all of them, under the grants as they are now."""

from typing import Any
from uuid import uuid4

import pytest

from basejump_common.contracts import connection
from basejump_common.contracts.connection import ByGrant, CreatedDatabase, Pick, ReadRun, RunResult, RunRows
from basejump_common.errors import InvalidInput, NotFound
from basejump_common.security.principal import UserRole
from connection_house import Desk, Office
from identity import Person

MANY = """
create schema shop;
create table shop.many as
    select n as id, 'name ' || n as name, (n % 1000) * 1.5 as price,
           case when n % 2 = 0 then 'NaN'::float8 else n end as odd
    from generate_series(1, 45000) n;
"""
ALL = "select id, name, price, odd, name from shop.many order by id"


@pytest.fixture(scope="module")
async def shop(desk: Desk, office: Office) -> CreatedDatabase:
    return await office.add(desk.fields(await desk.customer(MANY)))


@pytest.fixture(scope="module")
async def many(office: Office, shop: CreatedDatabase) -> RunResult:
    return await office.run(shop, ALL)


async def read(office: Office, shop: CreatedDatabase, many: RunResult, **given: Any) -> RunRows:
    fields: dict[str, Any] = {"columns": (0,), "most": 10, "team_uuid": office.team_uuid} | given
    request = ReadRun(run_uuid=many.run_uuid, conn_uuid=shop.conn_uuid, **fields)
    return await office.ask(connection.READ_RUN, request)


async def test_the_first_rows_come_in_their_order(office: Office, shop: CreatedDatabase, many: RunResult) -> None:
    rows = await read(office, shop, many, columns=(1, 0), longest_text=6, most=700)
    assert (rows.row_count, len(rows.rows)) == (45_000, 700)
    assert rows.rows[:2] == (("name 1", 1), ("name 2", 2))
    assert rows.rows[699] == ("name …", 700)
    assert [column.name for column in rows.columns] == ["name", "id"]


async def test_evenly_spaced_rows_come_from_everywhere(office: Office, shop: CreatedDatabase, many: RunResult) -> None:
    rows = await read(office, shop, many, pick=Pick.EVEN, most=1000)
    assert [row[0] for row in rows.rows] == list(range(1, 45_001, 45))


async def test_the_largest_come_with_the_sum_of_the_rest(
    office: Office, shop: CreatedDatabase, many: RunResult
) -> None:
    rows = await read(office, shop, many, columns=(0, 2), pick=Pick.LARGEST, by=2, most=45)
    assert {float(row[1]) for row in rows.rows} == {1498.5}, "a decimal of many rows is kept as text"
    assert sorted(row[0] for row in rows.rows) == list(range(999, 45_000, 1000))
    assert rows.rest == 45 * sum(n * 1.5 for n in range(1000)) - 45 * 1498.5


async def test_what_is_no_number_is_not_the_largest(office: Office, shop: CreatedDatabase, many: RunResult) -> None:
    rows = await read(office, shop, many, columns=(3,), pick=Pick.LARGEST, by=3, most=2)
    assert rows.rows == ((44_999,), (44_997,))
    assert rows.rest == sum(range(1, 44_997, 2))


async def test_columns_of_one_name_are_told_apart_by_place(
    office: Office, shop: CreatedDatabase, many: RunResult
) -> None:
    assert (await read(office, shop, many, columns=(4, 0), most=1)).rows == (("name 1", 1),)
    with pytest.raises(InvalidInput, match="5 columns"):
        await read(office, shop, many, columns=(5,))
    with pytest.raises(InvalidInput, match="5 columns"):
        await read(office, shop, many, by=5, pick=Pick.LARGEST)


async def test_who_lost_the_grant_reads_nothing_that_is_stored(desk: Desk) -> None:
    office = await desk.office()
    shop = await office.add(desk.fields(await desk.customer(MANY)))
    ran = await office.run(shop, "select count(*) as n from shop.many")
    assert (await read(office, shop, ran)).rows == ((45_000,),)
    colleague = await office.tenant.person(UserRole.MEMBER)
    grant = ByGrant(conn_uuid=shop.conn_uuid, team_uuid=office.team_uuid)
    request = ReadRun(run_uuid=ran.run_uuid, conn_uuid=shop.conn_uuid, team_uuid=office.team_uuid, columns=(0,), most=1)

    async def reads(person: Person) -> RunRows:
        return await Person(office.agent, person.token, person.user_uuid, person.refresh_token).call(
            connection.READ_RUN, request
        )

    with pytest.raises(NotFound):
        await reads(colleague)
    await office.admin.call(connection.REVOKE_GRANT, grant)
    with pytest.raises(NotFound):
        await reads(office.member)
    assert (await reads(office.admin)).rows == ((45_000,),), "an ADMIN grants, and needs no grant"
    stranger = await (await desk.house.tenant()).owner()
    with pytest.raises(NotFound):
        await reads(stranger)


async def test_a_result_is_read_over_its_own_connection_alone(desk: Desk, office: Office, many: RunResult) -> None:
    other = await office.add(desk.fields(await desk.customer(MANY)))
    with pytest.raises(NotFound):
        await read(office, other, many)


async def test_what_was_withdrawn_from_the_index_is_not_read_from_what_is_stored(desk: Desk) -> None:
    office = await desk.office()
    customer = await desk.customer(MANY)
    shop = await office.add(desk.fields(customer))
    ran = await office.run(shop, ALL)
    await customer.execute(f"revoke select on shop.many from {customer.reader}")
    update = connection.UpdateDatabase(db_uuid=shop.db_uuid, include_views=False)
    await office.admin.call(connection.UPDATE_DATABASE, update)
    await office.indexed(shop.db_uuid)
    with pytest.raises(NotFound, match="may not be read any more"):
        await read(office, shop, ran)


async def test_a_run_that_is_not_there_is_not_found(office: Office, shop: CreatedDatabase, many: RunResult) -> None:
    absent = ReadRun(run_uuid=uuid4(), conn_uuid=shop.conn_uuid, team_uuid=office.team_uuid, columns=(0,), most=1)
    with pytest.raises(NotFound):
        await office.ask(connection.READ_RUN, absent)
