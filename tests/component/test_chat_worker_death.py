"""A worker that is killed in the middle: another one goes on, and its person gets one answer."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from basejump_common.contracts import chat
from basejump_common.contracts.chat import Message, MessageType
from basejump_common.contracts.connection import Schema
from basejump_common.contracts.result import UPDATE_RESULT, UpdateResult
from basejump_common.errors import Unavailable
from basejump_devstack import services
from chatting import Heard
from connection_house import Customer, Desk, Office
from identity import within
from installation import Installation
from talking import talk_of

DOZE = """
create schema bed;
create view bed.doze as select n as doze_id from generate_series(1, 2) n where n = 1 or pg_sleep(2) is not null;
"""
GATE = 4711
KEPT_WAITING = f"""
create schema bed;
create table bed.kept (doze_id integer, city text);
insert into bed.kept values (1, 'Zürich'), (2, 'Bergen');
create view bed.doze as select doze_id, city from bed.kept
    where current_query() not like '%count(%' or pg_advisory_xact_lock_shared({GATE}) is not null;
"""
"""Who counts waits until nobody holds the gate; who looks for values doesn't."""


@asynccontextmanager
async def chat_agent_process(installation: Installation) -> AsyncIterator[asyncio.subprocess.Process]:
    """chat-agent in a process of its own, which can be killed."""
    settings = services.settings("chat-agent", installation.around) | {"BASEJUMP_HEALTH_PORT": "0"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "basejump_chat_agent", env=dict(os.environ) | settings
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_worker_killed_while_its_statement_runs_is_replaced(installation: Installation, desk: Desk) -> None:
    office = await desk.office()
    customer = await sleepers(desk, office)
    final, said = await answered_after_a_kill(installation, office, customer, "How many dozes are there?")
    assert said == [MessageType.INITIAL, MessageType.THOUGHT, MessageType.STATUS, MessageType.RESPONSE]
    assert await _runs(installation, final.prompt_uuid) == 1


async def test_a_verified_statement_that_runs_again_is_taken_over_too(installation: Installation, desk: Desk) -> None:
    office = await desk.office()
    customer = await sleepers(desk, office)
    async with installation.running("chat-agent"):
        first = await (await talk_of(office)).answer("How many dozes are there?")
        assert first.result_uuid is not None
        await office.member.call(UPDATE_RESULT, UpdateResult(result_uuid=first.result_uuid, verified=True))
    async with installation.storage("chat-agent") as storage, storage.tenant(office.tenant.client_uuid) as tx:
        await tx.execute("update result set fresh_at = now() - interval '2 days'")
    final, _ = await answered_after_a_kill(installation, office, customer, "Count the number of dozes.")
    assert (final.verified, final.verified_user_role) == (True, "MEMBER")
    assert await _runs(installation, final.prompt_uuid) == 1


@pytest.mark.parametrize(
    ("questions", "content"),
    [
        (
            ("How many dozes have the city 'ZURICH'?",),
            "There is 1 doze where city is Zürich, taking “ZURICH” as “Zürich”.",
        ),
        (("How many dozes have the city 'Bergn'?", "Bergen"), "There is 1 doze where city is Bergen."),
    ],
    ids=["put right", "clarified"],
)
async def test_a_worker_killed_while_a_question_runs_the_second_time_is_replaced(
    installation: Installation, desk: Desk, questions: tuple[str, ...], content: str
) -> None:
    """With another value than the first statement looked for: the built-in planner's own, or the person's."""
    office = await desk.office()
    customer = await sleepers(desk, office, KEPT_WAITING)
    async with customer.session() as gate:
        await gate.execute(f"select pg_advisory_lock({GATE})")
        async with taken_over(installation, office, customer, *questions) as heard:
            await gate.execute(f"select pg_advisory_unlock({GATE})")
            final = await answered(office, heard)
    assert final.content == content
    assert await _runs(installation, final.prompt_uuid) == 1


async def sleepers(desk: Desk, office: Office, schema: str = DOZE) -> Customer:
    """A database that takes its time."""
    customer = await desk.customer(schema, "bed")
    await office.add(desk.fields(customer, schemas=(Schema(schema_nm="bed"),)))
    return customer


async def answered_after_a_kill(
    installation: Installation, office: Office, customer: Customer, question: str
) -> tuple[Message, list[MessageType]]:
    """The final message of another worker than the one that ran the statement, and what kinds were told."""
    async with taken_over(installation, office, customer, question) as heard:
        final = await answered(office, heard)
    return final, [message.msg_type for message in heard.messages]


@asynccontextmanager
async def taken_over(
    installation: Installation, office: Office, customer: Customer, *questions: str
) -> AsyncIterator[Heard]:
    """What the last of the questions says; the worker is killed while its statement runs, and another is there.

    Each of the others is answered before, and the next one is said to its answer.
    """
    async with chat_agent_process(installation) as doomed:
        assert await within(20, lambda: _serves(office))
        talk, parent = await talk_of(office), None
        for question in questions[:-1]:
            parent = (await talk.answer(question, parent_msg_uuid=parent)).msg_uuid
        async with talk.asking(questions[-1], parent_msg_uuid=parent) as (_, heard):
            assert await within(20, lambda: _busy(customer))
            doomed.kill()
            await doomed.wait()
            async with installation.running("chat-agent"):
                yield heard


async def answered(office: Office, heard: Heard) -> Message:
    """The final message, the only one, and as it is kept."""
    final = await heard.final(40)
    assert final.msg_type == MessageType.RESPONSE
    await asyncio.sleep(0.5)
    assert heard.finals == [final]
    assert await office.member.call(chat.GET_MESSAGE, chat.ByMessage(msg_uuid=final.msg_uuid)) == final
    return final


async def _serves(office: Office) -> bool:
    try:
        await office.member.call(chat.LIST_CHATS, chat.ListChats())
    except Unavailable:
        return False
    return True


async def _busy(customer: Customer) -> bool:
    """With a count of dozes: not with a look at their values."""
    return any("count(" in query.lower() and "doze" in query for query in await customer.busy())


async def _runs(installation: Installation, prompt_uuid: object) -> int:
    admin = await installation.database()
    try:
        counted = await admin.fetchval(
            "select sum(attempt) from connection_indexer.run where prompt_uuid = $1", prompt_uuid
        )
        return int(counted)
    finally:
        await admin.close()
