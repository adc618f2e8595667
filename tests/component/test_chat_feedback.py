"""What people think of answers: kept with the message, told as an event without the reason, remembered in the chat."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import msgspec
import pytest

from basejump_chat_agent.adapters import chat_rows, prompt_rows
from basejump_common.bus import Bus
from basejump_common.contracts import chat
from basejump_common.contracts.chat import Ask, ByMessage, Chat, CreateChat, JudgeMessage, Message
from basejump_common.errors import Conflict, NotFound
from basejump_common.security.principal import Role
from basejump_common.security.tokens import Signer
from basejump_common.storage.database import Database
from chatting import Person, asking, person
from installation import Installation

QUESTION = "How many employees are there?"


@pytest.fixture(scope="module")
async def gateway(installation: Installation, signer: Signer) -> AsyncIterator[Bus]:
    """Every service but chat-agent is away: a question is open for two seconds, then ends with an error."""
    async with installation.running("chat-agent", patience_seconds="2"), installation.bus("gateway") as bus:
        yield bus


@pytest.fixture(scope="module")
async def database(installation: Installation) -> AsyncIterator[Database]:
    async with installation.storage("chat-agent") as opened:
        yield opened


@pytest.fixture(scope="module")
def member(signer: Signer) -> Person:
    return person(signer)


@pytest.fixture(scope="module")
async def kept(database: Database, member: Person) -> Chat:
    async with database.tenant(member.client_uuid) as tx:
        request = CreateChat(team_uuid=uuid4())
        return await chat_rows.insert(tx, member.client_uuid, member.user_uuid, uuid4(), request)


@pytest.fixture(scope="module")
async def final(gateway: Bus, member: Person, kept: Chat) -> Message:
    """The end of a question; before it has one, nobody can judge it."""
    async with asking(gateway, member, Ask(chat_uuid=kept.chat_uuid, prompt=QUESTION)) as (initial, heard):
        early = JudgeMessage(parent_msg_uuid=initial.msg_uuid, thumbs_up=True)
        with pytest.raises(Conflict, match="not answered yet"):
            await gateway.call(chat.JUDGE_MESSAGE, early, member.context)
        return await heard.final()


async def test_a_judgement_is_in_the_message_until_it_is_taken_back(
    gateway: Bus, member: Person, final: Message
) -> None:
    for thumbs_up in (True, False, None):
        judge = JudgeMessage(parent_msg_uuid=final.msg_uuid, thumbs_up=thumbs_up)
        judged = await gateway.call(chat.JUDGE_MESSAGE, judge, member.context)
        assert judged == msgspec.structs.replace(final, thumbs_up=thumbs_up)
        assert await gateway.call(chat.GET_MESSAGE, ByMessage(msg_uuid=final.msg_uuid), member.context) == judged


async def test_a_judgement_is_told_as_an_event_without_its_reason(
    gateway: Bus, database: Database, member: Person, final: Message
) -> None:
    judge = JudgeMessage(parent_msg_uuid=final.msg_uuid, thumbs_up=False, reason="Ann has left")
    await gateway.call(chat.JUDGE_MESSAGE, judge, member.context)
    subject = chat.MESSAGE_JUDGED.subject(member.client_uuid)
    async with database.platform() as tx:
        payload = await tx.fetchval("select payload from outbox where subject = $1 order by position desc", subject)
    event = json.loads(payload)
    assert event["data"] == {
        "chat_uuid": str(final.chat_uuid),
        "prompt_uuid": str(final.prompt_uuid),
        "msg_uuid": str(final.msg_uuid),
        "user_uuid": str(member.user_uuid),
        "thumbs_up": False,
    }


async def test_the_next_question_of_the_chat_knows_what_was_thought_and_why(
    gateway: Bus, database: Database, member: Person, final: Message
) -> None:
    judge = JudgeMessage(parent_msg_uuid=final.msg_uuid, thumbs_up=False, reason="Ann has left")
    await gateway.call(chat.JUDGE_MESSAGE, judge, member.context)
    async with database.tenant(member.client_uuid) as tx:
        prompt = await prompt_rows.answered(tx, final.msg_uuid, member.user_uuid)
        assert prompt is not None
        following = msgspec.structs.replace(prompt, asked_at=datetime.now(UTC))
        turns = await prompt_rows.earlier(tx, following)
    assert (turns[-1].thumbs_up, turns[-1].thumbs_reason) == (False, "Ann has left")


async def test_only_who_may_read_an_answer_may_judge_it(
    gateway: Bus, signer: Signer, member: Person, final: Message
) -> None:
    up = JudgeMessage(parent_msg_uuid=final.msg_uuid, thumbs_up=True)
    for other in (person(signer, client_uuid=member.client_uuid), person(signer, Role.OWNER)):
        with pytest.raises(NotFound):
            await gateway.call(chat.JUDGE_MESSAGE, up, other.context)
    admin = person(signer, Role.ADMIN, client_uuid=member.client_uuid)
    assert (await gateway.call(chat.JUDGE_MESSAGE, up, admin.context)).thumbs_up is True
