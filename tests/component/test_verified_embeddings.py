"""Verified questions in other words: found by what an embeddings model says of them, served for the same statement."""

from collections.abc import AsyncIterator

import pytest

from basejump_common.contracts.chat import Ask, Message, MessageType
from basejump_common.security.principal import UserRole
from basejump_common.storage.erasure import erase_rows
from basejump_devstack.model_server import ModelServer
from chatting import asking, member_of
from clientele import CLIENTELE, IN_2019, SCRIPT, STOCK, WHOLE, WITHOUT, embedded, model_settings
from connection_house import Desk
from identity import within
from installation import Installation
from model_clients import script
from verified_house import HOW_MANY, House, count_of, desk_of, house_of


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer(script(SCRIPT)) as opened:
        yield opened


@pytest.fixture(scope="module")
async def desk(
    installation: Installation, server: ModelServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    settings = model_settings(server.openai_url, embeddings="openai:scripted", embeddings_seconds="30")
    async with desk_of(installation, tmp_path_factory.mktemp("desk"), **settings) as opened:
        yield opened


@pytest.fixture
async def house(desk: Desk, installation: Installation) -> House:
    return await house_of(desk, installation)


async def found_by_vectors(house: House, question: str) -> Message:
    """Asked until the model's library is imported: until then questions are told by their words."""
    answers: list[Message] = []

    async def verified() -> bool:
        answers.append(await house.ask(question))
        return answers[-1].verified

    assert await within(60, verified)
    return answers[-1]


async def test_a_question_that_shares_no_words_gets_the_verified_answer(house: House, server: ModelServer) -> None:
    first = await house.verified(HOW_MANY)
    again = await found_by_vectors(house, CLIENTELE)
    assert (again.verified, again.verified_user_role, count_of(again)) == (True, "MEMBER", "5")
    assert (again.sql_query, again.verified_user_uuid) == (first.sql_query, house.office.member.user_uuid)
    assert "4711" not in again.content, "said of the rows, not by the model"
    await house.verify(first, verified=False)
    assert not await house.is_verified(again), "it came from the verified answer and falls with it"


async def test_what_is_near_and_means_something_else_is_not_served(house: House) -> None:
    await house.verified(HOW_MANY)
    await found_by_vectors(house, CLIENTELE)
    for question in (STOCK, IN_2019, WITHOUT):
        final = await house.ask(question)
        assert final.msg_type is MessageType.RESPONSE
        assert not final.verified, question


async def test_a_member_of_a_strict_client_hears_nothing_but_the_verified_answer(
    house: House, server: ModelServer
) -> None:
    admin = await house.person(UserRole.ADMIN)
    await house.become_strict()
    await house.verified(HOW_MANY, admin)
    await found_by_vectors(house, CLIENTELE)
    for question, code in ((CLIENTELE, None), (STOCK, "not_verified")):
        talk = await house.talk()
        ask = Ask(chat_uuid=talk.chat.chat_uuid, prompt=question, return_sql_in_thoughts=True)
        member = house.office.member
        async with asking(member.bus, member_of(house.office.tenant, member), ask) as (_, heard):
            final = await heard.final(60)
        assert (final.code, final.verified) == (code, code is None)
        assert not [one for one in heard.messages if one.msg_type is MessageType.THOUGHT], "nothing is thought aloud"


async def test_vectors_are_kept_once_for_the_client_and_go_with_it(
    house: House, server: ModelServer, installation: Installation
) -> None:
    before = server.log.total
    await house.ask(HOW_MANY)
    assert not embedded(server, before), "where nothing is verified nothing goes to the provider"
    first = await house.verified(HOW_MANY)
    await found_by_vectors(house, CLIENTELE)
    assert embedded(server, before)[-1] == [CLIENTELE, HOW_MANY]
    since = server.log.total
    assert (await house.ask(WHOLE)).verified
    assert embedded(server, since) == [[WHOLE, CLIENTELE]], "the vector of the other one is known"
    async with installation.storage("chat-agent") as storage:
        stranger = (await house.desk.office()).tenant.client_uuid
        for client_uuid, count in ((house.office.tenant.client_uuid, 1), (stranger, 0)):
            async with storage.tenant(client_uuid) as tx:
                rows = await tx.fetch(
                    "select result_uuid, model from question_vector where result_uuid = $1", first.result_uuid
                )
                assert [(row["result_uuid"], row["model"]) for row in rows] == [
                    (first.result_uuid, "openai:scripted")
                ] * count
        async with storage.tenant(house.office.tenant.client_uuid) as tx:
            await erase_rows(tx, house.office.tenant.client_uuid)
            assert await tx.fetchval("select count(*) from question_vector") == 0


async def test_another_model_makes_the_vectors_anew(
    house: House, server: ModelServer, installation: Installation
) -> None:
    first = await house.verified(HOW_MANY)
    async with (
        installation.storage("chat-agent") as storage,
        storage.tenant(house.office.tenant.client_uuid) as tx,
    ):
        await tx.execute(
            "insert into question_vector (result_uuid, client_uuid, model, vector) values ($1, $2, 'openai:old', $3)",
            first.result_uuid,
            house.office.tenant.client_uuid,
            b"\0" * 16,
        )
    await found_by_vectors(house, CLIENTELE)
    async with (
        installation.storage("chat-agent") as storage,
        storage.tenant(house.office.tenant.client_uuid) as tx,
    ):
        row = (
            await tx.fetch(
                "select model, length(vector) as bytes from question_vector where result_uuid = $1", first.result_uuid
            )
        )[0]
    assert (row["model"], row["bytes"]) == ("openai:scripted", 4 * 1536)
