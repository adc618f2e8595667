"""What an admin writes about tables and columns: who sees it, what it changes, and that nothing undoes it."""

import asyncio
from collections.abc import Awaitable
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from basejump_common.contracts import connection
from basejump_common.contracts.connection import (
    ByTable,
    CheckGrants,
    Column,
    CreatedDatabase,
    DatabaseTablesRequest,
    DrawDatabase,
    FindValues,
    Proof,
    Prove,
    RanUnder,
    ReadRun,
    Refusal,
    Table,
    TableChangesRequest,
    UpdateColumn,
    UpdateColumns,
    UpdateDatabase,
    UpdateTable,
    WrittenKey,
)
from basejump_common.errors import Forbidden, InvalidInput, NotFound, NotProved
from connection_house import Desk, Office
from customers import AnyCustomer, Customers
from installation import Installation, ready, unique

SUM_BY_CITY = """
    select c.city, sum(p.total) as total from purchase p join customer c on p.customer_id = c.id group by c.city
"""


@pytest.fixture
async def customer(customers: Customers) -> AnyCustomer:
    return await customers.customer()


@pytest.fixture
async def shop(customers: Customers, office: Office, customer: AnyCustomer) -> CreatedDatabase:
    return await office.add(customers.fields(customer))


async def tables(office: Office, shop: CreatedDatabase, *, as_member: bool = False) -> dict[str, Table]:
    person = office.member if as_member else office.admin
    page = await person.call(connection.LIST_TABLES, DatabaseTablesRequest(db_uuid=shop.db_uuid))
    return {table.table_name: table for table in page.data}


async def named(office: Office, shop: CreatedDatabase, name: str) -> UUID:
    return (await tables(office, shop))[name].tbl_uuid


async def write(office: Office, tbl_uuid: UUID, *columns: UpdateColumn) -> dict[str, Column]:
    table = await office.admin.call(connection.UPDATE_COLUMNS, UpdateColumns(tbl_uuid=tbl_uuid, columns=columns))
    return {column.column_name: column for column in table.columns}


async def prove(office: Office, shop: CreatedDatabase, sql: str) -> Proof | Refusal:
    asked = Prove(conn_uuid=shop.conn_uuid, team_uuid=office.team_uuid, sql=sql)
    outcome = await office.ask(connection.PROVE, asked)
    found = outcome.proof or outcome.refusal
    assert found is not None
    return found


async def proof(office: Office, shop: CreatedDatabase, sql: str) -> Proof:
    found = await prove(office, shop, sql)
    assert isinstance(found, Proof), found
    return found


async def wrong(call: Awaitable[Any]) -> str:
    """The field that a call is refused for."""
    with pytest.raises(InvalidInput) as refused:
        await call
    return refused.value.errors[0].field


async def test_what_is_written_is_shown_and_found_and_outlives_the_table(
    customers: Customers, office: Office, customer: AnyCustomer, shop: CreatedDatabase
) -> None:
    tbl_uuid = await named(office, shop, "event")
    update = UpdateTable(tbl_uuid=tbl_uuid, context="Fairs and markets", primary_keys=("id",))
    table = await office.admin.call(connection.UPDATE_TABLE, update)
    assert (table.context, table.primary_keys, table.changed_by) == (
        "Fairs and markets",
        ("id",),
        office.admin.user_uuid,
    )
    columns = await write(
        office,
        tbl_uuid,
        UpdateColumn(column_name="id", description="Booth", distinct_values=("Xylo", "Zither", "Xylo"), quoted=True),
        UpdateColumn(col_uuid=table.columns[1].col_uuid, search_values=False),
    )
    assert (columns["id"].description, columns["id"].distinct_values) == ("Booth", ("Xylo", "Zither"))
    assert (columns["id"].quoted, columns["happened"].search_values) == (True, False)
    assert (await office.retrieve("zither booths", shop.db_uuid)).tables[0].tbl_uuid == tbl_uuid
    before = (await tables(office, shop))["event"]

    await customer.execute(f"drop table {customers.at}event")
    await again(office, shop)
    assert "event" not in await tables(office, shop)
    with pytest.raises(NotFound):
        await office.admin.call(connection.GET_TABLE, ByTable(tbl_uuid=tbl_uuid))
    assert len(await history(office, tbl_uuid)) == 6
    await again(office, shop)
    await customer.execute(f"create table {customers.at}event (id integer, happened date, extra integer)")
    await customer.execute(f"grant select on {customers.at}event to {customer.reader}")
    await again(office, shop)
    after = (await tables(office, shop))["event"]
    assert (after.tbl_uuid, after.context, after.primary_keys) == (tbl_uuid, before.context, ("id",))
    assert (after.changed_at, after.columns[:2]) == (before.changed_at, before.columns)
    assert [column.column_name for column in after.columns] == ["id", "happened", "extra"]


async def again(office: Office, shop: CreatedDatabase) -> None:
    await office.admin.call(connection.UPDATE_DATABASE, UpdateDatabase(db_uuid=shop.db_uuid))
    await office.indexed(shop.db_uuid)


async def history(office: Office, tbl_uuid: UUID, **page: Any) -> tuple[connection.TableChange, ...]:
    request = TableChangesRequest(tbl_uuid=tbl_uuid, **page)
    return (await office.admin.call(connection.LIST_TABLE_CHANGES, request)).data


async def test_who_changed_what_and_when_is_kept(office: Office, shop: CreatedDatabase) -> None:
    tbl_uuid = await named(office, shop, "half")
    other = await office.tenant.owner()
    for person, context in ((office.admin, "One"), (office.admin, "One"), (other, "Two"), (office.admin, None)):
        await person.call(connection.UPDATE_TABLE, UpdateTable(tbl_uuid=tbl_uuid, context=context))
    await write(office, tbl_uuid, UpdateColumn(column_name="open_note", ignore=True, primary_key=True))
    changes = await history(office, tbl_uuid)
    assert [(one.field, one.before, one.after, one.changed_by) for one in reversed(changes[2:])] == [
        ("context", None, "One", office.admin.user_uuid),
        ("context", "One", "Two", other.user_uuid),
        ("context", "Two", None, office.admin.user_uuid),
    ]
    assert {(one.column_name, one.field, one.before is None, str(one.after)) for one in changes[:2]} == {
        (None, "primary_keys", True, "['id', 'open_note']"),
        ("open_note", "ignore", False, "True"),
    }
    assert [one.changed_at for one in changes] == sorted((one.changed_at for one in changes), reverse=True)
    request = TableChangesRequest(tbl_uuid=tbl_uuid, limit=2)
    pages = [await office.admin.call(connection.LIST_TABLE_CHANGES, request)]
    while pages[-1].next_cursor:
        request = TableChangesRequest(tbl_uuid=tbl_uuid, limit=2, cursor=pages[-1].next_cursor)
        pages.append(await office.admin.call(connection.LIST_TABLE_CHANGES, request))
    assert tuple(change for page in pages for change in page.data) == changes


async def test_ignored_columns_and_tables_are_refused_at_once_and_left_out_everywhere(
    office: Office, shop: CreatedDatabase
) -> None:
    tbl_uuid = await named(office, shop, "customer")
    assert (await office.run(shop, "select city from customer")).row_count == 3
    await write(office, tbl_uuid, UpdateColumn(column_name="city", ignore=True))
    with pytest.raises(NotProved, match="city"):
        await office.run(shop, "select city from customer")
    whole = await office.run(shop, "select * from customer where id = 1")
    assert [column.name for column in whole.columns] == ["id", "full_name", "joined", "photo"]
    retrieved = await office.retrieve("customers by city", shop.db_uuid)
    seen = [*retrieved.tables, *(await tables(office, shop, as_member=True)).values()]
    assert all(c.column_name != "city" for table in seen if table.tbl_uuid == tbl_uuid for c in table.columns)
    assert "city" in {column.column_name for column in (await tables(office, shop))["customer"].columns}

    await office.admin.call(connection.UPDATE_TABLE, UpdateTable(tbl_uuid=tbl_uuid, ignore=True))
    with pytest.raises(NotProved, match="customer"):
        await office.run(shop, "select full_name from customer")
    retrieved = await office.retrieve("customers by name", shop.db_uuid)
    assert tbl_uuid not in {table.tbl_uuid for table in retrieved.tables}
    assert "customer" not in await tables(office, shop, as_member=True)
    with pytest.raises(NotFound):
        await office.member.call(connection.GET_TABLE, ByTable(tbl_uuid=tbl_uuid))
    assert (await tables(office, shop))["customer"].ignore
    await office.admin.call(connection.UPDATE_TABLE, UpdateTable(tbl_uuid=tbl_uuid, ignore=None))
    assert (await office.run(shop, "select full_name from customer")).row_count == 3


async def test_what_is_written_holds_in_every_replica_at_once(
    installation: Installation, office: Office, shop: CreatedDatabase
) -> None:
    tbl_uuid = await named(office, shop, "customer")
    sql = "select city from customer"

    async def outcomes() -> list[Proof | Refusal]:
        return await asyncio.gather(*(prove(office, shop, sql) for _ in range(12)))

    settings = {"allow_private_hosts": "true", "estimated_rows": str(10**15)}
    async with installation.serving("connection-indexer", settings) as second:
        await ready(second)
        assert all(isinstance(found, Proof) for found in await outcomes())
        for ignore in (True, False, True):
            await write(office, tbl_uuid, UpdateColumn(column_name="city", ignore=ignore))
            assert all(isinstance(found, Refusal) is ignore for found in await outcomes())


async def test_admins_who_write_at_once_undo_nothing_of_each_other(office: Office, shop: CreatedDatabase) -> None:
    tbl_uuid = await named(office, shop, "customer")
    names = ["id", "full_name", "city", "joined", "photo"]
    indexing = office.admin.call(connection.UPDATE_DATABASE, UpdateDatabase(db_uuid=shop.db_uuid))
    writing = [write(office, tbl_uuid, UpdateColumn(column_name=name, description=f"about {name}")) for name in names]
    await asyncio.gather(indexing, *writing)
    await office.indexed(shop.db_uuid)
    table = await office.admin.call(connection.GET_TABLE, ByTable(tbl_uuid=tbl_uuid))
    assert [column.description for column in table.columns] == [f"about {name}" for name in names]
    assert len(await history(office, tbl_uuid)) == len(names)


async def test_results_that_rest_on_what_is_ignored_are_read_no_more(office: Office, shop: CreatedDatabase) -> None:
    ran = await office.run(shop, "select id, city from customer")
    under = RanUnder(conn_uuid=shop.conn_uuid, team_uuid=office.team_uuid, run_uuid=ran.run_uuid)
    other = await office.run(shop, "select id from customer")
    kept = RanUnder(conn_uuid=shop.conn_uuid, team_uuid=office.team_uuid, run_uuid=other.run_uuid)
    never = RanUnder(conn_uuid=shop.conn_uuid, team_uuid=office.team_uuid, run_uuid=uuid4())
    asked = CheckGrants(data=(under, kept, never))
    assert (await office.ask(connection.CHECK_GRANTS, asked)).data == (under, kept)
    await write(office, await named(office, shop, "customer"), UpdateColumn(column_name="city", ignore=True))
    assert (await office.ask(connection.CHECK_GRANTS, asked)).data == (kept,)
    read = ReadRun(run_uuid=ran.run_uuid, conn_uuid=shop.conn_uuid, team_uuid=office.team_uuid, columns=(0,), most=1)
    with pytest.raises(NotFound, match="city"):
        await office.ask(connection.READ_RUN, read)


async def test_values_of_a_column_that_may_not_be_searched_are_not_found(office: Office, shop: CreatedDatabase) -> None:
    tbl_uuid = await named(office, shop, "customer")
    request = FindValues(
        conn_uuid=shop.conn_uuid, team_uuid=office.team_uuid, tbl_uuids=(tbl_uuid,), phrases=("Oslo", "Ann Lee")
    )
    await write(office, tbl_uuid, UpdateColumn(column_name="city", search_values=False))
    found = await office.ask(connection.FIND_VALUES, request)
    assert {one.column_name for one in found.data} == {"full_name"}


async def test_a_written_key_proves_joins_and_only_a_primary_key_says_what_is_unique(
    office: Office, shop: CreatedDatabase
) -> None:
    city = await named(office, shop, "city")
    customer = await named(office, shop, "customer")
    sql = "select c.full_name, t.customers from customer c join city t on c.city = t.city"
    assert not (await proof(office, shop, sql)).joins[0].proved
    key = UpdateColumn(column_name="city", foreign_key_table_name="city", foreign_key_column_name="city")
    column = (await write(office, customer, key))["city"]
    assert (column.foreign_key_table_name, column.foreign_key_column_name) == ("city", "city")
    (join,) = (await proof(office, shop, sql)).joins
    assert join.proved
    assert "as an admin wrote" in join.why
    found = {table.table_name: table for table in (await office.retrieve("customers by city", shop.db_uuid)).tables}
    assert [key.references_table for key in found["customer"].foreign_keys] == ["city"], "planners join by it"

    sums = "select t.city, sum(c.id) as total from customer c join city t on c.city = t.city group by t.city"
    assert not (await proof(office, shop, sums)).fully_proved
    await office.admin.call(connection.UPDATE_TABLE, UpdateTable(tbl_uuid=city, primary_keys=("city",)))
    assert (await proof(office, shop, sums)).fully_proved
    clear = UpdateColumn(column_name="city", foreign_key_table_name=None, foreign_key_column_name=None)
    assert (await write(office, customer, clear))["city"].foreign_key_table_name is None
    assert not (await proof(office, shop, sql)).joins[0].proved
    assert (await proof(office, shop, SUM_BY_CITY)).fully_proved


async def test_a_key_of_several_columns_is_written_at_the_table(office: Office, shop: CreatedDatabase) -> None:
    event, purchase = await named(office, shop, "event"), await named(office, shop, "purchase")
    both = WrittenKey(
        columns=("id", "happened"), references_table="purchase", references_columns=("customer_id", "placed_at")
    )
    table = await office.admin.call(connection.UPDATE_TABLE, UpdateTable(tbl_uuid=event, foreign_keys=(both,)))
    assert [(key.columns, key.references_columns) for key in table.foreign_keys] == [
        (both.columns, both.references_columns)
    ]
    sql = "select e.id, p.total from event e join purchase p on e.id = p.customer_id"
    assert not (await proof(office, shop, sql)).joins[0].proved
    assert (await proof(office, shop, f"{sql} and e.happened = p.placed_at")).joins[0].proved
    declared = (await tables(office, shop))["purchase"].foreign_keys
    same = tuple(
        WrittenKey(
            columns=key.columns,
            references_schema=key.references_schema,
            references_table=key.references_table,
            references_columns=key.references_columns,
        )
        for key in declared
    )
    table = await office.admin.call(connection.UPDATE_TABLE, UpdateTable(tbl_uuid=purchase, foreign_keys=same))
    assert (table.foreign_keys, table.changed_at) == (declared, None)


async def test_the_diagram_has_written_keys_and_nothing_that_is_ignored(
    customers: Customers, office: Office, customer: AnyCustomer, shop: CreatedDatabase
) -> None:
    known = {name: table.tbl_uuid for name, table in (await tables(office, shop)).items()}
    schema = customers.at.rstrip(".") or customer.name

    async def drawn(*names: str) -> str:
        request = DrawDatabase(db_uuid=shop.db_uuid, tbl_uuids=tuple(known[name] for name in names))
        return (await office.member.call(connection.DRAW_DATABASE, request)).mermaid

    declared = f'    "{schema}.purchase" }}o--|| "{schema}.customer" : "customer_id"'
    assert declared in (await drawn()).splitlines()
    assert (await drawn("customer")).count("{") == 1
    key = UpdateColumn(column_name="city", foreign_key_table_name="city", foreign_key_column_name="city")
    await write(office, known["customer"], key, UpdateColumn(column_name="photo", ignore=True))
    await office.admin.call(connection.UPDATE_TABLE, UpdateTable(tbl_uuid=known["purchase"], ignore=True))
    lines = (await drawn()).splitlines()
    assert f'    "{schema}.customer" }}o--|| "{schema}.city" : "city"' in lines
    assert not [line for line in lines if "photo" in line or f"{schema}.purchase" in line]
    with pytest.raises(NotFound):
        await drawn("purchase")


async def test_what_is_not_there_is_refused_by_its_field_and_nothing_is_written(
    office: Office, shop: CreatedDatabase
) -> None:
    tbl_uuid = await named(office, shop, "customer")

    async def field(*columns: UpdateColumn) -> str:
        return await wrong(write(office, tbl_uuid, *columns))

    def key(table: str, column: str) -> UpdateColumn:
        return UpdateColumn(column_name="id", foreign_key_table_name=table, foreign_key_column_name=column)

    fine = UpdateColumn(column_name="city", ignore=True)
    assert await field(fine, key("nowhere", "id")) == "columns[1].foreign_key_table_name"
    assert await field(key("purchase", "nothing")) == "columns[0].foreign_key_column_name"
    half = UpdateColumn(column_name="id", foreign_key_table_name="purchase")
    assert await field(half) == "columns[0].foreign_key_column_name"
    assert await field(UpdateColumn(column_name="nothing")) == "columns[0].column_name"
    assert await field(UpdateColumn(col_uuid=uuid4())) == "columns[0].col_uuid"
    assert await field(UpdateColumn(ignore=True)) == "columns[0]"
    assert await field(fine, fine) == "columns[1]"
    bad_key = UpdateTable(tbl_uuid=tbl_uuid, primary_keys=("id", "id"))
    assert await wrong(office.admin.call(connection.UPDATE_TABLE, bad_key)) == "primary_keys"
    short = WrittenKey(columns=("id", "city"), references_table="purchase", references_columns=("id",))
    bad_keys = UpdateTable(tbl_uuid=tbl_uuid, foreign_keys=(short,))
    assert await wrong(office.admin.call(connection.UPDATE_TABLE, bad_keys)) == "foreign_keys[0].references_columns"
    assert await history(office, tbl_uuid) == ()
    table = await office.admin.call(connection.GET_TABLE, ByTable(tbl_uuid=tbl_uuid))
    assert not any(column.ignore for column in table.columns)


async def test_only_admins_of_the_client_write(desk: Desk, office: Office, shop: CreatedDatabase) -> None:
    tbl_uuid = await named(office, shop, "customer")
    with pytest.raises(Forbidden):
        await office.member.call(connection.UPDATE_TABLE, UpdateTable(tbl_uuid=tbl_uuid, ignore=True))
    with pytest.raises(Forbidden):
        await office.member.call(connection.LIST_TABLE_CHANGES, TableChangesRequest(tbl_uuid=tbl_uuid))
    stranger = (await desk.office()).admin
    with pytest.raises(NotFound):
        await stranger.call(connection.UPDATE_TABLE, UpdateTable(tbl_uuid=tbl_uuid, ignore=True))
    with pytest.raises(NotFound):
        await stranger.call(connection.LIST_TABLE_CHANGES, TableChangesRequest(tbl_uuid=tbl_uuid))


async def test_others_are_told_that_something_was_written_but_not_what(
    installation: Installation, office: Office, shop: CreatedDatabase
) -> None:
    tbl_uuid = await named(office, shop, "customer")
    await write(office, tbl_uuid, UpdateColumn(column_name="city", distinct_values=("Atlantis",)))
    subject = connection.TABLE_DESCRIBED.subject(office.tenant.client_uuid)
    async with installation.bus("external") as bus:
        news = await bus.jetstream.pull_subscribe(subject, durable=unique("notes"), stream="EVENTS")
        while str(tbl_uuid).encode() not in (message := (await news.fetch(1, timeout=10))[0]).data:
            await message.ack()
    told = msgspec.json.decode(message.data)["data"]
    assert told == {
        "tbl_uuid": str(tbl_uuid),
        "db_uuid": str(shop.db_uuid),
        "changed_by": str(office.admin.user_uuid),
        "table_name": "customer",
        "ignored_more": False,
    }
