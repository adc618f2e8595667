"""Both protocols' clients, made as the agent makes them, get a turn in few pieces and hang up on one without end."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.tools import tool

from basejump_chat_agent.adapters.importing import alone
from basejump_chat_agent.adapters.language_model.bounds import Ears, OutOfBounds
from basejump_chat_agent.adapters.language_model.models import Models
from basejump_chat_agent.settings import ModelSettings
from basejump_common.security.secret import Secret
from basejump_devstack.model_server import ModelServer
from basejump_devstack.model_server.script import Call, Rule, Script, Step
from model_clients import PROTOCOLS

pytestmark = pytest.mark.parametrize("protocol", PROTOCOLS)
SQL = "select " + ", ".join(f"c{number}" for number in range(200))
SCRIPT = Script(
    rules=(
        Rule(asked="run", steps=(Step(say="I look.", calls=(Call(tool="run_sql", arguments={"sql": SQL}),)),)),
        Rule(asked="words", steps=(Step(say="${repeat:1000000:word }"),)),
        Rule(asked="sql", steps=(Step(calls=(Call(tool="run_sql", arguments={"sql": "${repeat:1000000:x }"}),)),)),
    )
)


@tool
def run_sql(sql: str) -> str:
    """Run it."""
    return sql


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer(SCRIPT) as opened:
        yield opened


def models(server: ModelServer) -> Models:
    return Models(
        ModelSettings(
            nats_url="nats://nowhere",
            nats_user="chat-agent",
            nats_password=Secret("any"),
            database_dsn=Secret("postgresql://nowhere"),
            master_keys=Secret("any"),
            openai_base_url=server.openai_url,
            openai_api_key=Secret("any"),
            anthropic_base_url=server.anthropic_url,
            anthropic_api_key=Secret("any"),
        )
    )


async def test_a_statement_of_hundreds_of_pieces_comes_in_few(server: ModelServer, protocol: str) -> None:
    model = (await models(server).get(f"{protocol}:scripted")).bind_tools([run_sql])
    pieces = [piece async for piece in model.astream("run") if isinstance(piece, AIMessageChunk)]
    whole = add_ai_message_chunks(*pieces)
    assert whole.text == "I look."
    assert [call["args"] for call in whole.tool_calls] == [{"sql": SQL}]
    arguments = [call for piece in pieces for call in piece.tool_call_chunks if call["args"]]
    assert len(arguments) == 1, "they came in hundreds"


@pytest.mark.parametrize("what", ["words", "sql"])
async def test_a_turn_without_end_is_hung_up_on(server: ModelServer, protocol: str, what: str) -> None:
    model = (await models(server).get(f"{protocol}:scripted")).bind_tools([run_sql])
    with pytest.raises(OutOfBounds):
        await model.ainvoke(what, {"callbacks": [Ears()]}, stream=True)
    assert server.log.requests[-1].outcome in ("answering", "hung_up")


async def test_a_library_that_is_being_imported_holds_nobody_up(server: ModelServer, protocol: str) -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def long() -> bool:
        begun.set()
        return goes_on.wait(30)

    importing = asyncio.create_task(asyncio.to_thread(alone, long))
    await asyncio.to_thread(begun.wait, 30)
    made = asyncio.create_task(models(server).get(f"{protocol}:scripted"))
    await asyncio.sleep(0.1)
    waited = not made.done()  # a loop that was held up comes back here when all is over
    goes_on.set()
    assert await importing
    assert await made
    assert waited
