"""A worker that is killed in the middle: another one goes on, and its person gets one answer."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from basejump_common.contracts import chat
from basejump_common.contracts.chat import Ask, CreateChat, Message, MessageType
from basejump_common.contracts.connection import Schema
from basejump_common.contracts.result import UPDATE_RESULT, UpdateResult
from basejump_common.errors import Unavailable
from basejump_devstack import services
from chatting import asking, member_of
from connection_house import Customer, Desk, Office
from identity import within
from installation import Installation
from talking import talk_of

DOZE = """
create schema bed;
create view bed.doze as select n as doze_id from generate_series(1, 2) n where n = 1 or pg_sleep(2) is not null;
"""


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


async def sleepers(desk: Desk, office: Office) -> Customer:
    """A database that takes its time."""
    customer = await desk.customer(DOZE, "bed")
    await office.add(desk.fields(customer, schemas=(Schema(schema_nm="bed"),)))
    return customer


async def answered_after_a_kill(
    installation: Installation, office: Office, customer: Customer, question: str
) -> tuple[Message, list[MessageType]]:
    """The final message of another worker than the one that ran the statement, and what kinds were told."""
    person = member_of(office.tenant, office.member)
    async with chat_agent_process(installation) as doomed:
        assert await within(20, lambda: _serves(office))
        opened = await office.member.call(chat.CREATE_CHAT, CreateChat(team_uuid=office.team_uuid))
        ask = Ask(chat_uuid=opened.chat_uuid, prompt=question)
        async with asking(office.member.bus, person, ask) as (initial, heard):
            assert await within(5, lambda: _busy(customer))
            doomed.kill()
            await doomed.wait()
            async with installation.running("chat-agent"):
                final = await heard.final(25)
                assert final.msg_type == MessageType.RESPONSE
                await asyncio.sleep(0.5)
                assert heard.finals == [final]
                stored = await office.member.call(chat.GET_MESSAGE, chat.ByMessage(msg_uuid=initial.msg_uuid))
                assert stored == final
    return final, [message.msg_type for message in heard.messages]


async def _serves(office: Office) -> bool:
    try:
        await office.member.call(chat.LIST_CHATS, chat.ListChats())
    except Unavailable:
        return False
    return True


async def _busy(customer: Customer) -> bool:
    return any("doze" in query for query in await customer.busy())


async def _runs(installation: Installation, prompt_uuid: object) -> int:
    admin = await installation.database()
    try:
        counted = await admin.fetchval(
            "select sum(attempt) from connection_indexer.run where prompt_uuid = $1", prompt_uuid
        )
        return int(counted)
    finally:
        await admin.close()
