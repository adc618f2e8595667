"""What the service keeps: hidden from other tenants, passwords sealed for their row, runs that outlive a replica."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from basejump_common.contracts.connection import CreatedDatabase
from basejump_common.security.envelope import Envelope, EnvelopeError
from basejump_common.storage.catalogue import PLATFORM_TABLES, tables_without_row_security
from basejump_common.storage.database import Database
from basejump_devstack import services
from connection_house import READER_PASSWORD, Desk, Office
from installation import Installation

SCHEMA = "connection_indexer"


@pytest.fixture(scope="module")
async def shop(desk: Desk, office: Office) -> CreatedDatabase:
    return await office.add(desk.fields(await desk.customer()))


@pytest.fixture(scope="module")
async def database(installation: Installation) -> AsyncIterator[Database]:
    async with installation.storage("connection-indexer") as opened:
        yield opened


async def test_every_table_of_tenants_is_protected_and_empty_without_one(
    database: Database, shop: CreatedDatabase
) -> None:
    async with database.platform() as tx:
        assert tuple(await tables_without_row_security(tx, SCHEMA)) == PLATFORM_TABLES
        for table in ("database", "connection", "team_grant", "indexed_table", "sight", "run"):
            assert await tx.fetchval(f"select count(*) from {table}") == 0
    async with database.tenant(uuid4()) as tx:
        assert await tx.fetchval("select count(*) from connection") == 0


async def test_a_password_is_sealed_for_its_row_and_tenant(
    installation: Installation, database: Database, office: Office, shop: CreatedDatabase
) -> None:
    async with database.tenant(office.tenant.client_uuid) as tx:
        sealed = await tx.fetchval("select password from connection where conn_uuid = $1", shop.conn_uuid)
    assert READER_PASSWORD.encode() not in sealed
    keys = services.settings("connection-indexer", installation.around)["BASEJUMP_MASTER_KEYS"]
    envelope = Envelope.from_text(keys)
    client, row = str(office.tenant.client_uuid), str(shop.conn_uuid)
    assert envelope.decrypt(sealed, context=(client, "connection", row)).decode() == READER_PASSWORD
    for context in ((client, "connection", str(uuid4())), (str(uuid4()), "connection", row)):
        with pytest.raises(EnvelopeError):
            envelope.decrypt(sealed, context=context)


async def test_a_run_whose_replica_died_is_run_by_the_next_call(
    database: Database, office: Office, shop: CreatedDatabase
) -> None:
    run_uuid, sql = uuid4(), "select count(*) as customers from shop.customer"
    async with database.tenant(office.tenant.client_uuid) as tx:
        await tx.execute(
            """
            insert into run (client_uuid, run_uuid, conn_uuid, statement, state, lease_until)
            values ($1, $2, $3, $4, 'running', now() - interval '1 s')
            """,
            office.tenant.client_uuid,
            run_uuid,
            shop.conn_uuid,
            sql,
        )
    assert (await office.run(shop, sql, run_uuid=run_uuid)).preview == ((3,),)
    async with database.tenant(office.tenant.client_uuid) as tx:
        row = await tx.fetchrow("select state, attempt, object_key from run where run_uuid = $1", run_uuid)
    assert row is not None
    assert (row["state"], row["attempt"]) == ("finished", 2)
    assert row["object_key"].startswith(f"{office.tenant.client_uuid}/{run_uuid}")
