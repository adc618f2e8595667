"""Functions that an admin allows for a database: called by their schema, read-only, and nothing else of the server."""

from typing import Any

import pytest

from basejump_common.contracts import connection
from basejump_common.contracts.connection import (
    ByDatabase,
    CheckGrants,
    CreatedDatabase,
    DatabaseType,
    RanUnder,
    UpdateDatabase,
)
from basejump_common.errors import InvalidInput, LoginRefused, NotProved, QueryFailed
from basejump_common.security.secret import Secret
from connection_house import Office
from customers import AnyCustomer, Customers

FUNCTIONS = {
    DatabaseType.POSTGRES: """
        create function shop.with_tax(amount numeric) returns numeric language sql immutable
            as 'select amount * 1.25';
        create function shop.sneaky(x integer) returns integer language plpgsql security definer
            as $$ begin insert into shop.customer values (99, 'Nobody'); return x; end $$;
        create function shop.pg_read_file(x text) returns text language sql immutable as 'select x';
    """,
    DatabaseType.MARIADB: """
        create function with_tax(amount decimal(10, 2)) returns decimal(12, 4) deterministic return amount * 1.25;
        create function sneaky(x int) returns int modifies sql data
            begin insert into customer (id, full_name) values (99, 'Nobody'); return x; end;
        grant execute on function with_tax to {reader};
        grant execute on function sneaky to {reader};
    """,
}


@pytest.fixture(scope="module")
async def customer(customers: Customers) -> AnyCustomer:
    customer = await customers.customer()
    await customer.execute(FUNCTIONS[customers.engine].replace("{reader}", customer.reader))
    return customer


@pytest.fixture(scope="module")
async def shop(customers: Customers, office: Office, customer: AnyCustomer) -> CreatedDatabase:
    return await office.add(customers.fields(customer, functions=("with_tax",), accept_risky_role=True))


async def change(office: Office, shop: CreatedDatabase, **changes: Any) -> connection.Database:
    update = UpdateDatabase(db_uuid=shop.db_uuid, accept_risky_role=True, **changes)
    changed = await office.admin.call(connection.UPDATE_DATABASE, update)
    await office.indexed(shop.db_uuid)
    return changed


async def test_an_allowed_function_runs_and_the_proof_says_who_allowed_it(
    customers: Customers, office: Office, customer: AnyCustomer, shop: CreatedDatabase
) -> None:
    schema = customers.at.rstrip(".") or customer.name
    for call in ("with_tax(total)", f"{schema}.with_tax(total)", f"abs({schema}.With_Tax(total))"):
        ran = await office.run(shop, f"select {call} as taxed from purchase where id = 200")
        assert float(ran.preview[0][0]) == 275.0
        allowed = [part for part in ran.proof.functions if "an admin" in part.why]
        assert [(part.name, part.proved) for part in allowed] == [(f"{schema}.with_tax", True)]
        assert f"{schema}.with_tax(" in ran.proof.sql.lower()
        assert ran.proof.fully_proved
    assert (await office.retrieve("taxes of purchases", shop.db_uuid)).functions == ("with_tax",)


async def test_other_functions_stay_refused_until_an_admin_allows_them_and_write_nothing_then(
    office: Office, shop: CreatedDatabase
) -> None:
    sql = "select sneaky(id) from customer"
    with pytest.raises(NotProved, match="sneaky"):
        await office.run(shop, sql)
    assert (await change(office, shop, functions=("with_tax", "sneaky"))).functions == ("with_tax", "sneaky")
    with pytest.raises(QueryFailed, match=r"(?i)read.only"):
        await office.run(shop, sql)
    assert (await office.run(shop, "select id from customer")).row_count == 3
    await change(office, shop, functions=())
    with pytest.raises(NotProved):
        await office.run(shop, "select with_tax(1) from customer")
    await change(office, shop, functions=("with_tax",))


async def test_what_the_server_has_built_in_can_not_be_allowed(
    customers: Customers, office: Office, shop: CreatedDatabase
) -> None:
    built_in = ("pg_read_file", "pg_sleep", "set_config", "sleep", "load_file", "benchmark", "get_lock")
    await change(office, shop, functions=("with_tax", *built_in))
    for call in (
        "pg_sleep(1)",
        "set_config('a.b', 'c', false)",
        "sleep(1)",
        "load_file('/etc/passwd')",
        "get_lock('a', 1)",
    ):
        with pytest.raises((NotProved, QueryFailed)):
            await office.run(shop, f"select {call} from customer")
    if customers.engine is DatabaseType.POSTGRES:
        own = await office.run(shop, "select pg_read_file('x') from customer where id = 1")
        assert own.preview == (("x",),), "the customer's own function of that name, not the server's"
    await change(office, shop, functions=("with_tax",))
    for name in ("pg_catalog.pg_sleep", "mysql.x", "mariadb_schema.sleep", "a.b.c", "x y", "x;", "x\n", ""):
        with pytest.raises(InvalidInput, match=r"functions\[1\]"):
            await change(office, shop, functions=("with_tax", name))
    found = await office.admin.call(connection.GET_DATABASE, ByDatabase(db_uuid=shop.db_uuid))
    assert found.functions == ("with_tax",)


async def test_a_database_moves_only_with_its_password(
    customers: Customers, office: Office, customer: AnyCustomer, shop: CreatedDatabase
) -> None:
    given = customers.fields(customer)
    other = "localhost" if given.host != "localhost" else "127.0.0.1"
    with pytest.raises(InvalidInput) as refused:
        await change(office, shop, host=other)
    assert refused.value.errors[0].field == "password"
    with pytest.raises(LoginRefused):
        await change(office, shop, host=other, password=Secret("not it"))
    moved = await change(office, shop, host=other, password=given.password, query={"connect_timeout": "3"})
    assert (moved.host, moved.query) == (other, {"connect_timeout": "3"})
    assert (await office.run(shop, "select id from customer")).row_count == 3
    wrongs: dict[str, dict[str, Any]] = {
        "query.options": {"query": {"options": "-c x=y"}},
        "ssl_root_cert": {"ssl_root_cert": "x"},
    }
    for field, wrong in wrongs.items():
        with pytest.raises(InvalidInput) as refused:
            await change(office, shop, **wrong)
        assert refused.value.errors[0].field == field


async def test_a_result_that_rests_on_a_function_is_read_while_it_is_allowed(
    office: Office, shop: CreatedDatabase
) -> None:
    ran = await office.run(shop, "select with_tax(total) from purchase")
    under = RanUnder(conn_uuid=shop.conn_uuid, team_uuid=office.team_uuid, run_uuid=ran.run_uuid)
    asked = CheckGrants(data=(under,))
    assert (await office.ask(connection.CHECK_GRANTS, asked)).data == (under,)
    await change(office, shop, functions=())
    assert (await office.ask(connection.CHECK_GRANTS, asked)).data == ()
