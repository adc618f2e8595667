"""From a customer's database to rows: add, index, grant, retrieve, prove, run."""

import asyncio
from decimal import Decimal
from uuid import uuid4

import pytest

from basejump_common.contracts import connection
from basejump_common.contracts.connection import (
    ByDatabase,
    ByTable,
    DatabaseTablesRequest,
    FindValues,
    IndexState,
    Prove,
    StopRun,
    UpdateDatabase,
)
from basejump_common.errors import Canceled, NotFound, NotProved
from connection_house import Desk, Office
from customers import AnyCustomer, Customers
from identity import within


@pytest.fixture(scope="module")
async def customer(customers: Customers) -> AnyCustomer:
    return await customers.customer()


@pytest.fixture(scope="module")
async def shop(customers: Customers, office: Office, customer: AnyCustomer) -> connection.CreatedDatabase:
    return await office.add(customers.fields(customer, database_name_alias=f"shop on {customers.engine}"))


async def test_what_the_login_may_read_is_indexed_and_nothing_else(
    customers: Customers, office: Office, shop: connection.CreatedDatabase
) -> None:
    page = await office.member.call(connection.LIST_TABLES, DatabaseTablesRequest(db_uuid=shop.db_uuid))
    tables = {table.table_name: table for table in page.data}
    assert sorted(tables) == ["big_purchase", "city", "customer", "event", "half", "purchase"]
    assert [column.column_name for column in tables["half"].columns] == ["id", "open_note"]
    assert tables["customer"].context == "People who buy from us"
    assert tables["customer"].primary_keys == ("id",)
    assert tables["customer"].row_estimate == 3
    city = next(column for column in tables["customer"].columns if column.column_name == "city")
    assert (city.column_type, city.description) == (customers.spelled["varchar(40)"], "Where the person lives")
    key = next(column for column in tables["purchase"].columns if column.column_name == "customer_id")
    assert (key.foreign_key_table_name, key.foreign_key_column_name) == ("customer", "id")
    assert [tables[name].table_type for name in ("big_purchase", "city", "event")] == [
        "view",
        customers.spelled["aggregate view"],
        "partitioned table",
    ]
    one = await office.member.call(connection.GET_TABLE, ByTable(tbl_uuid=tables["half"].tbl_uuid))
    assert one == tables["half"]


async def test_a_question_finds_its_tables_over_the_granted_connection(
    office: Office, shop: connection.CreatedDatabase
) -> None:
    retrieved = await office.retrieve("What is the total of the purchases by customer?", shop.db_uuid)
    assert (retrieved.conn_uuid, retrieved.db_uuid, retrieved.tied) == (shop.conn_uuid, shop.db_uuid, ())
    assert {table.table_name for table in retrieved.tables[:3]} >= {"purchase", "customer"}
    assert len(retrieved.tables) == 6


async def test_a_proved_statement_runs_and_a_finished_run_answers_again(
    customers: Customers, office: Office, customer: AnyCustomer, shop: connection.CreatedDatabase
) -> None:
    sql = """
        select c.full_name, sum(p.total) as total
        from customer c join purchase p on p.customer_id = c.id
        group by c.full_name order by c.full_name
    """
    run_uuid = uuid4()
    first = await office.run(shop, sql, run_uuid=run_uuid)
    assert first.row_count == 3
    assert [column.type for column in first.columns] == [customers.spelled["text"], customers.spelled["decimal"]]
    assert (first.truncated, first.bytes > 0, first.proof.fully_proved) == (False, True, True)
    await customer.execute(f"update {customers.at}customer set full_name = 'Someone else' where id = 1")
    assert await office.run(shop, sql, run_uuid=run_uuid) == first
    assert await office.run(shop, sql) != first
    await customer.execute(f"update {customers.at}customer set full_name = 'Ann Lee' where id = 1")


async def test_values_of_every_kind_come_as_json_without_loss(office: Office, shop: connection.CreatedDatabase) -> None:
    result = await office.run(shop, "select id, joined, photo, full_name from customer order by id limit 2")
    assert result.preview[0] == (1, "2020-01-31", "AP8=", "Ann Lee")
    assert result.preview[1] == (2, None, None, "Bo Ek")
    money = await office.run(shop, "select total, placed_at from purchase where id = 1")
    assert money.preview[0][1] == "2024-05-01T10:00:00Z"
    assert Decimal(str(money.preview[0][0])) == Decimal("1.1")


async def test_what_is_not_proved_does_not_run(office: Office, shop: connection.CreatedDatabase) -> None:
    for sql in ("delete from purchase", "select * from secret", "select closed_note from half"):
        with pytest.raises(NotProved):
            await office.run(shop, sql)
        proved = await office.ask(
            connection.PROVE, Prove(conn_uuid=shop.conn_uuid, team_uuid=office.team_uuid, sql=sql)
        )
        assert proved.proof is None
        assert proved.refusal is not None
        assert proved.refusal.reason


async def test_values_are_found_exactly_and_without_case(office: Office, shop: connection.CreatedDatabase) -> None:
    tables = (await office.retrieve("customers", shop.db_uuid)).tables
    request = FindValues(
        conn_uuid=shop.conn_uuid,
        team_uuid=office.team_uuid,
        tbl_uuids=tuple(table.tbl_uuid for table in tables),
        phrases=("Oslo", "BERGEN", "Nowhere"),
    )
    found = await office.ask(connection.FIND_VALUES, request)
    assert found.complete
    places = {(v.phrase, v.table_name, v.column_name, v.value) for v in found.data}
    assert {("Oslo", "customer", "city", "Oslo"), ("BERGEN", "customer", "city", "Bergen")} <= places
    assert all(phrase != "Nowhere" for phrase, *_ in places)


async def test_indexing_again_rewrites_only_what_changed_and_keeps_names(
    customers: Customers, office: Office, customer: AnyCustomer, shop: connection.CreatedDatabase
) -> None:
    async def tables() -> dict[str, connection.Table]:
        page = await office.admin.call(connection.LIST_TABLES, DatabaseTablesRequest(db_uuid=shop.db_uuid))
        return {table.table_name: table for table in page.data}

    before = await tables()
    await customer.execute(
        f"alter table {customers.at}customer add column email text; drop view {customers.at}big_purchase"
    )
    await office.admin.call(connection.UPDATE_DATABASE, UpdateDatabase(db_uuid=shop.db_uuid))
    status = await office.indexed(shop.db_uuid)
    assert (status.status, status.progress, status.tables) == (IndexState.FINISHED, 1.0, 5)
    after = await tables()
    assert sorted(after) == ["city", "customer", "event", "half", "purchase"]
    assert [after[name] for name in ("city", "event", "half", "purchase")] == [
        before[name] for name in ("city", "event", "half", "purchase")
    ]
    assert after["customer"].tbl_uuid == before["customer"].tbl_uuid
    assert after["customer"].columns[:5] == before["customer"].columns
    assert after["customer"].columns[5].column_name == "email"
    assert (await office.run(shop, "select email from customer")).row_count == 3


async def test_a_stopped_run_is_canceled_in_the_database_within_a_second(
    office: Office, customer: AnyCustomer, shop: connection.CreatedDatabase
) -> None:
    run_uuid = uuid4()
    slow = "select count(*) from purchase a " + " ".join(f"cross join purchase {name}" for name in "bcde")
    running = asyncio.create_task(office.run(shop, slow, run_uuid=run_uuid))

    async def busy() -> bool:
        return bool(await customer.busy())

    async def idle() -> bool:
        return not await customer.busy()

    assert await within(5, busy)
    await office.ask(connection.STOP_RUN, StopRun(run_uuid=run_uuid))
    assert await within(1.2, idle)
    with pytest.raises(Canceled):
        await running
    with pytest.raises(Canceled):
        await office.run(shop, slow, run_uuid=run_uuid)


async def test_another_client_sees_none_of_it(desk: Desk, shop: connection.CreatedDatabase) -> None:
    stranger = await desk.office()
    with pytest.raises(NotFound):
        await stranger.admin.call(connection.GET_DATABASE, ByDatabase(db_uuid=shop.db_uuid))
    with pytest.raises(NotFound):
        await stranger.grant(shop.conn_uuid)
    with pytest.raises(NotFound):
        await stranger.run(shop, "select 1")
    assert (await stranger.retrieve("customers")).conn_uuid is None
