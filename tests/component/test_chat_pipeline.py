"""From a question to its answer about a customer's real database: auth, account, connection-indexer, chat-agent."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from basejump_common.contracts import account, auth, chat, connection, result
from basejump_common.contracts.chat import (
    ByChat,
    ChatMessagesRequest,
    CreateChat,
    Message,
    MessageType,
    PriorMessage,
)
from basejump_common.contracts.client_settings import UpdateClientSettings
from basejump_common.contracts.common import Nothing
from basejump_common.contracts.connection import CREATE_DATABASE, REVOKE_GRANT, ByGrant, Schema
from basejump_common.contracts.result import ByResult
from basejump_common.errors import NotFound
from basejump_common.security.principal import UserRole
from connection_house import Customer, Desk, connected
from customers import Customers
from identity import within
from installation import Installation
from talking import Talk, talk_of

HOW_MANY = "How many customers are there?"
# Views that take their time; a volatile condition is never optimised away.
SLEEPERS = """
create schema bed;
create view bed.doze as select n as doze_id from generate_series(1, 2) n where n = 1 or pg_sleep(3) is not null;
create view bed.nap as select n as nap_id from generate_series(1, 2) n where n = 1 or pg_sleep(60) is not null;
"""


@pytest.fixture(scope="module")
async def desk(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("chat-desk")
    results = (folder / "results").as_uri()
    async with connected(installation, folder / "tls", results_url=results, statement_seconds="6") as opened:
        yield opened


@pytest.fixture(scope="module")
async def agent(installation: Installation, desk: Desk) -> AsyncIterator[None]:
    async with installation.running("chat-agent", patience_seconds="15"):
        yield


@pytest.fixture(scope="module")
async def shop(desk: Desk, agent: None) -> Talk:
    office = await desk.office()
    await office.add(desk.fields(await desk.customer(), database_name_alias="shop"))
    return await talk_of(office)


@pytest.fixture(scope="module")
async def sleeper(desk: Desk) -> Customer:
    return await desk.customer(SLEEPERS, "bed")


@pytest.fixture(scope="module")
async def bed(desk: Desk, agent: None, sleeper: Customer) -> Talk:
    return await bedroom(desk, sleeper)


async def bedroom(desk: Desk, sleeper: Customer) -> Talk:
    office = await desk.office()
    await office.add(desk.fields(sleeper, schemas=(Schema(schema_nm="bed"),)))
    return await talk_of(office)


async def test_a_question_is_answered_from_the_customers_rows(shop: Talk) -> None:
    async with shop.asking(HOW_MANY, return_sql_in_thoughts=True) as (_, heard):
        final = await heard.final()
    assert (final.msg_type, final.result_type) == (MessageType.RESPONSE, chat.ResultType.METRIC)
    assert "3" in final.content
    assert final.proof is not None
    assert final.proof.tables
    assert final.sql_query == final.proof.sql
    assert final.usage is not None
    assert final.usage.total_seconds >= final.usage.database_seconds > 0
    kinds = [message.msg_type for message in heard.messages]
    assert kinds == [MessageType.INITIAL, MessageType.THOUGHT, MessageType.STATUS, MessageType.RESPONSE]
    assert heard.messages[1].sql_query


@pytest.mark.parametrize("customers", [pytest.param("mariadb", marks=pytest.mark.mariadb)], indirect=True)
async def test_questions_over_mariadb_are_planned_proved_and_answered_in_its_dialect(
    desk: Desk, agent: None, customers: Customers
) -> None:
    office = await desk.office()
    await office.add(customers.fields(await customers.customer()))
    talk = await talk_of(office)
    assert "3" in (await talk.answer(HOW_MANY)).content
    found = await talk.answer("Which customers live in Bergen?")
    assert "Bo Ek" in found.content
    assert found.proof is not None
    assert found.proof.fully_proved
    most = await talk.answer("What is the total of the purchases by customer?")
    assert most.msg_type is MessageType.RESPONSE, most.content
    assert most.result_uuid is not None
    kept = await talk.office.member.call(result.GET_RESULT, ByResult(result_uuid=most.result_uuid))
    assert {row[0]: Decimal(str(row[1])) for row in kept.preview} == {
        "Ann Lee": Decimal("7296.30"),
        "Bo Ek": Decimal("7370.00"),
        "Cy Oslo": Decimal("7443.70"),
    }


async def test_the_result_of_an_answer_is_kept(shop: Talk) -> None:
    final = await shop.answer("Which customers live in Oslo?")
    assert final.result_uuid is not None
    kept = await shop.office.member.call(result.GET_RESULT, ByResult(result_uuid=final.result_uuid))
    assert kept.sql_query == final.sql_query
    assert kept.row_num_total == len(kept.preview) > 0
    assert (kept.result_type, kept.chat_uuid) == (final.result_type, shop.chat.chat_uuid)
    newest = await shop.office.member.call(result.LIST_RESULTS, result.ListResults(limit=1))
    assert newest.data == (kept,)


async def test_a_result_is_its_askers_and_the_admins(shop: Talk, desk: Desk) -> None:
    final = await shop.answer(HOW_MANY)
    assert final.result_uuid is not None
    by_uuid = ByResult(result_uuid=final.result_uuid)
    assert (await shop.office.admin.call(result.GET_RESULT, by_uuid)).result_uuid == final.result_uuid
    colleague = await shop.office.tenant.person(UserRole.MEMBER)
    stranger = await (await desk.house.tenant()).owner()
    for other in (colleague, stranger):
        with pytest.raises(NotFound):
            await other.call(result.GET_RESULT, by_uuid)


async def test_a_question_asked_while_its_database_is_indexed_waits_for_the_answer(desk: Desk, agent: None) -> None:
    office = await desk.office()
    customer = await desk.customer()
    talk = await talk_of(office)
    created = await office.admin.call(CREATE_DATABASE, desk.fields(customer))
    await office.grant(created.conn_uuid)
    final = await talk.answer(HOW_MANY)
    assert final.msg_type == MessageType.RESPONSE
    assert "3" in final.content


async def test_what_needs_a_language_model_is_said_so(shop: Talk) -> None:
    final = await shop.answer("Why is the sky blue?")
    assert (final.msg_type, final.code) == (MessageType.ERROR, "needs_language_model")
    assert final.content.startswith("I can't answer that without a language model, because ")


async def test_a_team_without_a_database_is_told_whom_to_ask(desk: Desk, agent: None) -> None:
    final = await (await talk_of(await desk.office())).answer(HOW_MANY)
    assert (final.msg_type, final.code) == (MessageType.ERROR, "no_database")
    assert "administrator" in final.content


async def test_between_two_databases_the_person_chooses(desk: Desk, agent: None) -> None:
    office = await desk.office()
    customer = await desk.customer()
    for alias in ("north", "south"):
        await office.add(desk.fields(customer, database_name_alias=alias))
    talk = await talk_of(office)
    asked_back = await talk.answer(HOW_MANY)
    assert asked_back.msg_type == MessageType.CLARIFICATION
    assert asked_back.clarification is not None
    assert sorted(asked_back.clarification.options) == ["north", "south"]
    answered = await talk.answer("the south one", parent_msg_uuid=asked_back.msg_uuid)
    assert (answered.msg_type, answered.parent_msg_uuid) == (MessageType.RESPONSE, asked_back.msg_uuid)
    assert "3" in answered.content
    asked_again = await talk.answer("How many purchases are there?")
    answered = await talk.answer("2")
    assert (answered.msg_type, answered.parent_msg_uuid) == (MessageType.RESPONSE, asked_again.msg_uuid)


async def test_follow_ups_are_understood_from_what_was_asked_before(desk: Desk, agent: None) -> None:
    office = await desk.office()
    await office.add(desk.fields(await desk.customer(), database_name_alias="shop"))
    talk = await talk_of(office)
    assert "3" in (await talk.answer(HOW_MANY)).content
    by_city = await talk.answer("and by city?")
    assert by_city.result_type == chat.ResultType.DATASET
    assert "GROUP BY" in str(by_city.sql_query)
    second = await talk.answer("show me the second one")
    assert second.result_type == chat.ResultType.RECORD, second.content
    assert by_city.result_uuid is not None
    kept = await office.member.call(result.GET_RESULT, ByResult(result_uuid=by_city.result_uuid))
    assert str(kept.preview[1][0]) in second.content
    assert (await talk.answer("show me the tenth one")).code == "needs_language_model"
    assert (await talk.answer("and by weather?")).code == "needs_language_model"
    again = await talk.answer("show me the second one")
    assert (again.content, again.sql_query) == (second.content, second.sql_query), "what failed is passed over"
    oslo = await talk.answer("only in Oslo")
    assert oslo.code is None, oslo.content


async def test_questions_of_a_conversation_held_elsewhere_count(shop: Talk) -> None:
    said = (PriorMessage(role="user", content=HOW_MANY), PriorMessage(role="assistant", content="There are 3."))
    create = CreateChat(team_uuid=shop.office.team_uuid, messages=said)
    opened = await shop.office.member.call(chat.CREATE_CHAT, create)
    answered = await Talk(shop.office, shop.member, opened).answer("and in Oslo?")
    assert answered.msg_type == MessageType.RESPONSE
    assert "Oslo" in str(answered.sql_query)


async def test_two_questions_at_once_are_answered_in_parallel(bed: Talk) -> None:
    started = asyncio.get_running_loop().time()
    answers = await asyncio.gather(*(bed.answer("How many dozes are there?") for _ in range(2)))
    assert [answer.msg_type for answer in answers] == [MessageType.RESPONSE] * 2
    assert asyncio.get_running_loop().time() - started < 5.5


async def test_a_statement_too_slow_ends_with_what_to_do(bed: Talk, sleeper: Customer) -> None:
    final = await bed.answer("How many naps are there?")
    assert (final.msg_type, final.code) == (MessageType.ERROR, "statement_timeout")
    assert "Ask for less" in final.content
    assert await sleeper.busy() == []


async def test_stopping_a_chat_ends_the_statement_in_the_database(bed: Talk, sleeper: Customer) -> None:
    async with bed.asking("How many naps are there?") as (_, heard):
        assert await within(3, lambda: is_busy(sleeper))
        await bed.office.member.call(chat.STOP_CHAT, ByChat(chat_uuid=bed.chat.chat_uuid))
        assert (await heard.final(1.0)).code == "canceled"
        assert await within(1, lambda: is_idle(sleeper))
        await asyncio.sleep(0.3)
        assert len(heard.finals) == 1
    page = await bed.office.member.call(chat.LIST_MESSAGES, ChatMessagesRequest(chat_uuid=bed.chat.chat_uuid, limit=1))
    assert page.data[0].code == "canceled"


async def test_deleting_a_chat_ends_its_statement_and_whoever_waits_learns_it(
    desk: Desk, bed: Talk, sleeper: Customer
) -> None:
    talk = await talk_of(bed.office)
    async with talk.asking("How many naps are there?") as (_, heard):
        assert await within(3, lambda: is_busy(sleeper))
        await talk.office.member.call(chat.DELETE_CHAT, ByChat(chat_uuid=talk.chat.chat_uuid))
        final = await heard.final(1.0)
        assert (final.code, "was stopped" in final.content) == ("canceled", True)
        assert await within(1, lambda: is_idle(sleeper))
        await asyncio.sleep(0.3)
        assert len(heard.finals) == 1
    with pytest.raises(NotFound):
        await talk.office.member.call(chat.GET_CHAT, ByChat(chat_uuid=talk.chat.chat_uuid))
    assert (await bed.answer("How many dozes are there?")).msg_type is MessageType.RESPONSE, "nothing is wedged"


async def test_a_question_whose_time_is_over_ends_its_statement(desk: Desk, agent: None, sleeper: Customer) -> None:
    talk = await bedroom(desk, sleeper)
    owner = await talk.office.tenant.owner()
    await owner.call(account.UPDATE_CLIENT_SETTINGS, UpdateClientSettings(seconds_per_question=1.5))
    async with talk.asking("How many naps are there?") as (_, heard):
        assert await within(3, lambda: is_busy(sleeper))
        final = await heard.final(3.0)
        assert await within(1, lambda: is_idle(sleeper))
    assert (final.code, "more than 1.5 seconds" in final.content) == ("seconds_per_question_exceeded", True)


async def test_a_grant_revoked_while_the_statement_runs_ends_it(desk: Desk, agent: None, sleeper: Customer) -> None:
    talk = await bedroom(desk, sleeper)
    retrieved = await talk.office.retrieve("naps")
    assert retrieved.conn_uuid is not None
    async with talk.asking("How many naps are there?") as (_, heard):
        assert await within(3, lambda: is_busy(sleeper))
        grant = ByGrant(conn_uuid=retrieved.conn_uuid, team_uuid=talk.office.team_uuid)
        await talk.office.admin.call(REVOKE_GRANT, grant)
        assert await within(1, lambda: is_idle(sleeper))
        final = await heard.final(1.0)
    assert final.code == "not_found"
    assert final.content.startswith("The statement was canceled: the team has no such connection.")


async def test_a_session_revoked_while_the_statement_runs_ends_it(desk: Desk, agent: None, sleeper: Customer) -> None:
    talk = await bedroom(desk, sleeper)
    async with talk.asking("How many naps are there?") as (_, heard):
        assert await within(3, lambda: is_busy(sleeper))
        await talk.office.member.call(auth.REVOKE_TOKENS, Nothing())
        final = await heard.final(5.0)
        assert await within(1, lambda: is_idle(sleeper))
    assert final.code == "unauthenticated"
    assert "session has ended" in final.content


async def test_a_statement_is_waited_for_as_long_as_it_may_take(
    bed: Talk, sleeper: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call waits for a part of that time only; here for a third."""
    monkeypatch.setattr(connection, "RUN", replace(connection.RUN, timeout=1.0))
    started = asyncio.get_running_loop().time()
    final = await bed.answer("How many dozes are there?")
    assert asyncio.get_running_loop().time() - started > 3
    assert (final.msg_type, final.content) == (MessageType.RESPONSE, "There are 2 dozes.")


async def is_busy(customer: Customer) -> bool:
    return any("nap" in query or "doze" in query for query in await customer.busy())


async def is_idle(customer: Customer) -> bool:
    return not await is_busy(customer)


def bars(message: Message) -> dict[str, Any]:
    assert message.visual_json is not None, message.visual_explanation
    trace: dict[str, Any] = message.visual_json["data"][0]
    return trace


async def test_a_chart_comes_with_the_answer_when_it_is_asked_for(shop: Talk) -> None:
    question = "How many customers are there in each city?"
    final = await shop.answer(question, return_visual_json=True)
    assert bars(final)["type"] == "bar"
    assert dict(zip(bars(final)["x"], bars(final)["y"], strict=True)) == {"Oslo": 1, "oslo": 1, "Bergen": 1}
    assert final.visual_explanation is not None
    assert final.visual_explanation.startswith("A bar chart of ")
    assert final.visual_result_uuid == final.result_uuid is not None
    kept = await shop.office.member.call(result.GET_RESULT, ByResult(result_uuid=final.result_uuid))
    assert (kept.visual_json, kept.visual_explanation) == (final.visual_json, final.visual_explanation)
    assert (await shop.answer(question)).visual_json is None


async def test_a_chart_is_asked_for_in_words_and_again_in_another_shape(desk: Desk, shop: Talk) -> None:
    talk = await talk_of(shop.office)
    plotted = await talk.answer("Plot the number of customers by city")
    assert bars(plotted)["type"] == "bar"
    pie = await talk.answer("as a pie chart")
    assert (bars(pie)["type"], sum(bars(pie)["values"])) == ("pie", 3)


async def test_a_chart_is_drawn_from_all_rows_that_are_stored(shop: Talk) -> None:
    final = await shop.answer("List the purchases", return_visual_json=True)
    assert final.msg_type == MessageType.RESPONSE, final.content
    assert len(bars(final)["x"]) == 200


async def test_why_no_chart_fits_is_said(shop: Talk) -> None:
    final = await shop.answer(HOW_MANY, return_visual_json=True)
    assert (final.visual_json, final.visual_result_uuid) == (None, None)
    assert final.visual_explanation == "No chart fits, because the result is a single row."
