"""The login that operators are told to make: accepted without a warning, reads what is there and what comes later."""

import asyncpg

from basejump_common.contracts import connection
from basejump_common.contracts.connection import DatabaseTablesRequest, DatabaseType, Schema
from basejump_common.security.secret import Secret
from connection_house import Customer, Desk, Office
from documents import the
from mariadb import MariaDB
from mariadb import run as run_on_mariadb

NAME, PASSWORD = "basejump_reader", "a password of a reader 1"


async def tables_seen(office: Office, request: connection.CreateDatabase) -> set[str]:
    created = await office.admin.call(connection.CREATE_DATABASE, request)
    assert created.warnings == ()
    await office.grant(created.conn_uuid)
    await office.indexed(created.db_uuid)
    page = await office.member.call(connection.LIST_TABLES, DatabaseTablesRequest(db_uuid=created.db_uuid))
    assert (await office.run(created, "select count(*) as n from later")).row_count == 1
    return {table.table_name for table in page.data}


async def test_the_login_of_postgresql_is_accepted(desk: Desk, office: Office) -> None:
    customer: Customer = await desk.customer("create schema sales; create table sales.here (id integer)", "sales")
    await customer.execute(the("docs/operations.md", "postgresql").replace("…", PASSWORD))
    try:
        await customer.execute("create table sales.later (id integer)")
        login = {"username": NAME, "password": Secret(PASSWORD), "schemas": (Schema(schema_nm="sales"),)}
        assert await tables_seen(office, desk.fields(customer, **login)) == {"here", "later"}
    finally:
        async with customer.session() as session:
            await _drop(session)


async def _drop(session: "asyncpg.Connection[asyncpg.Record]") -> None:
    await session.execute(f"drop owned by {NAME}; drop role {NAME}")


async def test_the_login_of_mysql_is_accepted(desk: Desk, office: Office, mariadb: MariaDB) -> None:
    async with mariadb.session() as session:
        await run_on_mariadb(session, "create database sales; create table sales.here (id integer)")
        try:
            await run_on_mariadb(session, the("docs/operations.md", "mysql").replace("…", PASSWORD))
            await run_on_mariadb(session, "create view sales.later as select * from sales.here")
            request = connection.CreateDatabase(
                database_type=DatabaseType.MARIADB,
                host=mariadb.host,
                port=mariadb.port,
                database_name="sales",
                username=NAME,
                password=Secret(PASSWORD),
            )
            assert await tables_seen(office, request) == {"here", "later"}
        finally:
            await run_on_mariadb(session, f"drop database sales; drop user if exists {NAME}")
