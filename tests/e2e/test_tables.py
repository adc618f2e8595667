"""The whole stack's tables: which are without tenants is written down; the others show nothing without one."""

from pathlib import Path

import asyncpg
import pytest

from basejump_common.storage.catalogue import PLATFORM_TABLES, tables_without_row_security
from basejump_common.storage.database import Database
from basejump_devstack import services
from basejump_devstack.postgres import EmbeddedPostgres
from basejump_devstack.state import State
from rest import Tenant

WITHOUT_TENANTS = {
    "auth": {"revocation", "secret_lookup", "signing_key"},
    "account": {"client_directory", "client_origin"},
    "connection-indexer": set[str](),
    "chat-agent": set[str](),
}


@pytest.fixture(scope="module")
def cluster(stack_folder: Path, tenant: Tenant) -> tuple[State, EmbeddedPostgres]:
    """The stack's PostgreSQL, once a question has left rows in every service."""
    assert tenant.ask("How many employees are there?")["msg_type"] == "response"
    state = State(stack_folder)
    return state, EmbeddedPostgres(state.path / "postgres", port=state.kept_port("PostgreSQL"))


@pytest.mark.parametrize("service", services.STATEFUL)
async def test_a_login_without_a_tenant_sees_no_row_of_any_tenant(
    cluster: tuple[State, EmbeddedPostgres], service: str
) -> None:
    state, server = cluster
    login = server.dsn(services.module(service), state.secret(f"database {service}"), services.APP_DATABASE)
    schema = services.schema(service)
    database = await Database.connect(login, schema=schema, application_name="test")
    owner = await asyncpg.connect(server.dsn(database=services.APP_DATABASE))
    try:
        tables = [row[0] for row in await owner.fetch("select tablename from pg_tables where schemaname = $1", schema)]
        async with database.platform() as tx:
            unprotected = set(await tables_without_row_security(tx, schema))
            assert unprotected == {*PLATFORM_TABLES, *WITHOUT_TENANTS[service]}
            protected = set(tables) - unprotected
            there = [table for table in protected if await owner.fetchval(f"select count(*) from {schema}.{table}")]
            assert there, "nothing to hide: the test proves nothing"
            for table in protected:
                assert await tx.fetchval(f"select count(*) from {table}") == 0, table
    finally:
        await owner.close()
        await database.close()
