"""Limits as the person who asks meets them: told with the numbers, asked where the client says so."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from basejump_common.contracts import account
from basejump_common.contracts.chat import MessageType
from basejump_common.contracts.client_settings import OverBudget, UpdateClientSettings
from basejump_common.contracts.connection import Schema
from connection_house import Customer, Desk, connected
from identity import within
from installation import Installation
from talking import Talk, talk_of

DOZE = """
create schema bed;
create view bed.doze as select n as doze_id from generate_series(1, 2) n where n = 1 or pg_sleep(1.5) is not null;
"""
HOW_MANY = "How many purchases are there?"


@pytest.fixture(scope="module")
async def desk(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("limits")
    async with (
        connected(installation, folder / "tls", results_url=(folder / "results").as_uri()) as opened,
        installation.running("chat-agent", patience_seconds="15"),
    ):
        yield opened


@pytest.fixture(scope="module")
async def customer(desk: Desk) -> Customer:
    return await desk.customer()


async def talk_with(desk: Desk, customer: Customer, *aliases: str, **limits: Any) -> Talk:
    """A talk in a client that has set these limits, about the shop."""
    office = await desk.office()
    await (await office.tenant.owner()).call(account.UPDATE_CLIENT_SETTINGS, UpdateClientSettings(**limits))
    for alias in aliases or ("shop",):
        await office.add(desk.fields(customer, database_name_alias=alias))
    return await talk_of(office)


async def test_a_question_that_takes_too_much_is_declined_with_the_numbers(desk: Desk, customer: Customer) -> None:
    talk = await talk_with(desk, customer, estimated_rows=50)
    final = await talk.answer(HOW_MANY)
    assert (final.msg_type, final.code) == (MessageType.ERROR, "estimate_too_high")
    assert "read about 20" in final.content
    assert "the limit is 50" in final.content


async def test_where_the_client_says_so_the_person_is_asked_and_a_yes_runs_it(desk: Desk, customer: Customer) -> None:
    talk = await talk_with(desk, customer, estimated_rows=50, over_budget=OverBudget.ASK)
    asked = await talk.answer(HOW_MANY)
    assert asked.msg_type == MessageType.CLARIFICATION
    assert asked.clarification is not None
    assert asked.clarification.options == ("yes", "no")
    assert asked.clarification.excess is not None
    assert (asked.clarification.excess.limit.rows, asked.clarification.excess.may_approve) == (50, True)
    assert f"{asked.clarification.excess.estimate.rows}" in asked.content
    answered = await talk.answer("Yes, please.", parent_msg_uuid=asked.msg_uuid)
    assert (answered.msg_type, answered.parent_msg_uuid) == (MessageType.RESPONSE, asked.msg_uuid)
    assert "200" in answered.content
    again = await talk.answer(HOW_MANY)
    assert again.msg_type == MessageType.CLARIFICATION, "an approval is for one answer"


async def test_a_no_runs_nothing(desk: Desk, customer: Customer) -> None:
    talk = await talk_with(desk, customer, estimated_rows=50, over_budget=OverBudget.ASK)
    asked = await talk.answer(HOW_MANY)
    final = await talk.answer("no", parent_msg_uuid=asked.msg_uuid)
    assert (final.msg_type, final.code) == (MessageType.ERROR, "estimate_too_high")
    assert final.content.startswith("Then I haven't run it.")


async def test_a_yes_to_one_question_approves_no_dearer_one(desk: Desk, customer: Customer) -> None:
    talk = await talk_with(desk, customer, estimated_rows=2, over_budget=OverBudget.ASK)
    cheap = await talk.answer("How many customers are there?")
    assert cheap.msg_type == MessageType.CLARIFICATION
    dear = await talk.answer(f"yes, and {HOW_MANY.lower()}", parent_msg_uuid=cheap.msg_uuid)
    assert dear.msg_type == MessageType.RESPONSE
    assert "3" in dear.content, "the question that was asked about is answered"


async def test_an_approval_goes_with_the_database_that_was_chosen_before(desk: Desk, customer: Customer) -> None:
    talk = await talk_with(desk, customer, "north", "south", estimated_rows=50, over_budget=OverBudget.ASK)
    which = await talk.answer(HOW_MANY)
    assert which.clarification is not None
    assert sorted(which.clarification.options) == ["north", "south"]
    asked = await talk.answer("south", parent_msg_uuid=which.msg_uuid)
    assert asked.clarification is not None
    assert asked.clarification.excess is not None
    answered = await talk.answer("yes", parent_msg_uuid=asked.msg_uuid)
    assert (answered.msg_type, "200" in answered.content) == (MessageType.RESPONSE, True)


async def test_questions_beyond_those_at_once_wait_and_say_so(desk: Desk) -> None:
    office = await desk.office()
    await (await office.tenant.owner()).call(account.UPDATE_CLIENT_SETTINGS, UpdateClientSettings(questions_at_once=1))
    sleeper = await desk.customer(DOZE, "bed")
    await office.add(desk.fields(sleeper, schemas=(Schema(schema_nm="bed"),)))
    talk, question = await talk_of(office), "How many dozes are there?"
    async with talk.asking(question) as (_, first), talk.asking(question) as (_, second):
        assert await within(5, lambda: dozes(sleeper, 1))
        assert not first.finals
        waits = "Waiting: your organisation has 1 question answered at a time, and 1 came before this one."
        assert [message.content for message in second.messages] == [waits]
        assert (await first.final()).msg_type is MessageType.RESPONSE
        assert not second.finals
        assert await within(5, lambda: dozes(sleeper, 1)), "its turn has come"
        assert (await second.final()).msg_type is MessageType.RESPONSE
    assert [m.content for m in first.messages if m.content.startswith("Waiting")] == []


async def dozes(customer: Customer, count: int) -> bool:
    return len([query for query in await customer.busy() if "doze" in query]) == count
