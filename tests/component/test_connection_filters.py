"""What of a database is indexed, and changing that: tables come and go, what admins wrote about them stays."""

from typing import Any
from uuid import UUID

import pytest

from basejump_common.contracts import connection
from basejump_common.contracts.connection import (
    ByConnection,
    ByDatabase,
    CreatedDatabase,
    DatabaseTablesRequest,
    DatabaseType,
    Schema,
    SslMode,
    Table,
    UpdateDatabase,
    UpdateTable,
)
from basejump_common.errors import InvalidInput, LoginRefused, NotProved
from basejump_common.security.secret import Secret
from connection_house import Office
from customers import AnyCustomer, Customers

WHOLE = {"big_purchase", "city", "customer", "event", "half", "purchase"}


@pytest.fixture
async def customer(customers: Customers) -> AnyCustomer:
    return await customers.customer()


@pytest.fixture
async def shop(customers: Customers, office: Office, customer: AnyCustomer) -> CreatedDatabase:
    return await office.add(customers.fields(customer))


async def tables(office: Office, db_uuid: UUID) -> dict[str, Table]:
    page = await office.admin.call(connection.LIST_TABLES, DatabaseTablesRequest(db_uuid=db_uuid))
    return {table.table_name: table for table in page.data}


async def changed(office: Office, shop: CreatedDatabase, **changes: Any) -> set[str]:
    """The tables that there are after it."""
    await office.admin.call(connection.UPDATE_DATABASE, UpdateDatabase(db_uuid=shop.db_uuid, **changes))
    await office.indexed(shop.db_uuid)
    return set(await tables(office, shop.db_uuid))


async def test_tables_come_and_go_with_what_is_included_and_notes_stay(
    customers: Customers, office: Office, shop: CreatedDatabase
) -> None:
    known = await tables(office, shop.db_uuid)
    assert set(known) == WHOLE
    note = UpdateTable(tbl_uuid=known["big_purchase"].tbl_uuid, context="Those that matter")
    await office.admin.call(connection.UPDATE_TABLE, note)
    sql = "select id from big_purchase"
    assert (await office.run(shop, sql)).row_count > 0

    views = {"big_purchase"} if customers.engine is DatabaseType.POSTGRES else {"big_purchase", "city"}
    assert await changed(office, shop, include_views=False) == WHOLE - views
    with pytest.raises(NotProved):
        await office.run(shop, sql)
    assert sql.split()[-1] not in {table.table_name for table in (await office.retrieve("big purchase")).tables}
    assert await changed(office, shop, include_views=True) == WHOLE
    assert (await tables(office, shop.db_uuid))["big_purchase"].context == "Those that matter"
    assert (await office.run(shop, sql)).row_count > 0

    aggregates = {"city"} if customers.engine is DatabaseType.POSTGRES else set()
    assert await changed(office, shop, include_materialized_views=False) == WHOLE - aggregates
    without = await changed(office, shop, include_materialized_views=True, include_partitioned_tables=False)
    assert without == WHOLE - {"event"}
    both = await changed(office, shop, include_partitioned_tables=True, table_filter_string="PURCH")
    assert both == WHOLE - {"purchase", "big_purchase"}
    assert await changed(office, shop, table_filter_string=None) == WHOLE
    assert {name: table.tbl_uuid for name, table in (await tables(office, shop.db_uuid)).items()}[
        "big_purchase"
    ] == known["big_purchase"].tbl_uuid


async def test_the_default_schema_is_read_when_it_is_included(
    customers: Customers, office: Office, customer: AnyCustomer, shop: CreatedDatabase
) -> None:
    if customers.engine is DatabaseType.POSTGRES:
        await customer.execute(
            f"create table public.visit (id integer); grant select on public.visit to {customer.reader}"
        )
        assert await changed(office, shop, include_default_schema=True) == WHOLE | {"visit"}
        assert await changed(office, shop, schemas=()) == {"visit"}
        with pytest.raises(InvalidInput):
            await changed(office, shop, include_default_schema=False)
        assert await changed(office, shop, include_default_schema=False, schemas=(Schema(schema_nm="shop"),)) == WHOLE
    else:
        other = f"{customer.name}_other"
        await customer.execute(f"create schema {other}; create table {other}.visit (id integer)")
        await customer.execute(f"grant select on {other}.visit to {customer.reader}")
        assert await changed(office, shop, schemas=(Schema(schema_nm=other),)) == {"visit"}
        assert await changed(office, shop, include_default_schema=True) == WHOLE | {"visit"}
        assert await changed(office, shop, include_default_schema=False, schemas=()) == WHOLE


async def test_the_only_login_is_changed_with_its_database(office: Office, shop: CreatedDatabase) -> None:
    with pytest.raises(LoginRefused):
        await changed(office, shop, username="nobody_here")
    assert await changed(office, shop, data_source_desc="all regions", database_desc="the shop") == WHOLE
    login = await office.admin.call(connection.GET_CONNECTION, ByConnection(conn_uuid=shop.conn_uuid))
    assert login.data_source_desc == "all regions"
    shown = await office.admin.call(connection.GET_DATABASE, ByDatabase(db_uuid=shop.db_uuid))
    assert shown.database_desc == "the shop"


async def test_everything_that_is_wrong_is_named_at_once(
    customers: Customers, office: Office, customer: AnyCustomer, shop: CreatedDatabase
) -> None:
    wrong: dict[str, Any] = {
        "ssl_mode": SslMode.VERIFY_FULL,
        "query": {"options": "-c x=y"},
        "functions": ("pg_catalog.pg_sleep",),
        "schemas": (Schema(schema_nm="hr{{region}}"),),
    }
    named = {"ssl_root_cert", "query.options", "functions[0]", "schemas[0].jinja_values"}
    fields = customers.fields(customer, **wrong, password=Secret("not even tried"))
    with pytest.raises(InvalidInput) as refused:
        await office.admin.call(connection.TEST_DATABASE, fields)
    assert {error.field for error in refused.value.errors} == named
    with pytest.raises(InvalidInput) as refused:
        await office.admin.call(connection.CREATE_DATABASE, fields)
    assert {error.field for error in refused.value.errors} == named
    with pytest.raises(InvalidInput) as refused:
        await changed(office, shop, **wrong)
    assert {error.field for error in refused.value.errors} == named
    with pytest.raises(InvalidInput) as refused:
        await changed(office, shop, ssl=False)
    assert [error.field for error in refused.value.errors] == ["ssl"]
