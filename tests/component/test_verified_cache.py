"""Verified answers: found again by who may, run again when they are old, taken back with all that came from them."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from basejump_common.contracts import account, connection, result
from basejump_common.contracts.account import CreateTeam
from basejump_common.contracts.chat import JUDGE_MESSAGE, JudgeMessage, MessageType
from basejump_common.contracts.connection import (
    CreateConnection,
    GrantTeams,
    Schema,
    TableScope,
    UpdateColumn,
    UpdateColumns,
    UpdateConnection,
    UpdateDatabase,
)
from basejump_common.contracts.result import ByResult, SaveResult
from basejump_common.errors import Forbidden, NotFound
from basejump_common.security.principal import Role, UserRole
from basejump_common.security.secret import Secret
from connection_house import READER_PASSWORD, SHOP, Desk
from identity import within
from installation import Installation, unique
from talking import talk_of
from verified_house import HOW_MANY, IN_BERGEN, IN_HAMAR, OTHER_WORDS, House, count_of, desk_of, house_of

TWO_REGIONS = """
create schema hr_eu; create table hr_eu.customer (id integer primary key); insert into hr_eu.customer values (1);
create schema hr_us; create table hr_us.customer (id integer primary key); insert into hr_us.customer values (1), (2);
"""


def region(name: str) -> Schema:
    return Schema(schema_nm="hr{{region}}", jinja_values={"region": f"_{name}"})


@pytest.fixture(scope="module")
async def desk(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with desk_of(installation, tmp_path_factory.mktemp("desk")) as opened:
        yield opened


@pytest.fixture
async def house(desk: Desk, installation: Installation) -> House:
    return await house_of(desk, installation)


async def test_a_question_that_means_the_same_gets_the_verified_answer_at_once(house: House) -> None:
    first = await house.verified(HOW_MANY)
    await house.customer.execute("insert into shop.customer values (6, 'Flo', 'Bergen')")
    colleague = await house.person()
    again = await house.ask(OTHER_WORDS, colleague)
    assert (again.verified, again.verified_user_role) == (True, "MEMBER")
    assert again.verified_user_uuid == house.office.member.user_uuid
    assert again.result_uuid != first.result_uuid
    assert again.sql_query == first.sql_query
    assert count_of(again) == "5", "the rows are those of the first answer"
    assert again.content.startswith("There are 5 customer"), "said as it was understood"
    assert not again.can_verify
    kept = await colleague.call(result.GET_RESULT, ByResult(result_uuid=again.result_uuid or UUID(int=0)))
    assert (kept.verified, kept.verified_user_role) == (True, Role.MEMBER)


async def test_an_answer_older_than_a_day_runs_again(house: House) -> None:
    await house.verified(HOW_MANY)
    await house.customer.execute("insert into shop.customer values (6, 'Flo', 'Bergen')")
    await house.age(23)
    assert count_of(await house.ask(HOW_MANY)) == "5"
    await house.age(2)
    again = await house.ask(HOW_MANY)
    assert (again.verified, count_of(again)) == (True, "6")


async def test_who_only_shares_the_connection_gets_rows_of_their_own(house: House) -> None:
    await house.verified(HOW_MANY)
    await house.customer.execute("insert into shop.customer values (6, 'Flo', 'Bergen')")
    other = await house.ask(HOW_MANY, *(await house.team()))
    assert (other.verified, count_of(other)) == (True, "6")


async def test_a_question_that_differs_in_its_filter_gets_the_statement_with_that_filter(house: House) -> None:
    first = await house.verified(IN_BERGEN)
    similar = await house.ask(IN_HAMAR)
    assert (similar.verified, count_of(similar)) == (True, "2")
    assert similar.sql_query == (first.sql_query or "").replace("Bergen", "Hamar")
    assert "Hamar" in similar.content
    nowhere = await house.ask("How many customers live in Atlantis?")
    assert not nowhere.verified, "a value that no row has is not put into a verified statement"


async def test_what_isnt_the_same_question_is_answered_anew(house: House) -> None:
    await house.verified(HOW_MANY)
    for question in ("How many purchases are there?", "List all customers", "How many customers joined after 2019?"):
        assert not (await house.ask(question)).verified


async def test_unverifying_takes_back_all_that_came_from_it(house: House) -> None:
    first = await house.verified(IN_BERGEN)
    second = await house.ask(IN_BERGEN)
    third = await house.ask(IN_HAMAR)
    assert second.verified
    assert third.verified
    await house.verify(first, verified=False)
    for message in (first, second, third):
        assert not await house.is_verified(message)
    assert not (await house.ask(IN_BERGEN)).verified


async def test_roles_verify_promote_and_take_back(house: House) -> None:
    member, admin = house.office.member, house.office.admin
    first = await house.verified(HOW_MANY)
    promoted = await house.verify(first, admin)
    assert (promoted.verified_user_role, promoted.verified_user_uuid) == (Role.ADMIN, admin.user_uuid)
    assert (await house.verify(first, member)).verified_user_role is Role.ADMIN, "a member's word changes nothing"
    with pytest.raises(Forbidden, match="ADMIN"):
        await house.verify(first, member, verified=False)
    with pytest.raises(NotFound):
        await house.verify(first, await house.person(), verified=False)
    assert (await house.ask(HOW_MANY)).verified_user_role == "ADMIN"
    assert not (await house.verify(first, await house.office.tenant.owner(), verified=False)).verified


async def test_a_thumbs_up_verifies_and_a_thumbs_down_does_not_take_back(house: House) -> None:
    final = await house.ask(HOW_MANY)
    for thumbs_up in (True, False):
        judge = JudgeMessage(parent_msg_uuid=final.msg_uuid, thumbs_up=thumbs_up, reason="as I think")
        judged = await house.office.member.call(JUDGE_MESSAGE, judge)
        assert (judged.verified, judged.verified_user_role) == (True, "MEMBER")
    assert (await house.ask(OTHER_WORDS)).verified


async def test_saving_verifies_when_asked_to_which_is_for_who_asked_and_admins(house: House) -> None:
    final = await house.ask(HOW_MANY)
    assert final.result_uuid is not None
    save = SaveResult(result_uuid=final.result_uuid, verified=True, share_w_team=True)
    await house.office.member.call(result.SAVE_RESULT, save)
    assert await house.is_verified(final)
    with pytest.raises(NotFound):
        await (await house.person()).call(result.SAVE_RESULT, save)


async def test_members_of_a_strict_client_get_verified_answers_alone(house: House) -> None:
    await house.become_strict()
    admin = await house.person(UserRole.ADMIN)
    await house.verified(HOW_MANY, admin)
    told = await house.ask(OTHER_WORDS)
    assert (told.verified, told.verified_user_role, count_of(told)) == (True, "ADMIN", "5")
    refused = await house.ask("How many purchases are there?")
    assert (refused.msg_type, refused.code) == (MessageType.ERROR, "not_verified")


async def test_another_client_another_database_and_a_team_without_the_grant_are_never_served(house: House) -> None:
    await house.verified(HOW_MANY)
    desk, office = house.desk, house.office
    elsewhere = await desk.office()
    await elsewhere.add(desk.fields(house.customer))
    assert not (await (await talk_of(elsewhere)).answer(HOW_MANY)).verified
    other = await office.add(desk.fields(await desk.customer(SHOP), database_name_alias="other"), grant=False)
    assert not (await house.ask(HOW_MANY, *(await house.team(other.conn_uuid)))).verified
    team = await office.admin.call(account.CREATE_TEAM, CreateTeam(team_name=unique("team")))
    without = await house.person(team_uuid=team.team_uuid)
    assert (await house.ask(HOW_MANY, without, team.team_uuid)).code == "no_database"


async def test_a_narrowed_grant_is_proved_again(house: House) -> None:
    await house.verified(IN_BERGEN)
    deny = (TableScope(table="customer", columns=("city",)),)
    narrowed = await house.team(deny=deny)
    for question in (IN_BERGEN, IN_HAMAR):
        final = await house.ask(question, *narrowed)
        assert not final.verified
        assert "city" not in (final.sql_query or "")
    assert (await house.ask(IN_BERGEN)).verified, "who sees the column still gets it"


async def test_another_login_of_the_connection_gets_rows_of_its_own(house: House) -> None:
    await house.verified(HOW_MANY)
    other = f"{house.customer.reader}_b"
    await house.customer.execute(f"""
        create role {other} login password 'another';
        grant usage on schema shop to {other};
        grant select on shop.customer, shop.purchase to {other};
        insert into shop.customer values (6, 'Flo', 'Bergen')
    """)
    assert count_of(await house.ask(HOW_MANY)) == "5"
    login = UpdateConnection(conn_uuid=house.shop.conn_uuid, username=other, password=Secret("another"))
    await house.office.admin.call(connection.UPDATE_CONNECTION, login)
    await house.office.indexed(house.shop.db_uuid)
    again = await house.ask(HOW_MANY)
    assert (again.verified, count_of(again)) == (True, "6")


async def test_rows_that_were_fetched_when_the_team_saw_more_are_fetched_again(house: House) -> None:
    await house.verified(HOW_MANY)
    await house.customer.execute("insert into shop.customer values (6, 'Flo', 'Bergen')")
    assert count_of(await house.ask(HOW_MANY)) == "5"
    deny = (TableScope(table="customer", columns=("city",)),)
    narrowed = GrantTeams(conn_uuid=house.shop.conn_uuid, team_uuids=(house.office.team_uuid,), deny=deny)
    await house.office.admin.call(connection.GRANT_TEAMS, narrowed)
    again = await house.ask(HOW_MANY)
    assert (again.verified, count_of(again)) == (True, "6")


async def test_an_answer_whose_tables_are_not_what_they_were_is_not_served(house: House) -> None:
    await house.verified(HOW_MANY)
    assert (await house.ask(HOW_MANY)).verified
    async with (
        house.installation.storage("chat-agent") as storage,
        storage.tenant(house.office.tenant.client_uuid) as tx,
    ):
        prints = await tx.fetch("select distinct schema_print from result where verified")
        assert len(prints) == 1
        assert prints[0]["schema_print"]
        await tx.execute("update result set schema_print = 'of another definition' where verified")
    final = await house.ask(HOW_MANY)
    assert (final.verified, count_of(final)) == (False, "5"), "answered like any other, also by the same statement"


async def test_who_shares_the_database_is_served_from_their_own_schema_of_a_template(
    desk: Desk, installation: Installation
) -> None:
    customer = await desk.customer(TWO_REGIONS, "hr_eu", "hr_us")
    office = await desk.office()
    eu = await office.add(desk.fields(customer, schemas=(region("eu"),)), grant=False)
    house = House(desk, office, customer, eu, installation)
    login = CreateConnection(
        db_uuid=eu.db_uuid, username=customer.reader, password=Secret(READER_PASSWORD), schemas=(region("us"),)
    )
    us = await office.admin.call(connection.CREATE_CONNECTION, login)
    await office.indexed(eu.db_uuid)
    (ann, of_eu), (dee, of_us) = await house.team(eu.conn_uuid), await house.team(us.conn_uuid)
    question = "How many customers are there?"
    first = await house.ask(question, ann, of_eu)
    await house.verify(first, ann)
    again = await house.ask(question, dee, of_us)
    assert (again.verified, count_of(first), count_of(again)) == (True, "1", "2")
    assert "hr_us.customer" in (again.sql_query or "")


async def test_a_changed_table_unverifies_what_rests_on_it_and_nothing_else(house: House) -> None:
    customers, purchases = await house.verified(HOW_MANY), await house.verified("How many purchases are there?")
    await house.customer.execute("alter table shop.customer add column nickname text")
    await house.office.admin.call(connection.UPDATE_DATABASE, UpdateDatabase(db_uuid=house.shop.db_uuid))

    async def fallen() -> bool:
        return not await house.is_verified(customers)

    assert await within(15, fallen)
    assert await house.is_verified(purchases)


async def test_a_column_that_an_admin_ignores_unverifies_what_rests_on_its_table(house: House) -> None:
    await house.verified(IN_BERGEN)
    first = await house.verified(HOW_MANY)
    page = connection.DatabaseTablesRequest(db_uuid=house.shop.db_uuid)
    tables = (await house.office.admin.call(connection.LIST_TABLES, page)).data
    tbl_uuid = next(table.tbl_uuid for table in tables if table.table_name == "customer")
    column = UpdateColumn(column_name="city", ignore=True)
    await house.office.admin.call(connection.UPDATE_COLUMNS, UpdateColumns(tbl_uuid=tbl_uuid, columns=(column,)))
    assert not (await house.ask(IN_BERGEN)).verified, "also before the event is heard"

    async def fallen() -> bool:
        return not await house.is_verified(first)

    assert await within(15, fallen)
