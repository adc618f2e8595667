"""Grants that an admin narrows to tables and columns: whatever a team does, it meets nothing else; deny wins."""

from typing import Any
from uuid import UUID

import pytest

from basejump_common.contracts import account, connection
from basejump_common.contracts.account import CreateTeam, Membership
from basejump_common.contracts.connection import (
    ByTable,
    CheckGrants,
    ConnectionGrantsRequest,
    CreatedDatabase,
    DatabaseTablesRequest,
    DrawDatabase,
    FindValues,
    Grant,
    GrantTeams,
    RanUnder,
    Table,
    TableScope,
)
from basejump_common.errors import Conflict, InvalidInput, NotFound, NotProved
from connection_house import Office
from customers import Customers
from identity import Person
from installation import unique

FULL_NAME = "select full_name from customer"


@pytest.fixture
async def shop(customers: Customers, office: Office) -> CreatedDatabase:
    return await office.add(customers.fields(await customers.customer()))


async def narrow(office: Office, shop: CreatedDatabase, team_uuid: UUID | None = None, **scopes: Any) -> Grant:
    team = team_uuid or office.team_uuid
    request = GrantTeams(conn_uuid=shop.conn_uuid, team_uuids=(team,), **scopes)
    grants = await office.admin.call(connection.GRANT_TEAMS, request)
    return next(grant for grant in grants.data if grant.team_uuid == team)


async def tables(person: Person, shop: CreatedDatabase, **page: Any) -> dict[str, Table]:
    found = await person.call(connection.LIST_TABLES, DatabaseTablesRequest(db_uuid=shop.db_uuid, **page))
    return {table.table_name: table for table in found.data}


def columns(table: Table) -> list[str]:
    return [column.column_name for column in table.columns]


async def test_a_denied_table_and_column_are_met_nowhere_and_come_back(office: Office, shop: CreatedDatabase) -> None:
    known = await tables(office.member, shop)
    ran = await office.run(shop, FULL_NAME)
    under = RanUnder(conn_uuid=shop.conn_uuid, team_uuid=office.team_uuid, run_uuid=ran.run_uuid)
    deny = (TableScope(table="customer", columns=("full_name",)), TableScope(table="purchase"))
    grant = await narrow(office, shop, deny=deny)
    assert [scope.table.rpartition(".")[2] for scope in grant.deny] == ["customer", "purchase"]

    for sql in (FULL_NAME, "select total from purchase", "select c.id from customer c join purchase p on c.id = p.id"):
        with pytest.raises(NotProved):
            await office.run(shop, sql)
    whole = await office.run(shop, "select * from customer")
    assert [column.name for column in whole.columns] == ["id", "city", "joined", "photo"]
    retrieved = {
        table.table_name: table for table in (await office.retrieve("customers, purchases", shop.db_uuid)).tables
    }
    shown = await tables(office.member, shop)
    for seen in (retrieved, shown):
        assert sorted(seen) == ["big_purchase", "city", "customer", "event", "half"]
        assert "full_name" not in columns(seen["customer"])
    drawn = await office.member.call(connection.DRAW_DATABASE, DrawDatabase(db_uuid=shop.db_uuid))
    assert "full_name" not in drawn.mermaid
    assert '.purchase"' not in drawn.mermaid
    with pytest.raises(NotFound):
        await office.member.call(connection.GET_TABLE, ByTable(tbl_uuid=known["purchase"].tbl_uuid))
    find = FindValues(
        conn_uuid=shop.conn_uuid,
        team_uuid=office.team_uuid,
        tbl_uuids=(known["customer"].tbl_uuid,),
        phrases=("Ann Lee", "Oslo"),
    )
    assert {value.column_name for value in (await office.ask(connection.FIND_VALUES, find)).data} == {"city"}
    assert (await office.ask(connection.CHECK_GRANTS, CheckGrants(data=(under,)))).data == ()
    assert sorted(await tables(office.admin, shop)) == sorted(known), "an admin, who grants, sees all of it"

    await narrow(office, shop)
    with pytest.raises(NotProved):
        await office.run(shop, FULL_NAME)
    await narrow(office, shop, deny=None)
    assert (await office.run(shop, FULL_NAME)).row_count == 3
    assert (await office.ask(connection.CHECK_GRANTS, CheckGrants(data=(under,)))).data == (under,)
    assert await tables(office.member, shop) == known


async def test_what_is_allowed_is_all_there_is_and_deny_wins(office: Office, shop: CreatedDatabase) -> None:
    allow = (
        TableScope(table="customer", columns=("id", "city")),
        TableScope(table="purchase"),
        TableScope(table="event"),
    )
    deny = (TableScope(table="event"), TableScope(table="purchase", columns=("placed_at",)))
    await narrow(office, shop, allow=allow, deny=deny)
    shown = await tables(office.member, shop)
    assert sorted(shown) == ["customer", "purchase"]
    assert columns(shown["customer"]) == ["id", "city"]
    assert columns(shown["purchase"]) == ["id", "customer_id", "total"]
    joined = (
        "select c.city, sum(p.total) as total from purchase p join customer c on p.customer_id = c.id group by c.city"
    )
    assert (await office.run(shop, joined)).proof.fully_proved
    for sql in ("select id from event", "select placed_at from purchase", FULL_NAME, "select city from city"):
        with pytest.raises(NotProved):
            await office.run(shop, sql)
    await narrow(office, shop, allow=())
    assert await tables(office.member, shop) == {}
    assert (await office.retrieve("customers", shop.db_uuid)).tables == ()


async def test_each_team_sees_its_own_part_and_a_member_of_two_both(office: Office, shop: CreatedDatabase) -> None:
    team = (await office.admin.call(account.CREATE_TEAM, CreateTeam(team_name=unique("team")))).team_uuid
    await office.admin.call(account.ADD_MEMBER, Membership(user_uuid=office.member.user_uuid, team_uuid=team))
    await narrow(office, shop, allow=(TableScope(table="customer", columns=("id",)),))
    both = (TableScope(table="customer", columns=("city",)), TableScope(table="event"))
    await narrow(office, shop, team, allow=both)
    shown = await tables(office.member, shop)
    assert {name: columns(table) for name, table in shown.items()} == {
        "customer": ["id", "city"],
        "event": ["id", "happened"],
    }
    with pytest.raises(NotProved):
        await office.run(shop, "select city from customer")
    assert (await office.run(shop, "select id from customer")).row_count == 3
    page = await office.member.call(connection.LIST_TABLES, DatabaseTablesRequest(db_uuid=shop.db_uuid, limit=1))
    names = [table.table_name for table in page.data]
    while page.next_cursor:
        request = DatabaseTablesRequest(db_uuid=shop.db_uuid, limit=1, cursor=page.next_cursor)
        page = await office.member.call(connection.LIST_TABLES, request)
        names += [table.table_name for table in page.data]
    assert names == ["customer", "event"]


async def test_what_is_not_there_can_not_be_denied(customers: Customers, office: Office, shop: CreatedDatabase) -> None:
    wrong: dict[str, dict[str, Any]] = {
        "deny[0].table": {"deny": (TableScope(table="custmer"),)},
        "allow[1].table": {"allow": (TableScope(table="customer"), TableScope(table="nowhere.customer"))},
        "deny[0].columns": {"deny": (TableScope(table="customer", columns=("id", "nam")),)},
    }
    for field, scopes in wrong.items():
        with pytest.raises(InvalidInput) as refused:
            await narrow(office, shop, **scopes)
        assert refused.value.errors[0].field == field
    grants = await office.admin.call(connection.LIST_GRANTS, ConnectionGrantsRequest(conn_uuid=shop.conn_uuid))
    assert [(grant.allow, grant.deny) for grant in grants.data] == [(None, ())]
    fields = customers.fields(await customers.customer())
    created = await office.admin.call(connection.CREATE_DATABASE, fields)
    early = GrantTeams(
        conn_uuid=created.conn_uuid, team_uuids=(office.team_uuid,), deny=(TableScope(table="customer"),)
    )
    try:
        await office.admin.call(connection.GRANT_TEAMS, early)
    except Conflict:
        await office.indexed(created.db_uuid)
        await office.admin.call(connection.GRANT_TEAMS, early)
    with pytest.raises(NotProved):
        await office.run(created, FULL_NAME)
