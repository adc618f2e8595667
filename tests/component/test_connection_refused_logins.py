"""A login that its database refuses later: the others are indexed, and what it saw stays known."""

import pytest

from basejump_common.contracts import connection
from basejump_common.contracts.connection import (
    ByDatabase,
    CreatedDatabase,
    DatabaseTablesRequest,
    IndexState,
    SchemaChanged,
    UpdateConnection,
    UpdateDatabase,
)
from basejump_common.errors import LoginRefused
from connection_house import Office
from customers import Customers
from identity import within
from installation import Installation
from regions import PEOPLE, both_regions, regional
from telling import say


async def names(office: Office, created: CreatedDatabase) -> set[str]:
    page = await office.admin.call(connection.LIST_TABLES, DatabaseTablesRequest(db_uuid=created.db_uuid))
    return {table.table_name for table in page.data}


async def test_the_others_are_indexed_and_it_is_said_which_was_refused(
    installation: Installation, customers: Customers, office: Office
) -> None:
    regions = await regional(customers)
    for region in PEOPLE:
        await regions.add_table(region, f"only_{region}")
    logins = await both_regions(office, regions)
    eu, us = logins["eu"], logins["us"]
    assert await names(office, eu) == {"employee", "office", "only_eu", "only_us"}

    rename = "alter role {} rename to {}" if customers.at else "rename user {} to {}"
    await regions.customer.execute(rename.format(regions.login("us"), f"{regions.login('us')}_x"))
    await regions.add_table("eu", "later")
    await say(installation, connection.SCHEMA_CHANGED, office.tenant.client_uuid, SchemaChanged(db_uuid=eu.db_uuid))

    async def is_there() -> bool:
        return "later" in await names(office, eu)

    assert await within(10, is_there)
    status = await office.admin.call(connection.INDEX_STATUS, ByDatabase(db_uuid=eu.db_uuid))
    assert status.status is IndexState.FINISHED
    assert status.error is not None
    assert str(us.conn_uuid) in status.error
    assert await names(office, eu) == {"employee", "office", "only_eu", "only_us", "later"}

    with pytest.raises(LoginRefused) as refused:
        await office.admin.call(connection.UPDATE_DATABASE, UpdateDatabase(db_uuid=eu.db_uuid, include_views=False))
    assert str(us.conn_uuid) in refused.value.message
    mended = UpdateConnection(conn_uuid=us.conn_uuid, username=f"{regions.login('us')}_x")
    await office.admin.call(connection.UPDATE_CONNECTION, mended)
    assert (await office.indexed(eu.db_uuid)).error is None
