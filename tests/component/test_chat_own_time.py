"""What the agent adds around a language model, in the processor's time, which other programs hardly change.

`make bench` measures it as a person sees it, with the gateway; here the services, the model server and who asks share
one process, so that its time is that of them all. Five times what is promised is still good: machines differ.
"""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from basejump_common.contracts.chat import Message, MessageType
from basejump_common.contracts.connection import Schema
from basejump_devstack.model_server import ModelServer
from connection_house import Desk, connected
from installation import Installation
from model_clients import script
from talking import Talk, talk_of

SLACK = 5.0
OWN_SECONDS = 0.025
QUESTIONS = 20
AT_ONCE = 64
TOKENS = 1_500
SCRIPT = """
[[rule]]
asked = "question: how many customers"
[[rule.step]]
delay = {delay}
[[rule.step.call]]
tool = "run_sql"
arguments = {{ reading = "number of customers", sql = "select count(*) as customers from shop.customer" }}
"""


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer(script(SCRIPT.format(delay=0))) as opened:
        yield opened


@pytest.fixture(scope="module")
async def talk(
    installation: Installation, server: ModelServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Talk]:
    """A person who has asked before: what is made once is made."""
    folder = tmp_path_factory.mktemp("own-time")
    model = {"llm": "openai:scripted", "openai_base_url": server.openai_url, "openai_api_key": "any"}
    async with (
        connected(installation, folder / "tls", results_url=(folder / "results").as_uri()) as desk,
        installation.running("chat-agent", **model),
    ):
        opened = await _talk(desk)
        for _ in range(3):
            await _answer(opened)
        yield opened


async def _talk(desk: Desk) -> Talk:
    office = await desk.office()
    customer = await desk.customer()
    await office.add(desk.fields(customer, database_name_alias="shop", schemas=(Schema(schema_nm="shop"),)))
    return await talk_of(office)


async def _answer(talk: Talk) -> Message:
    """To a question in a chat of its own, the only final message of it."""
    fresh = await talk_of(talk.office)
    async with fresh.asking("How many customers are there?") as (_, heard):
        final = await heard.final()
    assert heard.finals == [final]
    assert (final.msg_type, final.content) == (MessageType.RESPONSE, "There are 3 customers.")
    return final


async def test_a_question_takes_little_of_the_processor_and_few_tokens(talk: Talk) -> None:
    before = time.process_time()
    finals = [await _answer(talk) for _ in range(QUESTIONS)]
    assert (time.process_time() - before) / QUESTIONS < OWN_SECONDS * SLACK
    for usage in (final.usage for final in finals):
        assert usage is not None
        assert usage.model_calls == 1
        assert 0 < (usage.input_tokens or 0) <= TOKENS


async def test_many_questions_at_once_are_all_answered_and_none_costs_more_for_it(
    talk: Talk, server: ModelServer
) -> None:
    server.script = script(SCRIPT.format(delay=2))
    before = time.process_time()
    await asyncio.gather(*(_answer(talk) for _ in range(AT_ONCE)))
    assert (time.process_time() - before) / AT_ONCE < OWN_SECONDS * SLACK
