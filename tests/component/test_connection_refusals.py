"""Databases that are not added: each problem says which it is, names its field, and stores nothing."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from basejump_common.contracts import connection
from basejump_common.contracts.common import PageRequest
from basejump_common.contracts.connection import (
    ByConnection,
    ByDatabase,
    CreateDatabase,
    CreatedDatabase,
    DatabaseType,
    Schema,
    SslMode,
    UpdateDatabase,
)
from basejump_common.errors import (
    BasejumpError,
    Conflict,
    DatabaseMissing,
    DatabaseUnreachable,
    HostForbidden,
    InvalidInput,
    LoginRefused,
    SchemaMissing,
    TlsRefused,
)
from basejump_common.security.secret import Secret
from basejump_devstack.certificates import local_certificate
from connection_house import Desk, Office
from customers import AnyCustomer, Customers, MariadbCustomers
from mariadb import MariaDBCustomer
from mariadb_embedded import embedded


def on_mariadb(*values: Any) -> Any:
    return pytest.param("mariadb", *values, marks=pytest.mark.mariadb)


RISKS_ON_POSTGRES = [
    ("postgres", given, says)
    for given, says in (
        ("grant insert on shop.customer to {reader}", "may write to shop.customer"),
        ("grant update (city) on shop.customer to {reader}", "may write to shop.customer"),
        ("create schema other; create table other.t (); grant delete on other.t to {reader}", "other.t"),
        ("grant create on schema shop to {reader}", "may create in schema shop"),
        ("grant pg_execute_server_program to {reader}", "pg_execute_server_program"),
        ("grant pg_write_server_files to {reader}", "pg_write_server_files"),
        ("create extension dblink", "may execute functions of dblink"),
        ("alter role {reader} superuser", "is a superuser"),
        ("alter role {reader} createrole", "may create roles"),
    )
]
RISKS_ON_MARIADB = [
    on_mariadb(given, says)
    for given, says in (
        ("grant insert, update on {name}.customer to {reader}", "has INSERT, UPDATE on {name}.customer"),
        ("grant update (city, `id`) on {name}.customer to {reader}", "has UPDATE on {name}.customer"),
        ("grant create, drop on {name}.* to {reader}", "has CREATE, DROP on {name}.*"),
        ("grant file on *.* to {reader}", "has FILE on *.*"),
        ("grant super, process on *.* to {reader}", "has PROCESS, SUPER on *.*"),
        ("grant all on *.* to {reader}", "has ALL PRIVILEGES on *.*"),
        ("grant select on {name}.city to {reader} with grant option", "may grant to others what it has on {name}.city"),
        (
            "create procedure p() select 1; grant execute on procedure p to {reader}",
            "has EXECUTE on PROCEDURE {name}.p",
        ),
        ("create table `odd`` ON x` (id int); grant delete on `odd`` ON x` to {reader}", "has DELETE on {name}.odd"),
        (
            "create role {role}; grant delete on {name}.city to {role}; grant {role} to {reader}",
            "has DELETE on {name}.city",
        ),
        (
            "create role {role}; create role {role}2; grant {role}2 to {role}; grant file on *.* to {role}2;"
            "grant {role} to {reader}; set default role {role} for {reader}",
            "has FILE on *.*",
        ),
    )
]


@pytest.fixture(scope="module")
async def customer(customers: Customers) -> AnyCustomer:
    return await customers.customer()


async def refused(office: Office, fields: CreateDatabase, kind: type[BasejumpError], field: str) -> str:
    """Both the test and the creation say so, and nothing is stored."""
    with pytest.raises(kind) as tested:
        await office.admin.call(connection.TEST_DATABASE, fields)
    with pytest.raises(kind) as raised:
        await office.admin.call(connection.CREATE_DATABASE, fields)
    assert type(tested.value) is type(raised.value) is kind
    assert [error.field for error in raised.value.errors] == [error.field for error in tested.value.errors] == [field]
    stored = await office.admin.call(connection.LIST_DATABASES, PageRequest())
    assert stored.data == ()
    return raised.value.message


def somebody_elses_authority(folder: Path) -> str:
    return local_certificate(folder / "other").authority.read_text()


@pytest.mark.parametrize(
    ("changes", "kind", "field"),
    [
        ({"port": 1}, DatabaseUnreachable, "host"),
        ({"host": "no-such-host.invalid"}, DatabaseUnreachable, "host"),
        ({"host": "a" * 64 + ".example"}, InvalidInput, "host"),
        ({"host": "169.254.169.254"}, HostForbidden, "host"),
        ({"host": "::ffff:169.254.169.254"}, HostForbidden, "host"),
        ({"password": Secret("wrong")}, LoginRefused, "username"),
        ({"username": "nobody_here"}, LoginRefused, "username"),
        ({"database_name": "no_such_database"}, DatabaseMissing, "database_name"),
        ({"schemas": (Schema(schema_nm="nowhere"),)}, SchemaMissing, "schemas"),
        ({"schemas": (Schema(schema_nm="hr{{region"),)}, InvalidInput, "schemas[0].schema_nm"),
        ({"ssl": False}, InvalidInput, "ssl"),
        ({"query": {"options": "-c search_path=x"}}, InvalidInput, "query.options"),
        ({"query": {"connect_timeout": "soon"}}, InvalidInput, "query.connect_timeout"),
        ({"ssl_mode": SslMode.VERIFY_FULL}, InvalidInput, "ssl_root_cert"),
        ({"ssl_mode": SslMode.VERIFY_CA, "ssl_root_cert": "no PEM"}, InvalidInput, "ssl_root_cert"),
        ({"database_desc": "text with \0 in it"}, InvalidInput, "database_desc"),
        ({"password": Secret("nul \0")}, InvalidInput, "password"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
async def test_what_is_wrong_is_said_by_name_and_nothing_is_stored(
    customers: Customers,
    office: Office,
    customer: AnyCustomer,
    changes: dict[str, Any],
    kind: type[BasejumpError],
    field: str,
) -> None:
    await refused(office, customers.fields(customer, **changes), kind, field)


async def test_all_that_is_wrong_with_a_login_is_said_at_once(customers: Customers, office: Office) -> None:
    customer = await customers.customer()
    await customer.execute(f"grant insert on {customers.at}customer to {customer.reader}")
    wrong = customers.fields(customer, schemas=(Schema(schema_nm="nowhere"), Schema(schema_nm="nobody")))
    with pytest.raises(SchemaMissing) as tested:
        await office.admin.call(connection.TEST_DATABASE, wrong)
    assert [error.field for error in tested.value.errors] == ["schemas", "username"]
    assert "nowhere, nobody" in tested.value.message
    assert "more than SELECT" in tested.value.message
    unlike = customers.fields(customer, database_desc="nul \0", ssl=False, query={"options": "x"})
    with pytest.raises(InvalidInput) as raised:
        await office.admin.call(connection.TEST_DATABASE, unlike)
    assert [error.field for error in raised.value.errors] == ["database_desc", "ssl", "query.options"]


async def test_a_schema_that_is_empty_to_the_login_is_told_and_may_be_added(
    desk: Desk, customers: Customers, customer: AnyCustomer
) -> None:
    office = await desk.office()
    assert (await office.admin.call(connection.TEST_DATABASE, customers.fields(customer))).tables > 3
    bare = await customers.customer("create schema shop" if customers.engine is DatabaseType.POSTGRES else "select 1")
    tried = await office.admin.call(connection.TEST_DATABASE, customers.fields(bare))
    assert (tried.ok, tried.tables) == (True, 0)
    assert "has no table to index" in tried.warnings[0]
    risky = "alter role {} createrole" if customers.engine is DatabaseType.POSTGRES else "grant file on *.* to {}"
    await bare.execute(risky.format(bare.reader))
    with pytest.raises(InvalidInput) as raised:
        await office.admin.call(connection.TEST_DATABASE, customers.fields(bare))
    assert [error.field for error in raised.value.errors] == ["username", "schemas"]
    accepted = customers.fields(bare, accept_risky_role=True)
    assert len((await office.admin.call(connection.TEST_DATABASE, accepted)).warnings) == 2
    assert len((await office.add(accepted)).warnings) == 1


async def test_a_postgresql_without_tls_is_told_from_one_that_is_away(desk: Desk) -> None:
    office, customer = await desk.office(), await desk.customer()
    plain = desk.fields(customer, host=desk.server.host, port=desk.server.port)
    assert "refuses TLS" in await refused(office, plain, TlsRefused, "ssl_mode")


@pytest.mark.mariadb
async def test_a_mariadb_without_tls_is_told_from_one_that_is_away(desk: Desk) -> None:
    binary = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/libexec")
    if binary is None:
        return  # the MariaDB of these tests is somewhere else
    office = await desk.office()
    async with embedded(Path(binary), "--skip-ssl") as server:
        fields = MariadbCustomers(server).fields(MariaDBCustomer(server=server, name="x", reader="x", password="x"))
        assert "refuses TLS" in await refused(office, fields, TlsRefused, "ssl_mode")


async def test_a_certificate_of_another_authority_or_for_another_name_is_refused(
    customers: Customers, office: Office, customer: AnyCustomer, tmp_path: Path
) -> None:
    stranger = somebody_elses_authority(tmp_path)
    for mode in SslMode:
        fields = customers.fields(customer, ssl_mode=mode, ssl_root_cert=stranger)
        await refused(office, fields, TlsRefused, "ssl_mode")
    other_name = {"host": "127.1", "ssl_root_cert": customers.authority}
    await refused(
        office, customers.fields(customer, ssl_mode=SslMode.VERIFY_FULL, **other_name), TlsRefused, "ssl_mode"
    )
    fields = customers.fields(customer, ssl_mode=SslMode.VERIFY_CA, **other_name)
    assert (await office.admin.call(connection.TEST_DATABASE, fields)).ok


@pytest.mark.parametrize(
    ("customers", "how", "says"),
    [
        on_mariadb("via unix_socket", "refuses the login"),
        on_mariadb("via mysql_old_password using '0123456789abcdef'", "a way to log in that isn't supported"),
        on_mariadb("by 'right' require x509", "refuses the login"),
        on_mariadb("by 'right' password expire", "refuses the login"),
    ],
    indirect=["customers"],
)
async def test_a_login_that_takes_more_than_a_password_is_refused(
    customers: Customers, office: Office, how: str, says: str
) -> None:
    customer = await customers.customer("")
    await customer.execute(
        f"create user {customer.name}_x identified {how}; grant select on {customer.name}.* to {customer.name}_x"
    )
    asked = customers.fields(customer, username=f"{customer.name}_x", password=Secret("right"))
    assert says in await refused(office, asked, LoginRefused, "username")


@pytest.mark.parametrize("customers", [on_mariadb()], indirect=True)
async def test_a_password_may_have_letters_of_any_script(customers: Customers, office: Office) -> None:
    customer = await customers.customer("")
    await customer.execute(f"set names utf8mb4; alter user {customer.reader} identified by 'pässwörd 日本'")
    asked = customers.fields(customer, password=Secret("pässwörd 日本"))
    assert (await office.admin.call(connection.TEST_DATABASE, asked)).ok


@pytest.mark.parametrize("customers", [on_mariadb()], indirect=True)
async def test_what_speaks_first_but_not_mysql_is_unreachable(
    customers: Customers, office: Office, customer: AnyCustomer
) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n" * 20)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as stranger:
        host, port = stranger.sockets[0].getsockname()
        await refused(office, customers.fields(customer, host=host, port=port), DatabaseUnreachable, "host")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_the_name_that_was_given_is_verified_although_the_address_is_what_is_connected_to(
    customers: Customers, office: Office, customer: AnyCustomer, host: str
) -> None:
    root = customers.authority
    fields = customers.fields(customer, host=host, ssl_mode=SslMode.VERIFY_FULL, ssl_root_cert=root)
    assert (await office.admin.call(connection.TEST_DATABASE, fields)).ok


@pytest.mark.parametrize(
    ("customers", "given", "says"), [*RISKS_ON_POSTGRES, *RISKS_ON_MARIADB], indirect=["customers"]
)
async def test_a_login_that_can_do_more_than_select_is_refused_unless_the_admin_accepts_it(
    desk: Desk, customers: Customers, given: str, says: str
) -> None:
    office, customer = await desk.office(), await customers.customer()
    names = {"reader": customer.reader, "name": customer.name, "role": f"r_{customer.name}"}
    await customer.execute(given.format(**names))
    words = await refused(office, customers.fields(customer), InvalidInput, "username")
    assert says.format(**names) in words
    assert "PASSWORD" not in words
    created = await office.admin.call(connection.CREATE_DATABASE, customers.fields(customer, accept_risky_role=True))
    assert says.format(**names) in " ".join(created.warnings)


@pytest.mark.parametrize(
    ("customers", "given", "says"),
    [
        ("postgres", "grant insert on shop.customer to {reader}", "shop.customer"),
        on_mariadb("grant file on *.* to {reader}", "FILE"),
    ],
    indirect=["customers"],
)
async def test_a_login_that_was_given_more_is_found_out_when_the_database_is_changed(
    desk: Desk, customers: Customers, given: str, says: str
) -> None:
    office, customer = await desk.office(), await customers.customer()
    created = await office.add(customers.fields(customer))
    await customer.execute(given.format(reader=customer.reader))
    change = UpdateDatabase(db_uuid=created.db_uuid, database_desc="changed")
    with pytest.raises(InvalidInput, match=says):
        await office.admin.call(connection.UPDATE_DATABASE, change)
    before = await office.admin.call(connection.GET_DATABASE, ByDatabase(db_uuid=created.db_uuid))
    assert (before.database_desc, await warnings(office, created)) == ("", ())
    accepted = UpdateDatabase(db_uuid=created.db_uuid, database_desc="changed", accept_risky_role=True)
    assert (await office.admin.call(connection.UPDATE_DATABASE, accepted)).database_desc == "changed"
    assert says in "".join(await warnings(office, created))
    await office.indexed(created.db_uuid)
    await office.admin.call(connection.UPDATE_DATABASE, change)  # what was accepted once stays so


async def warnings(office: Office, created: CreatedDatabase) -> tuple[str, ...]:
    return (await office.admin.call(connection.GET_CONNECTION, ByConnection(conn_uuid=created.conn_uuid))).warnings


async def test_an_alias_that_was_given_is_taken_once_and_a_derived_one_is_numbered(
    desk: Desk, customers: Customers, customer: AnyCustomer
) -> None:
    office = await desk.office()
    named = customers.fields(customer, database_name_alias="shop")
    await office.admin.call(connection.CREATE_DATABASE, named)
    with pytest.raises(Conflict):
        await office.admin.call(connection.CREATE_DATABASE, named)
    derived = await asyncio.gather(
        *(office.admin.call(connection.CREATE_DATABASE, customers.fields(customer)) for _ in range(4))
    )
    assert sorted(created.database_name_alias for created in derived) == [
        customer.name,
        *(f"{customer.name} {number}" for number in (2, 3, 4)),
    ]
