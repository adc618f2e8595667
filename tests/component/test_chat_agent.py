"""chat-agent on real NATS and PostgreSQL, every other service away: what it keeps, who sees it, how prompts end."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import msgspec
import pytest

from basejump_chat_agent.adapters import chat_rows, prompt_rows
from basejump_common.bus import Bus
from basejump_common.contracts import chat, result, wire
from basejump_common.contracts.chat import Ask, ByChat, ByMessage, Chat, ChatMessagesRequest, CreateChat, MessageType
from basejump_common.errors import Conflict, Forbidden, InvalidInput, NotFound, Unavailable
from basejump_common.security.principal import Role
from basejump_common.security.tokens import Signer
from basejump_common.storage.catalogue import PLATFORM_TABLES, tables_without_row_security
from basejump_common.storage.database import Database
from chatting import Person, asking, listening, person
from installation import Installation

QUESTION = "How many employees are there?"


@pytest.fixture(scope="module")
async def gateway(installation: Installation, signer: Signer) -> AsyncIterator[Bus]:
    # The signer's key comes first: without any key no service is ready.
    async with installation.running("chat-agent", patience_seconds="1"), installation.bus("gateway") as bus:
        yield bus


@pytest.fixture(scope="module")
async def database(installation: Installation) -> AsyncIterator[Database]:
    async with installation.storage("chat-agent") as opened:
        yield opened


@pytest.fixture
def member(signer: Signer) -> Person:
    return person(signer)


async def chat_of(database: Database, owner: Person) -> Chat:
    """A chat as `chat.create` leaves it, once account has said that its owner is in the team."""
    async with database.tenant(owner.client_uuid) as tx:
        request = CreateChat(team_uuid=uuid4())
        return await chat_rows.insert(tx, owner.client_uuid, owner.user_uuid, uuid4(), request)


async def test_every_table_of_tenants_is_protected(database: Database) -> None:
    async with database.platform() as tx:
        assert tuple(await tables_without_row_security(tx, "chat_agent")) == PLATFORM_TABLES


async def test_no_chat_is_made_while_nobody_can_say_who_is_in_the_team(gateway: Bus, member: Person) -> None:
    with pytest.raises(Unavailable):
        await gateway.call(chat.CREATE_CHAT, CreateChat(team_uuid=uuid4()), member.context)


async def test_a_question_is_accepted_at_once_and_ends_in_one_error_while_services_are_away(
    gateway: Bus, database: Database, member: Person
) -> None:
    kept = await chat_of(database, member)
    async with asking(gateway, member, Ask(chat_uuid=kept.chat_uuid, prompt=QUESTION)) as (initial, heard):
        assert (initial.msg_type, initial.initial_prompt) == (MessageType.INITIAL, QUESTION)
        final = await heard.final()
        assert (final.msg_type, final.code) == (MessageType.ERROR, "unavailable")
        assert final.usage is not None
        assert final.usage.planner == "built-in"
    assert final.msg_uuid == initial.msg_uuid
    assert await gateway.call(chat.GET_MESSAGE, ByMessage(msg_uuid=initial.msg_uuid), member.context) == final
    assert [m.msg_type for m in heard.messages] == [MessageType.INITIAL, MessageType.ERROR]


async def test_a_chat_is_named_after_its_first_question(gateway: Bus, database: Database, member: Person) -> None:
    kept = await chat_of(database, member)
    for question in ("x" * 500, "another one"):
        await gateway.call(chat.ASK, Ask(chat_uuid=kept.chat_uuid, prompt=question), member.context)
    assert (await gateway.call(chat.GET_CHAT, ByChat(chat_uuid=kept.chat_uuid), member.context)).chat_name == "x" * 200


async def test_a_prompt_asked_twice_is_one_prompt(gateway: Bus, database: Database, member: Person) -> None:
    kept = await chat_of(database, member)
    ask = Ask(chat_uuid=kept.chat_uuid, prompt=QUESTION, prompt_uuid=uuid4())
    first, second = await asyncio.gather(*(gateway.call(chat.ASK, ask, member.context) for _ in range(2)))
    assert first == second
    with pytest.raises(Conflict):
        await gateway.call(chat.ASK, msgspec.structs.replace(ask, prompt="Something else?"), member.context)


async def test_another_clients_prompt_uuid_is_refused_and_tells_nothing(
    gateway: Bus, database: Database, member: Person, signer: Signer
) -> None:
    stranger = person(signer)
    mine, theirs = await chat_of(database, member), await chat_of(database, stranger)
    prompt_uuid = uuid4()
    await gateway.call(
        chat.ASK, Ask(chat_uuid=mine.chat_uuid, prompt=QUESTION, prompt_uuid=prompt_uuid), member.context
    )
    with pytest.raises(Conflict, match="another question"):
        await gateway.call(
            chat.ASK, Ask(chat_uuid=theirs.chat_uuid, prompt=QUESTION, prompt_uuid=prompt_uuid), stranger.context
        )


async def test_a_parent_message_must_be_of_the_same_chat(gateway: Bus, database: Database, member: Person) -> None:
    one, other = await chat_of(database, member), await chat_of(database, member)
    asked = await gateway.call(chat.ASK, Ask(chat_uuid=one.chat_uuid, prompt=QUESTION), member.context)
    follow_up = Ask(chat_uuid=other.chat_uuid, prompt="hr", parent_msg_uuid=asked.msg_uuid)
    with pytest.raises(NotFound):
        await gateway.call(chat.ASK, follow_up, member.context)
    assert (await gateway.call(chat.GET_CHAT, ByChat(chat_uuid=other.chat_uuid), member.context)).chat_name is None


async def test_a_question_with_nul_is_refused(gateway: Bus, database: Database, member: Person) -> None:
    kept = await chat_of(database, member)
    with pytest.raises(InvalidInput, match="NUL"):
        await gateway.call(chat.ASK, Ask(chat_uuid=kept.chat_uuid, prompt="How \0 many?"), member.context)


# -- whose chat it is ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("same_client", [True, False])
async def test_what_is_another_members_is_not_there(
    gateway: Bus, database: Database, member: Person, signer: Signer, same_client: bool
) -> None:
    kept = await chat_of(database, member)
    asked = await gateway.call(chat.ASK, Ask(chat_uuid=kept.chat_uuid, prompt=QUESTION), member.context)
    other = person(signer, client_uuid=member.client_uuid if same_client else None)
    by_chat = ByChat(chat_uuid=kept.chat_uuid)
    with pytest.raises(NotFound):
        await gateway.call(chat.GET_CHAT, by_chat, other.context)
    for operation in (chat.DELETE_CHAT, chat.STOP_CHAT):
        with pytest.raises(NotFound):
            await gateway.call(operation, by_chat, other.context)
    with pytest.raises(NotFound):
        await gateway.call(chat.UPDATE_CHAT, chat.UpdateChat(chat_uuid=kept.chat_uuid, chat_name="mine"), other.context)
    with pytest.raises(NotFound):
        await gateway.call(chat.ASK, Ask(chat_uuid=kept.chat_uuid, prompt=QUESTION), other.context)
    with pytest.raises(NotFound):
        await gateway.call(chat.LIST_MESSAGES, ChatMessagesRequest(chat_uuid=kept.chat_uuid), other.context)
    with pytest.raises(NotFound):
        await gateway.call(chat.GET_MESSAGE, ByMessage(msg_uuid=asked.msg_uuid), other.context)
    assert (await gateway.call(chat.LIST_CHATS, chat.ListChats(), other.context)).data == ()


async def test_an_admin_reads_the_chats_of_the_client_and_changes_none(
    gateway: Bus, database: Database, member: Person, signer: Signer
) -> None:
    kept = await chat_of(database, member)
    asked = await gateway.call(chat.ASK, Ask(chat_uuid=kept.chat_uuid, prompt=QUESTION), member.context)
    admin = person(signer, Role.ADMIN, member.client_uuid)
    by_chat = ByChat(chat_uuid=kept.chat_uuid)
    assert (await gateway.call(chat.GET_CHAT, by_chat, admin.context)).user_uuid == member.user_uuid
    read = await gateway.call(chat.GET_MESSAGE, ByMessage(msg_uuid=asked.msg_uuid), admin.context)
    assert read.initial_prompt == QUESTION
    for operation in (chat.DELETE_CHAT, chat.STOP_CHAT):
        with pytest.raises(NotFound):
            await gateway.call(operation, by_chat, admin.context)
    assert (await gateway.call(chat.LIST_CHATS, chat.ListChats(), admin.context)).data == ()
    everybodys = chat.ListChats(include_all_client_info=True)
    assert len((await gateway.call(chat.LIST_CHATS, everybodys, admin.context)).data) == 1


async def test_a_member_may_not_widen_a_list_and_an_admin_sees_nothing_of_another_client(
    gateway: Bus, database: Database, member: Person, signer: Signer
) -> None:
    await chat_of(database, member)
    everybodys = chat.ListChats(include_all_client_info=True)
    results = result.ListResults(include_all_client_info=True)
    with pytest.raises(Forbidden):
        await gateway.call(chat.LIST_CHATS, everybodys, member.context)
    with pytest.raises(Forbidden):
        await gateway.call(result.LIST_RESULTS, results, member.context)
    stranger = person(signer, Role.ADMIN)
    assert (await gateway.call(chat.LIST_CHATS, everybodys, stranger.context)).data == ()
    assert (await gateway.call(result.LIST_RESULTS, results, stranger.context)).data == ()


# -- lists --------------------------------------------------------------------------------------------------------


async def test_messages_are_paged_newest_first(gateway: Bus, database: Database, member: Person) -> None:
    kept = await chat_of(database, member)
    asked = []
    for number in range(5):
        ask = Ask(chat_uuid=kept.chat_uuid, prompt=f"Question {number}?")
        asked.append((await gateway.call(chat.ASK, ask, member.context)).msg_uuid)
    listed: list[UUID] = []
    cursor = None
    for expected in (2, 2, 1):
        request = ChatMessagesRequest(chat_uuid=kept.chat_uuid, limit=2, cursor=cursor)
        page = await gateway.call(chat.LIST_MESSAGES, request, member.context)
        assert len(page.data) == expected
        listed += [message.msg_uuid for message in page.data]
        cursor = page.next_cursor
    assert cursor is None
    assert listed == asked[::-1]


async def test_what_is_given_of_a_chat_is_changed(gateway: Bus, database: Database, member: Person) -> None:
    kept = await chat_of(database, member)
    named = await gateway.call(
        chat.UPDATE_CHAT, chat.UpdateChat(chat_uuid=kept.chat_uuid, chat_name="Heads"), member.context
    )
    described = await gateway.call(
        chat.UPDATE_CHAT, chat.UpdateChat(chat_uuid=kept.chat_uuid, chat_description="d"), member.context
    )
    assert (named.chat_name, described.chat_name, described.chat_description) == ("Heads", "Heads", "d")
    assert described.updated_at > kept.updated_at


# -- stopping and dying -------------------------------------------------------------------------------------------


async def test_stopping_ends_every_open_prompt_within_a_second(
    installation: Installation, database: Database, member: Person
) -> None:
    kept = await chat_of(database, member)
    async with (
        installation.running("chat-agent", patience_seconds="60"),
        installation.bus("gateway") as bus,
        asking(bus, member, Ask(chat_uuid=kept.chat_uuid, prompt=QUESTION)) as (_, one),
        asking(bus, member, Ask(chat_uuid=kept.chat_uuid, prompt=QUESTION)) as (_, two),
    ):
        await asyncio.sleep(0.3)
        await bus.call(chat.STOP_CHAT, ByChat(chat_uuid=kept.chat_uuid), member.context)
        assert [(await heard.final(1.0)).code for heard in (one, two)] == ["canceled", "canceled"]
        await asyncio.sleep(0.5)
        assert len(one.finals) == len(two.finals) == 1
        await bus.call(chat.STOP_CHAT, ByChat(chat_uuid=kept.chat_uuid), member.context)
        assert await open_jobs(database, member) == 0


async def test_deleting_a_chat_stops_it_and_leaves_nothing_of_it(
    installation: Installation, database: Database, member: Person
) -> None:
    kept = await chat_of(database, member)
    async with (
        installation.running("chat-agent", patience_seconds="60"),
        installation.bus("gateway") as bus,
        asking(bus, member, Ask(chat_uuid=kept.chat_uuid, prompt=QUESTION)) as (initial, heard),
    ):
        await bus.call(chat.DELETE_CHAT, ByChat(chat_uuid=kept.chat_uuid), member.context)
        assert (await heard.final(1.0)).code == "canceled"
        with pytest.raises(NotFound):
            await bus.call(chat.GET_MESSAGE, ByMessage(msg_uuid=initial.msg_uuid), member.context)
        await asyncio.sleep(0.5)
        assert len(heard.finals) == 1
        assert await open_jobs(database, member) == 0


async def test_an_answer_stored_by_a_worker_that_died_before_telling_it_is_told_by_the_next(
    installation: Installation, database: Database, member: Person
) -> None:
    """The state is made with the worker's own transactions: a prompt, its job taken, its final message stored."""
    async with installation.running("chat-agent", patience_seconds="60"), installation.bus("gateway") as bus:
        kept = await chat_of(database, member)
        async with asking(bus, member, Ask(chat_uuid=kept.chat_uuid, prompt=QUESTION)) as (initial, _):
            pass
    assert initial.prompt_uuid is not None
    async with database.tenant(member.client_uuid) as tx:
        prompt = await prompt_rows.find(tx, initial.prompt_uuid)
        assert prompt is not None
        stored = msgspec.structs.replace(initial, msg_type=MessageType.RESPONSE, content="There are 107 employees.")
        assert await prompt_rows.settle(tx, prompt, stored)
        assert not await prompt_rows.settle(tx, prompt, stored)
    async with (
        installation.bus("gateway") as bus,
        listening(bus, member, kept.chat_uuid, initial.prompt_uuid) as heard,
        installation.running("chat-agent", patience_seconds="1"),
    ):
        assert await heard.final() == stored
        assert len(heard.finals) == 1
        assert await open_jobs(database, member) == 0


async def test_what_is_published_of_a_final_message_is_what_anybody_will_read_of_it(
    gateway: Bus, database: Database, member: Person
) -> None:
    """A jsonb value keeps neither the order of keys nor the spelling of numbers: here both are told apart."""
    kept = await chat_of(database, member)
    initial = await gateway.call(chat.ASK, Ask(chat_uuid=kept.chat_uuid, prompt=QUESTION), member.context)
    assert initial.prompt_uuid is not None
    figure = {"layout": {"width": 1e22}, "data": [{"y": [1e-7, 2.50, 3], "x": ["b", "a"]}], "a": None}
    made = msgspec.structs.replace(initial, msg_type=MessageType.RESPONSE, visual_json=figure)
    async with database.tenant(member.client_uuid) as tx:
        prompt = await prompt_rows.find(tx, initial.prompt_uuid)
        assert prompt is not None
        stored = await prompt_rows.settle(tx, prompt, made)
    assert stored is not None
    by_uuid = wire.encode(ByMessage(msg_uuid=initial.msg_uuid))
    assert wire.encode(stored.message) == await gateway.call_bytes(chat.GET_MESSAGE, by_uuid, member.context)
    assert wire.encode(stored.message) != wire.encode(made)


async def open_jobs(database: Database, owner: Person) -> int:
    async with asyncio.timeout(5):
        while True:
            async with database.platform() as tx:
                open_ones: int = await tx.fetchval(
                    "select count(*) from job where client_uuid = $1 and state in ('queued', 'running')",
                    owner.client_uuid,
                )
            if open_ones == 0:
                return 0
            await asyncio.sleep(0.05)
