"""Grants hold as they are at the moment of each step: between proof and run, and when a stored result is read."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from basejump_common.contracts import account, chat, connection, result
from basejump_common.contracts.account import Membership
from basejump_common.contracts.chat import ByMessage, ChatMessagesRequest
from basejump_common.contracts.connection import (
    ByDatabase,
    ByGrant,
    CreatedDatabase,
    DatabaseTablesRequest,
    Prove,
    RanUnder,
    UpdateColumn,
    UpdateColumns,
)
from basejump_common.contracts.result import ByResult
from basejump_common.errors import NotFound
from connection_house import Desk, Office, connected
from identity import within
from installation import Installation
from talking import Talk, talk_of

HOW_MANY = "How many customers are there?"


@pytest.fixture(scope="module")
async def desk(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("grants")
    parts = {"membership_seconds": 600.0}  # so that what is forgotten sooner was told
    async with (
        connected(installation, folder / "tls", parts, results_url=(folder / "results").as_uri()) as opened,
        installation.running("chat-agent"),
    ):
        yield opened


@pytest.fixture
async def office(desk: Desk) -> Office:
    return await desk.office()


@pytest.fixture
async def shop(desk: Desk, office: Office) -> CreatedDatabase:
    return await office.add(desk.fields(await desk.customer()))


async def revoke(office: Office, shop: CreatedDatabase) -> None:
    await office.admin.call(connection.REVOKE_GRANT, ByGrant(conn_uuid=shop.conn_uuid, team_uuid=office.team_uuid))


async def asked(talk: Talk) -> ByResult:
    final = await talk.answer(HOW_MANY)
    assert final.result_uuid is not None
    return ByResult(result_uuid=final.result_uuid)


async def test_a_grant_revoked_between_proof_and_run_refuses_the_run(office: Office, shop: CreatedDatabase) -> None:
    sql = "select full_name from shop.customer"
    prove = Prove(conn_uuid=shop.conn_uuid, team_uuid=office.team_uuid, sql=sql)
    assert (await office.ask(connection.PROVE, prove)).proof is not None
    await revoke(office, shop)
    with pytest.raises(NotFound):
        await office.run(shop, sql)


async def test_a_stored_result_is_gone_with_its_grant_and_back_with_it(office: Office, shop: CreatedDatabase) -> None:
    member, admin = office.member, office.admin
    by_uuid = await asked(await talk_of(office))
    kept = await member.call(result.GET_RESULT, by_uuid)
    await revoke(office, shop)
    with pytest.raises(NotFound):
        await member.call(result.GET_RESULT, by_uuid)
    assert await admin.call(result.GET_RESULT, by_uuid) == kept, "an ADMIN, who grants, needs no grant"
    assert (await member.call(result.LIST_RESULTS, result.ListResults())).data == ()
    await office.grant(shop.conn_uuid)
    assert await member.call(result.GET_RESULT, by_uuid) == kept
    assert (await member.call(result.LIST_RESULTS, result.ListResults())).data == (kept,)
    await admin.call(connection.DELETE_DATABASE, ByDatabase(db_uuid=shop.db_uuid))
    for reader in (member, admin):
        with pytest.raises(NotFound):
            await reader.call(result.GET_RESULT, by_uuid)


async def test_what_an_answer_says_goes_with_its_result(office: Office, shop: CreatedDatabase) -> None:
    member, talk = office.member, await talk_of(office)
    final = await talk.answer("How many customers are there by city?", return_visual_json=True)
    assert "Bergen" in str(final.visual_json)
    assert final.result_uuid is not None
    of_chat, by_message = ChatMessagesRequest(chat_uuid=final.chat_uuid), ByMessage(msg_uuid=final.msg_uuid)

    async def withheld() -> bool:
        read = await member.call(chat.GET_MESSAGE, by_message)
        assert (await member.call(chat.LIST_MESSAGES, of_chat)).data == (read,)
        assert (read.msg_uuid, read.result_uuid, read.usage) == (final.msg_uuid, final.result_uuid, final.usage)
        return read != final and "Bergen" not in str(read)

    await revoke(office, shop)
    assert await withheld()
    admins = await office.admin.call(chat.GET_MESSAGE, by_message)
    assert (admins.content, admins.visual_json) == (final.content, final.visual_json), "an ADMIN needs no grant"
    await office.grant(shop.conn_uuid)
    assert not await withheld()
    table = next(
        table
        for table in (await office.admin.call(connection.LIST_TABLES, DatabaseTablesRequest(db_uuid=shop.db_uuid))).data
        if table.table_name == "customer"
    )
    for ignore in (True, False):
        city = (UpdateColumn(column_name="city", ignore=ignore),)
        await office.admin.call(connection.UPDATE_COLUMNS, UpdateColumns(tbl_uuid=table.tbl_uuid, columns=city))
        assert await withheld() == ignore
    await member.call(result.DELETE_RESULT, ByResult(result_uuid=final.result_uuid))
    assert await withheld()


async def test_who_left_the_team_reads_its_results_no_more(office: Office, shop: CreatedDatabase) -> None:
    by_uuid = await asked(await talk_of(office))
    await office.admin.call(
        account.REMOVE_MEMBER, Membership(user_uuid=office.member.user_uuid, team_uuid=office.team_uuid)
    )

    async def gone() -> bool:
        try:
            await office.member.call(result.GET_RESULT, by_uuid)
        except NotFound:
            return True
        return False

    assert await within(60, gone), "who leaves a team is told"
    assert (await office.admin.call(result.GET_RESULT, by_uuid)).result_uuid == by_uuid.result_uuid


async def test_a_grant_of_another_client_is_nobodys(desk: Desk, office: Office, shop: CreatedDatabase) -> None:
    stranger = await desk.office()
    grant = RanUnder(conn_uuid=shop.conn_uuid, team_uuid=office.team_uuid)
    asked = connection.CheckGrants(data=(grant, RanUnder(conn_uuid=uuid4(), team_uuid=office.team_uuid)))
    assert (await office.ask(connection.CHECK_GRANTS, asked)).data == (grant,)
    assert (await stranger.ask(connection.CHECK_GRANTS, asked)).data == ()
