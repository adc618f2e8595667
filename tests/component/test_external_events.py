"""What other services of the operator publish below `basejump.v1.ext`: it is acted on, once, in its own tenant."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from basejump_common.contracts import account, connection
from basejump_common.contracts.account import UserGone
from basejump_common.contracts.common import ByUser
from basejump_common.contracts.connection import CreatedDatabase, DatabaseTablesRequest, SchemaChanged
from basejump_common.errors import NotFound
from connection_house import Desk, Office, connected
from customers import AnyCustomer, Customers
from identity import within
from installation import Installation
from telling import say


@pytest.fixture(scope="module")
async def desk(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """Nothing is looked at on schedule."""
    folder = tmp_path_factory.mktemp("external")
    results = (folder / "results").as_uri()
    async with connected(installation, folder / "tls", results_url=results, schema_check_seconds="0") as opened:
        yield opened


@pytest.fixture
async def customer(customers: Customers) -> AnyCustomer:
    return await customers.customer()


@pytest.fixture
async def shop(customers: Customers, office: Office, customer: AnyCustomer) -> CreatedDatabase:
    return await office.add(customers.fields(customer))


async def names(office: Office, shop: CreatedDatabase) -> set[str]:
    page = await office.admin.call(connection.LIST_TABLES, DatabaseTablesRequest(db_uuid=shop.db_uuid))
    return {table.table_name for table in page.data}


async def test_whoever_changes_a_schema_may_say_so(
    installation: Installation,
    customers: Customers,
    desk: Desk,
    office: Office,
    customer: AnyCustomer,
    shop: CreatedDatabase,
) -> None:
    at = customers.at
    await customer.execute(f"create table {at}later (id integer primary key)")
    await customer.execute(f"grant select on {at}later to {customer.reader}")
    stranger = (await desk.office()).tenant.client_uuid
    changed = SchemaChanged(db_uuid=shop.db_uuid)
    await say(installation, connection.SCHEMA_CHANGED, stranger, changed)
    await say(installation, connection.SCHEMA_CHANGED, office.tenant.client_uuid, SchemaChanged(db_uuid=uuid4()))

    async def is_there() -> bool:
        return "later" in await names(office, shop)

    assert not await within(1, is_there), "another client's word, or another database's, changes nothing"
    await say(installation, connection.SCHEMA_CHANGED, office.tenant.client_uuid, changed)
    assert await within(10, is_there)


async def test_a_person_who_has_left_is_deleted_but_for_the_last_owner(installation: Installation, desk: Desk) -> None:
    office = await desk.office()
    client_uuid = office.tenant.client_uuid
    owner = (await office.tenant.owner()).user_uuid
    for user_uuid in (owner, uuid4(), office.member.user_uuid):
        await say(installation, account.USER_DEPROVISIONED, client_uuid, UserGone(user_uuid=user_uuid))

    async def is_gone() -> bool:
        try:
            await office.admin.call(account.GET_USER, ByUser(user_uuid=office.member.user_uuid))
        except NotFound:
            return True
        return False

    assert await within(10, is_gone)
    assert (await office.admin.call(account.GET_USER, ByUser(user_uuid=owner))).user_uuid == owner
