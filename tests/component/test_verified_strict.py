"""STRICT clients: members get verified answers alone, and what they asked in vain waits for somebody to verify it."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from basejump_chat_agent.adapters import verified_rows
from basejump_common.contracts import chat, result
from basejump_common.contracts.chat import AwaitingPage, AwaitingQuestion, MessageType
from basejump_common.contracts.common import PageRequest
from basejump_common.contracts.result import ByResult, ListResults
from basejump_common.errors import Forbidden
from basejump_common.security.principal import UserRole
from connection_house import Desk
from identity import within
from installation import Installation
from verified_house import HOW_MANY, IN_BERGEN, IN_HAMAR, OTHER_WORDS, House, desk_of, house_of


@pytest.fixture(scope="module")
async def desk(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with desk_of(installation, tmp_path_factory.mktemp("desk")) as opened:
        yield opened


@pytest.fixture
async def house(desk: Desk, installation: Installation) -> House:
    return await house_of(desk, installation)


async def test_an_answer_that_falls_while_it_is_stored_is_not_told_to_a_member(
    house: House, installation: Installation
) -> None:
    await house.become_strict()
    admin = await house.person(UserRole.ADMIN)
    first = await house.verified(HOW_MANY, admin)
    assert first.result_uuid is not None
    everybodys = ListResults(include_all_client_info=True)
    kept = (await house.office.admin.call(result.LIST_RESULTS, everybodys)).data
    async with installation.storage("chat-agent") as storage:
        async with storage.tenant(house.office.tenant.client_uuid) as tx:
            # The cache still sees it verified; the answer made of it can't be stored before this transaction ends.
            await verified_rows.unverify(tx, [first.result_uuid])
            asking = asyncio.create_task(house.ask(HOW_MANY))
            assert await within(60, lambda: _waits_for_the_row(installation))
        final = await asking
    assert (final.msg_type, final.code, final.verified) == (MessageType.ERROR, "not_verified", False)
    assert (final.result_uuid, final.sql_query, final.proof) == (None, None, None)
    now = (await house.office.admin.call(result.LIST_RESULTS, everybodys)).data
    assert [one.result_uuid for one in now] == [one.result_uuid for one in kept], "nothing was kept of it"


async def _waits_for_the_row(installation: Installation) -> bool:
    connection = await installation.database()
    try:
        return bool(
            await connection.fetchval(
                """
                select count(*) from pg_stat_activity
                where datname = current_database() and wait_event_type = 'Lock' and query like '%for share%'
                """
            )
        )
    finally:
        await connection.close()


async def test_an_admin_gets_an_answer_that_falls_while_it_is_stored_as_unverified(
    house: House, installation: Installation
) -> None:
    admin = await house.person(UserRole.ADMIN)
    first = await house.verified(HOW_MANY, admin)
    async with installation.storage("chat-agent") as storage:
        async with storage.tenant(house.office.tenant.client_uuid) as tx:
            await verified_rows.unverify(tx, [first.result_uuid or UUID(int=0)])
            asking = asyncio.create_task(house.ask(HOW_MANY, admin))
            assert await within(60, lambda: _waits_for_the_row(installation))
        final = await asking
    assert (final.msg_type, final.verified, final.can_verify) == (MessageType.RESPONSE, False, True)


async def _awaiting(house: House, request: PageRequest | None = None) -> AwaitingPage:
    return await house.office.admin.call(chat.LIST_AWAITING, request or PageRequest())


async def test_what_was_asked_in_vain_waits_until_it_is_verified(house: House) -> None:
    await house.become_strict()
    for question in (IN_BERGEN, IN_HAMAR, "how many  customers live in BERGEN"):
        assert (await house.ask(question)).code == "not_verified"
    page = await _awaiting(house)
    assert [(one.question, one.times) for one in page.data[:2]] == [
        ("how many  customers live in BERGEN", 2),
        (IN_HAMAR, 1),
    ]
    newest = page.data[0]
    assert (newest.user_uuid, newest.team_uuid) == (house.office.member.user_uuid, house.office.team_uuid)
    assert newest.db_uuid == house.shop.db_uuid
    await house.verified(newest.question, await house.person(UserRole.ADMIN))
    assert [one.question for one in (await _awaiting(house)).data] == [IN_HAMAR, HOW_MANY]
    assert (await house.ask(IN_HAMAR)).verified, "the verified answer with another value"
    assert [one.question for one in (await _awaiting(house)).data] == [HOW_MANY], "it has an answer now"


async def test_what_waits_is_paged_for_admins_of_the_client_alone(house: House, desk: Desk) -> None:
    await house.become_strict()
    for question in (IN_BERGEN, IN_HAMAR, "Which customers live in Oslo?"):
        await house.ask(question)
    seen: list[AwaitingQuestion] = []
    cursor: str | None = None
    while True:
        page = await _awaiting(house, PageRequest(limit=2, cursor=cursor))
        seen += page.data
        cursor = page.next_cursor
        if cursor is None:
            break
    assert [one.question for one in seen] == ["Which customers live in Oslo?", IN_HAMAR, IN_BERGEN, HOW_MANY]
    with pytest.raises(Forbidden):
        await house.office.member.call(chat.LIST_AWAITING, PageRequest())
    stranger = (await desk.office()).admin
    assert (await stranger.call(chat.LIST_AWAITING, PageRequest())).data == ()


async def test_results_are_listed_by_whether_they_are_verified_and_say_who_may_verify_them(house: House) -> None:
    verified = await house.verified(HOW_MANY)
    other = await house.ask("How many purchases are there?")
    member, admin = house.office.member, house.office.admin

    async def listed(*, is_verified: bool) -> list[UUID]:
        request = ListResults(verified=is_verified, include_all_client_info=True)
        return [one.result_uuid for one in (await admin.call(result.LIST_RESULTS, request)).data]

    assert await listed(is_verified=True) == [verified.result_uuid]
    assert await listed(is_verified=False) == [other.result_uuid]
    by_member = await member.call(result.GET_RESULT, ByResult(result_uuid=verified.result_uuid or UUID(int=0)))
    assert not by_member.can_verify, "a member has said so already"
    by_admin = await admin.call(result.GET_RESULT, ByResult(result_uuid=verified.result_uuid or UUID(int=0)))
    assert by_admin.can_verify
    assert (await member.call(result.GET_RESULT, ByResult(result_uuid=other.result_uuid or UUID(int=0)))).can_verify
    assert not (await house.ask(OTHER_WORDS)).can_verify


async def test_who_a_result_is_shared_with_may_not_verify_it(house: House) -> None:
    final = await house.ask(HOW_MANY)
    assert final.result_uuid is not None
    save = result.SaveResult(result_uuid=final.result_uuid, share_w_team=True)
    await house.office.member.call(result.SAVE_RESULT, save)
    read = await (await house.person()).call(result.GET_RESULT, ByResult(result_uuid=final.result_uuid))
    assert not read.can_verify
