"""Schemas that change by themselves: found on schedule or when somebody says so, told, and nothing else happens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from basejump_common.contracts import connection
from basejump_common.contracts.connection import (
    ByDatabase,
    ColumnDrift,
    CreatedDatabase,
    DatabaseTablesRequest,
    Drift,
    IndexState,
    SchemaDrifted,
    Table,
    TableDrift,
    UpdateTable,
)
from basejump_common.errors import NotFound
from basejump_connection_indexer.checking import next_look
from connection_house import Desk, Office, connected
from customers import AnyCustomer, Customers
from identity import within
from installation import Installation, unique

Drifts = asyncio.Queue[SchemaDrifted]


@pytest.fixture(scope="module")
async def desk(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """Databases are looked at every second."""
    folder = tmp_path_factory.mktemp("drift")
    results = (folder / "results").as_uri()
    async with connected(installation, folder / "tls", results_url=results, schema_check_seconds="1") as opened:
        yield opened


@pytest.fixture
async def customer(customers: Customers) -> AnyCustomer:
    return await customers.customer()


@pytest.fixture
async def shop(customers: Customers, office: Office, customer: AnyCustomer) -> CreatedDatabase:
    return await office.add(customers.fields(customer))


async def tables(office: Office, shop: CreatedDatabase) -> dict[str, Table]:
    page = await office.admin.call(connection.LIST_TABLES, DatabaseTablesRequest(db_uuid=shop.db_uuid))
    return {table.table_name: table for table in page.data}


async def index_version(installation: Installation, shop: CreatedDatabase) -> int:
    superuser = await installation.database()
    try:
        found = await superuser.fetchval(
            "select index_version from connection_indexer.database where db_uuid = $1", shop.db_uuid
        )
        return int(found)
    finally:
        await superuser.close()


@asynccontextmanager
async def told(installation: Installation, office: Office, shop: CreatedDatabase) -> AsyncIterator[Drifts]:
    """What is told of the database's drift."""
    found: Drifts = asyncio.Queue()

    async def follow(subscription: Any) -> None:
        while True:
            for message in await subscription.fetch(1, timeout=60):
                await message.ack()
                drifted = msgspec.convert(msgspec.json.decode(message.data)["data"], SchemaDrifted)
                if drifted.db_uuid == shop.db_uuid:
                    await found.put(drifted)

    async with installation.bus("external") as bus:
        subject = connection.SCHEMA_DRIFTED.subject(office.tenant.client_uuid)
        subscription = await bus.jetstream.pull_subscribe(subject, durable=unique("drift"), stream="EVENTS")
        following = asyncio.create_task(follow(subscription))
        try:
            yield found
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


async def test_what_changed_is_indexed_and_told_table_by_table(
    installation: Installation, customers: Customers, office: Office, customer: AnyCustomer, shop: CreatedDatabase
) -> None:
    known = await tables(office, shop)
    await office.admin.call(
        connection.UPDATE_TABLE, UpdateTable(tbl_uuid=known["customer"].tbl_uuid, context="People we know")
    )
    at = customers.at
    async with told(installation, office, shop) as news:
        await customer.execute(
            f"alter table {at}purchase add column note varchar(20); drop view {at}big_purchase;"
            f"create view {at}small_purchase as select id from {at}purchase where total < 5;"
            f"grant select on {at}small_purchase to {customer.reader}"
        )
        found: dict[str, TableDrift] = {}
        async with asyncio.timeout(20):
            while found.keys() != {"purchase", "big_purchase", "small_purchase"}:
                drifted = await news.get()
                assert not drifted.more
                found |= {table.table_name: table for table in drifted.tables}
    assert {name: table.drift for name, table in found.items()} == {
        "purchase": Drift.CHANGED,
        "big_purchase": Drift.REMOVED,
        "small_purchase": Drift.ADDED,
    }
    (note,) = found["purchase"].columns
    assert (note.column_name, note.before) == ("note", None)
    assert found["purchase"].keys_changed is False
    now = await tables(office, shop)
    assert "note" in [column.column_name for column in now["purchase"].columns]
    assert "big_purchase" not in now
    assert "small_purchase" in now
    assert now["customer"].context == "People we know"


async def test_a_retyped_column_and_a_key_that_is_gone_are_told(
    installation: Installation, customers: Customers, office: Office, customer: AnyCustomer, shop: CreatedDatabase
) -> None:
    is_postgres = bool(customers.at)
    change = (
        "alter table shop.purchase alter column total type numeric(12, 2), drop constraint purchase_customer_id_fkey"
        if is_postgres
        else "alter table purchase modify total numeric(12, 2) not null; "
        "alter table purchase drop foreign key purchase_ibfk_1"
    )
    if is_postgres:
        await customer.execute("drop view shop.big_purchase")
        assert await within(10, lambda: _lacks(office, shop, "big_purchase"))
    async with told(installation, office, shop) as news:
        await customer.execute(change)
        columns: list[ColumnDrift] = []
        keys_changed = False
        async with asyncio.timeout(20):
            while not (columns and keys_changed):
                for table in (await news.get()).tables:
                    if table.table_name == "purchase":
                        columns += table.columns
                        keys_changed = keys_changed or table.keys_changed
    (total,) = columns
    assert total.column_name == "total"
    assert "12,2" in (total.after or "")
    assert total.before != total.after


async def _lacks(office: Office, shop: CreatedDatabase, name: str) -> bool:
    return name not in await tables(office, shop)


async def test_where_nothing_changed_nothing_is_told_and_the_index_stays(
    installation: Installation, office: Office, shop: CreatedDatabase
) -> None:
    before = await index_version(installation, shop)
    first = await office.admin.call(connection.INDEX_STATUS, ByDatabase(db_uuid=shop.db_uuid))
    async with told(installation, office, shop) as news:

        async def was_looked_at() -> bool:
            now = await office.admin.call(connection.INDEX_STATUS, ByDatabase(db_uuid=shop.db_uuid))
            assert now.status is IndexState.FINISHED
            assert now.finished_at
            assert first.finished_at
            return now.finished_at > first.finished_at + timedelta(seconds=2)

        assert await within(20, was_looked_at)
        assert news.empty()
    assert await index_version(installation, shop) == before


async def test_a_database_that_is_away_keeps_its_index_and_says_why_it_is_old(
    customers: Customers, office: Office, customer: AnyCustomer, shop: CreatedDatabase
) -> None:
    renamed = f"{customer.reader}_x"
    is_postgres = bool(customers.at)
    await customer.execute(
        f"alter role {customer.reader} rename to {renamed}"
        if is_postgres
        else f"rename user {customer.reader} to {renamed}"
    )
    await customer.execute("select 1")

    async def says_why() -> bool:
        status = await office.admin.call(connection.INDEX_STATUS, ByDatabase(db_uuid=shop.db_uuid))
        assert status.status is IndexState.FINISHED
        return status.error is not None and "refuses the login" in status.error

    assert await within(20, says_why)
    assert "customer" in {table.table_name for table in (await office.retrieve("customers", shop.db_uuid)).tables}


async def test_a_database_that_is_gone_is_looked_at_no_more(
    installation: Installation, office: Office, shop: CreatedDatabase
) -> None:
    async def is_idle() -> bool:
        try:
            await office.admin.call(connection.DELETE_DATABASE, ByDatabase(db_uuid=shop.db_uuid))
        except NotFound:
            return True
        return False

    assert await within(10, is_idle)
    superuser = await installation.database()

    async def nothing_is_planned() -> bool:
        query = """
            select count(*) from connection_indexer.job
            where payload->>'db_uuid' = $1 and state in ('queued', 'running')
        """
        return bool(await superuser.fetchval(query, str(shop.db_uuid)) == 0)

    try:
        assert await within(10, nothing_is_planned)
    finally:
        await superuser.close()


def test_looks_are_spread_evenly_and_each_has_a_name() -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    looks = [next_look(uuid4(), 3_600, now) for _ in range(500)]
    assert all(now < when <= now + timedelta(hours=1) for _, when in looks)
    quarters = [sum(when <= now + timedelta(minutes=15 * part) for _, when in looks) for part in (1, 2, 3)]
    assert all(abs(count - 125 * part) < 60 for part, count in enumerate(quarters, start=1))
    one = uuid4()
    slot, when = next_look(one, 3_600, now)
    assert next_look(one, 3_600, when - timedelta(seconds=1)) == (slot, when)
    assert next_look(one, 3_600, when + timedelta(seconds=1))[1] == when + timedelta(hours=1)
