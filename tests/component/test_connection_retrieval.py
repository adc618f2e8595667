"""Over which database a question is: granted, indexed, best; and whom the index lets look."""

import asyncio

import pytest

from basejump_common.bus import Context
from basejump_common.contracts import account, connection
from basejump_common.contracts.account import ByTeam, CreateTeam, Membership
from basejump_common.contracts.connection import (
    ByConnection,
    ByDatabase,
    ByTable,
    ConnectionGrantsRequest,
    DatabaseTablesRequest,
    IndexState,
    Retrieve,
    TeamConnectionsRequest,
    UpdateDatabase,
)
from basejump_common.errors import Conflict, NotFound
from basejump_common.security.principal import UserRole
from connection_house import Customer, Desk
from identity import within

LIBRARY = """
create schema library;
create table library.book (id integer primary key, title text, author text);
create table library.loan (id integer primary key, book_id integer references library.book, borrower text);
"""


async def test_the_database_that_knows_the_words_is_chosen(desk: Desk) -> None:
    office = await desk.office()
    shop = await office.add(desk.fields(await desk.customer()))
    books = await desk.customer(LIBRARY, "library")
    library = await office.add(desk.fields(books, schemas=(connection.Schema(schema_nm="library"),)))
    assert (await office.retrieve("How many books has each author written?")).db_uuid == library.db_uuid
    assert (await office.retrieve("Total of purchases by city of the customer")).db_uuid == shop.db_uuid
    chosen = await office.retrieve("How many books has each author written?", shop.db_uuid)
    assert (chosen.db_uuid, chosen.tied) == (shop.db_uuid, ())


async def test_two_databases_that_fit_equally_well_are_tied_and_two_logins_of_one_are_not(desk: Desk) -> None:
    office = await desk.office()
    first = await office.add(desk.fields(await desk.customer(), database_name_alias="north"))
    second = await office.add(desk.fields(await desk.customer(), database_name_alias="south"))
    retrieved = await office.retrieve("How many customers are there?")
    assert retrieved.db_uuid == first.db_uuid
    assert [(tied.db_uuid, tied.database_name_alias) for tied in retrieved.tied] == [(second.db_uuid, "south")]
    assert not (await office.retrieve("zzz?")).tied


async def test_a_first_index_that_failed_says_why_without_being_waited_for(desk: Desk) -> None:
    office, customer = await desk.office(), await desk.customer()
    async with customer.session() as session, session.transaction():
        # The first attempt waits behind this lock on the catalog until it is cut off; the second may not log in.
        await session.execute("lock table pg_catalog.pg_description in access exclusive mode")
        created = await office.admin.call(connection.CREATE_DATABASE, desk.fields(customer, database_name_alias="late"))
        await office.grant(created.conn_uuid)
        assert await within(5, lambda: waits(customer))
        await customer.execute(f"alter role {customer.reader} nologin")
        await customer.execute(
            f"select pg_terminate_backend(pid) from pg_stat_activity where usename = '{customer.reader}'"
        )
    status = await office.indexed(created.db_uuid)
    assert status.status is IndexState.FAILED
    assert "refuses the login" in (status.error or "")
    retrieved = await office.retrieve("customers")
    assert (retrieved.conn_uuid, retrieved.waiting_for) == (None, ())
    assert retrieved.failed == (f"late: {status.error}",)
    # Put right by the customer, it is indexed on the next change.
    await customer.execute(f"alter role {customer.reader} login")
    await office.admin.call(connection.UPDATE_DATABASE, UpdateDatabase(db_uuid=created.db_uuid))
    assert (await office.indexed(created.db_uuid)).error is None


async def waits(customer: Customer) -> bool:
    return bool(await customer.busy())


async def test_a_change_while_it_is_being_indexed_is_a_conflict(desk: Desk) -> None:
    office, customer = await desk.office(), await desk.customer()
    created = await office.add(desk.fields(customer))
    async with customer.session() as session, session.transaction():
        # The index job waits behind this lock on the catalog.
        await session.execute("lock table pg_catalog.pg_description in access exclusive mode")
        await office.admin.call(connection.UPDATE_DATABASE, UpdateDatabase(db_uuid=created.db_uuid))
        waiting = await office.retrieve("customers")
        assert waiting.conn_uuid == created.conn_uuid  # the old index still answers
        with pytest.raises(Conflict):
            await office.admin.call(connection.UPDATE_DATABASE, UpdateDatabase(db_uuid=created.db_uuid))
        with pytest.raises(Conflict):
            await office.admin.call(connection.DELETE_DATABASE, ByDatabase(db_uuid=created.db_uuid))
    assert (await office.indexed(created.db_uuid)).status is IndexState.FINISHED
    await office.admin.call(connection.DELETE_DATABASE, ByDatabase(db_uuid=created.db_uuid))
    with pytest.raises(NotFound):
        await office.admin.call(connection.GET_CONNECTION, ByConnection(conn_uuid=created.conn_uuid))


async def test_a_first_index_under_way_is_waited_for(desk: Desk) -> None:
    office, customer = await desk.office(), await desk.customer()
    async with customer.session() as session, session.transaction():
        await session.execute("lock table pg_catalog.pg_description in access exclusive mode")
        created = await asyncio.wait_for(office.admin.call(connection.CREATE_DATABASE, desk.fields(customer)), 5)
        await office.grant(created.conn_uuid)
        waiting = await office.retrieve("customers")
        assert (waiting.conn_uuid, waiting.waiting_for) == (None, (created.db_uuid,))
    await office.indexed(created.db_uuid)
    assert (await office.retrieve("customers")).conn_uuid == created.conn_uuid


async def test_a_member_sees_tables_and_asks_only_with_a_grant_of_a_team_they_are_in(desk: Desk) -> None:
    office = await desk.office()
    shop = await office.add(desk.fields(await desk.customer()))
    outsider = await office.tenant.person(UserRole.MEMBER)
    tables = await office.member.call(connection.LIST_TABLES, DatabaseTablesRequest(db_uuid=shop.db_uuid, limit=2))
    rest = await office.member.call(
        connection.LIST_TABLES, DatabaseTablesRequest(db_uuid=shop.db_uuid, cursor=tables.next_cursor)
    )
    assert [table.table_name for table in (*tables.data, *rest.data)] == [
        "big_purchase",
        "city",
        "customer",
        "event",
        "half",
        "purchase",
    ]
    with pytest.raises(NotFound):
        await outsider.call(connection.LIST_TABLES, DatabaseTablesRequest(db_uuid=shop.db_uuid))
    with pytest.raises(NotFound):
        await outsider.call(connection.GET_TABLE, ByTable(tbl_uuid=tables.data[0].tbl_uuid))
    with pytest.raises(NotFound):
        await outsider.call(connection.LIST_TEAM_CONNECTIONS, TeamConnectionsRequest(team_uuid=office.team_uuid))
    question = Retrieve(team_uuid=office.team_uuid, question="customers")
    with pytest.raises(NotFound):
        await office.agent.call(connection.RETRIEVE, question, Context.new(outsider.token))
    seen = await office.member.call(
        connection.LIST_TEAM_CONNECTIONS, TeamConnectionsRequest(team_uuid=office.team_uuid)
    )
    assert [one.conn_uuid for one in seen.data] == [shop.conn_uuid]


async def test_a_team_that_is_gone_loses_its_grants_and_one_that_never_was_gets_none(desk: Desk) -> None:
    office = await desk.office()
    shop = await office.add(desk.fields(await desk.customer()))
    other = await office.admin.call(account.CREATE_TEAM, CreateTeam(team_name="other"))
    await office.admin.call(
        account.ADD_MEMBER, Membership(team_uuid=other.team_uuid, user_uuid=office.member.user_uuid)
    )
    granted = connection.GrantTeams(conn_uuid=shop.conn_uuid, team_uuids=(other.team_uuid,))
    await office.admin.call(connection.GRANT_TEAMS, granted)
    await office.admin.call(account.DELETE_TEAM, ByTeam(team_uuid=other.team_uuid))

    async def only_the_first() -> bool:
        grants = await office.admin.call(connection.LIST_GRANTS, ConnectionGrantsRequest(conn_uuid=shop.conn_uuid))
        return [grant.team_uuid for grant in grants.data] == [office.team_uuid]

    assert await within(5, only_the_first)
    with pytest.raises(NotFound):
        await office.admin.call(connection.GRANT_TEAMS, granted)


async def test_a_catalog_of_several_pages_is_known_to_its_last_table(desk: Desk) -> None:
    numbers = range(501)
    script = "create schema many;" + "".join(
        f"create table many.thing_{number:04} (id integer primary key, mark text);" for number in numbers
    )
    office = await desk.office()
    customer = await desk.customer(script, "many")
    created = await office.add(desk.fields(customer, schemas=(connection.Schema(schema_nm="many"),)))
    for number in (0, 499, 500):
        sql = f"select mark from thing_{number:04}"
        assert (await office.run(created, sql)).row_count == 0
