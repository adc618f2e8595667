"""Databases that are not added: each problem says which it is, names its field, and stores nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from basejump_common.contracts import connection
from basejump_common.contracts.common import PageRequest
from basejump_common.contracts.connection import CreateDatabase, Schema, SslMode
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
from connection_house import Customer, Desk, Office, connected
from installation import Installation


@pytest.fixture(scope="module")
async def desk(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    async with connected(installation, folder / "tls", results_url=(folder / "results").as_uri()) as opened:
        yield opened


@pytest.fixture(scope="module")
async def office(desk: Desk) -> Office:
    return await desk.office()


@pytest.fixture(scope="module")
async def customer(desk: Desk) -> Customer:
    return await desk.customer()


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
        ({"schemas": (Schema(schema_nm="shop"), Schema(schema_nm="nowhere"))}, SchemaMissing, "schemas"),
        ({"schemas": ()}, InvalidInput, "schemas"),
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
    desk: Desk, office: Office, customer: Customer, changes: dict[str, Any], kind: type[BasejumpError], field: str
) -> None:
    await refused(office, desk.fields(customer, **changes), kind, field)


async def test_a_server_without_tls_is_told_from_one_that_is_away(
    desk: Desk, office: Office, customer: Customer
) -> None:
    plain = desk.fields(customer, host=desk.server.host, port=desk.server.port)
    await refused(office, plain, TlsRefused, "ssl_mode")


async def test_a_certificate_of_another_authority_or_for_another_name_is_refused(
    desk: Desk, office: Office, customer: Customer, tmp_path: Path
) -> None:
    stranger = somebody_elses_authority(tmp_path)
    for mode in SslMode:
        await refused(office, desk.fields(customer, ssl_mode=mode, ssl_root_cert=stranger), TlsRefused, "ssl_mode")
    wrong_name = {"host": "127.0.0.2", "ssl_root_cert": desk.front.authority.read_text()}
    if not await _listens(wrong_name["host"], desk.front.port):
        return
    await refused(office, desk.fields(customer, ssl_mode=SslMode.VERIFY_FULL, **wrong_name), TlsRefused, "ssl_mode")


async def _listens(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_the_name_that_was_given_is_verified_although_the_address_is_what_is_connected_to(
    desk: Desk, office: Office, customer: Customer, host: str
) -> None:
    root = desk.front.authority.read_text()
    fields = desk.fields(customer, host=host, ssl_mode=SslMode.VERIFY_FULL, ssl_root_cert=root)
    assert (await office.admin.call(connection.TEST_DATABASE, fields)).ok


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("grant insert on shop.customer to {reader}", "may write to shop.customer"),
        ("grant update (city) on shop.customer to {reader}", "may write to shop.customer"),
        ("create schema other; create table other.t (); grant delete on other.t to {reader}", "other.t"),
        ("grant create on schema shop to {reader}", "may create in schema shop"),
        ("grant pg_execute_server_program to {reader}", "pg_execute_server_program"),
        ("create extension dblink", "may execute functions of dblink"),
        ("alter role {reader} superuser", "is a superuser"),
        ("alter role {reader} createrole", "may create roles"),
    ],
)
async def test_a_login_that_can_do_more_than_select_is_refused_unless_the_admin_accepts_it(
    desk: Desk, given: str, says: str
) -> None:
    office, customer = await desk.office(), await desk.customer()
    await customer.execute(given.format(reader=customer.reader))
    assert says in await refused(office, desk.fields(customer), InvalidInput, "username")
    created = await office.admin.call(connection.CREATE_DATABASE, desk.fields(customer, accept_risky_role=True))
    assert says in " ".join(created.warnings)


async def test_an_alias_that_was_given_is_taken_once_and_a_derived_one_is_numbered(
    desk: Desk, customer: Customer
) -> None:
    office = await desk.office()
    named = desk.fields(customer, database_name_alias="shop")
    await office.admin.call(connection.CREATE_DATABASE, named)
    with pytest.raises(Conflict):
        await office.admin.call(connection.CREATE_DATABASE, named)
    derived = await asyncio.gather(
        *(office.admin.call(connection.CREATE_DATABASE, desk.fields(customer)) for _ in range(4))
    )
    assert sorted(created.database_name_alias for created in derived) == [
        customer.name,
        *(f"{customer.name} {number}" for number in (2, 3, 4)),
    ]
