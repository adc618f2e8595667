"""The scripted model server, as the real langchain clients of both protocols see it."""

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import anthropic
import httpx
import openai
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import OpenAIEmbeddings
from pydantic import SecretStr

from basejump_devstack.model_server import ModelServer, Script
from identity import within
from model_clients import PROTOCOLS, client, script

pytestmark = pytest.mark.parametrize("protocol", PROTOCOLS)

COUNT = """
[[rule]]
asked = "how many (?P<what>\\\\w+)"
[[rule.step]]
say = "I'll look."
call = [{ tool = "run_sql", arguments = { sql = "select count(*) from ${asked.what}" } }]
[[rule.step]]
say = "There are ${result.rows.0.0} ${asked.what}, which the tool ${find:says (\\\\w+)}."
"""


@tool
def run_sql(sql: str) -> str:
    """Run a statement."""
    return sql


@pytest.fixture(scope="module")
async def served() -> AsyncIterator[ModelServer]:
    async with ModelServer() as opened:
        yield opened


@pytest.fixture
def server(served: ModelServer) -> ModelServer:
    served.log.clear()
    served.script = Script()
    return served


async def heard(model: Any, messages: list[BaseMessage]) -> AIMessageChunk:
    """The chunks of a stream, put together."""
    whole: AIMessageChunk | None = None
    async for chunk in model.astream(messages):
        whole = chunk if whole is None else whole + chunk
    assert whole is not None
    return whole


async def both_ways(model: Any, messages: list[BaseMessage]) -> list[AIMessage]:
    """The answer in one body, and as a stream."""
    return [await model.ainvoke(messages), await heard(model, messages)]


async def test_words_come_whole_and_as_a_stream_with_their_usage(server: ModelServer, protocol: str) -> None:
    server.script = script("[[rule]]\n[[rule.step]]\nsay = 'Good morning, how can I help you today?'")
    for said in await both_ways(client(protocol, server), [SystemMessage("Be kind."), HumanMessage("Hi")]):
        assert said.text == "Good morning, how can I help you today?"
        assert said.usage_metadata is not None
        assert said.usage_metadata["input_tokens"] == server.log.requests[-1].input_tokens > 5
        assert said.usage_metadata["output_tokens"] == server.log.requests[-1].output_tokens > 8
        assert said.response_metadata["model_name"] == "scripted"
    assert [served.text for served in server.log.requests] == ["Be kind.\nHi"] * 2


async def test_a_stream_comes_token_by_token(server: ModelServer, protocol: str) -> None:
    server.script = script("[[rule]]\n[[rule.step]]\nsay = 'one two three four'\ntoken_delay = 0.03")
    now = asyncio.get_running_loop().time
    moments = [(now(), chunk.text) async for chunk in client(protocol, server).astream("Count") if chunk.text]
    assert [text for _, text in moments] == ["one", " two", " three", " four"]
    assert moments[-1][0] - moments[0][0] >= 0.08


async def test_a_tool_is_called_and_its_result_used(server: ModelServer, protocol: str) -> None:
    server.script = script(COUNT)
    model = client(protocol, server).bind_tools([run_sql])
    question = HumanMessage("How many lions are there?")
    for called in await both_ways(model, [question]):
        (call,) = called.tool_calls
        assert (called.text, call["name"]) == ("I'll look.", "run_sql")
        assert call["args"] == {"sql": "select count(*) from lions"}
        result = ToolMessage('{"rows": [[7]], "note": "says proudly"}', tool_call_id=call["id"])
        for said in await both_ways(model, [question, called, result]):
            assert said.text == "There are 7 lions, which the tool proudly."
    assert server.log.requests[-1].tools == ("run_sql",)


async def test_tools_are_called_in_parallel(server: ModelServer, protocol: str) -> None:
    server.script = script("""
        [[rule]]
        [[rule.step]]
        call = [{ tool = "a", arguments = { n = 1 } }, { tool = "b", arguments = { deep = { list = ["${asked}"] } } }]
        """)
    for said in await both_ways(client(protocol, server).bind_tools([run_sql]), [HumanMessage("Go")]):
        assert [(call["name"], call["args"]) for call in said.tool_calls] == [
            ("a", {"n": 1}),
            ("b", {"deep": {"list": ["Go"]}}),
        ]
        assert len({call["id"] for call in said.tool_calls}) == 2


async def test_rate_limits_and_failures_pass_and_the_client_tries_again(server: ModelServer, protocol: str) -> None:
    server.script = script("""
        [[rule]]
        [[rule.step]]
        fail = { status = 429, times = 2, retry_after = 0.05 }
        say = "At last"
        """)
    for _ in range(2):
        assert (await client(protocol, server, max_retries=2).ainvoke("Hi")).text == "At last"
    assert [served.status for served in server.log.requests] == [429, 429, 200] * 2


@pytest.mark.parametrize(
    ("status", "of_openai", "of_anthropic"),
    [
        (400, openai.BadRequestError, anthropic.BadRequestError),
        (401, openai.AuthenticationError, anthropic.AuthenticationError),
        (429, openai.RateLimitError, anthropic.RateLimitError),
        (503, openai.InternalServerError, anthropic.InternalServerError),
        (529, openai.InternalServerError, anthropic.InternalServerError),
    ],
)
async def test_a_failure_is_in_the_shape_of_its_provider(
    server: ModelServer, protocol: str, status: int, of_openai: type[Exception], of_anthropic: type[Exception]
) -> None:
    server.script = script(f"[[rule]]\n[[rule.step]]\nfail = {{ status = {status}, message = 'not today' }}")
    expected = of_openai if protocol == "openai" else of_anthropic
    for asking in (client(protocol, server).ainvoke("Hi"), heard(client(protocol, server), [HumanMessage("Hi")])):
        with pytest.raises(expected, match="not today") as raised:
            await asking
        assert isinstance(raised.value, openai.APIStatusError | anthropic.APIStatusError)
        assert isinstance(raised.value.body, dict)
        assert "not today" in str(raised.value.body)


async def test_who_hangs_up_while_the_model_hangs_is_noticed(server: ModelServer, protocol: str) -> None:
    server.script = script("""
        [[rule]]
        asked = "silence"
        [[rule.step]]
        ending = { how = "hang" }
        [[rule]]
        [[rule.step]]
        say = "one two three four"
        ending = { how = "hang", after = 2 }
        """)
    model = client(protocol, server)
    for question in ("silence", "two words"):
        asking = asyncio.create_task(heard(model, [HumanMessage(question)]))
        assert await within(2, partial(is_last, server, question, "answering"))
        await asyncio.sleep(0.05)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await within(1, partial(is_last, server, question, "hung_up"))


async def is_last(server: ModelServer, asked: str, outcome: str) -> bool:
    newest = list(server.log.requests)[-1:]
    return [(served.asked, served.outcome) for served in newest] == [(asked, outcome)]


async def test_arguments_may_be_no_json(server: ModelServer, protocol: str) -> None:
    server.script = script("""
        [[rule]]
        [[rule.step]]
        call = [{ tool = "run_sql", arguments = 'SELECT "sql' }]
        """)
    said = await heard(client(protocol, server).bind_tools([run_sql]), [HumanMessage("Go")])
    assert said.tool_calls == []
    assert [call["args"] for call in said.invalid_tool_calls] == ['SELECT "sql']


async def test_a_body_may_be_no_json(server: ModelServer, protocol: str) -> None:
    server.script = script("[[rule]]\n[[rule.step]]\nraw = '<html>Bad gateway</html>'")
    model: BaseChatModel = client(protocol, server)
    for asking in (model.ainvoke("Hi"), heard(model, [HumanMessage("Hi")])):
        with pytest.raises(Exception):  # noqa: B017 (each client has its own for this)
            await asking


@pytest.mark.parametrize("after", ["", ", after = 0", ", after = 2", ", after = 3"])
async def test_a_connection_that_is_cut_is_an_error(server: ModelServer, protocol: str, after: str) -> None:
    server.script = script(f"[[rule]]\n[[rule.step]]\nsay = 'one two three'\nending = {{ how = 'cut'{after} }}")
    for asking in (client(protocol, server).ainvoke("Hi"), heard(client(protocol, server), [HumanMessage("Hi")])):
        with pytest.raises(Exception, match=r"(?i)connection|closed|disconnected|read"):
            await asking
    assert await within(1, partial(is_last, server, "Hi", "broken_off"))


async def test_a_stream_may_end_before_the_answer_does(server: ModelServer, protocol: str) -> None:
    server.script = script("[[rule]]\n[[rule.step]]\nsay = 'one two three'\nending = { how = 'end', after = 2 }")
    said = await heard(client(protocol, server), [HumanMessage("Hi")])
    assert said.text == "one two"
    assert said.usage_metadata is None or said.usage_metadata["output_tokens"] < 2


async def test_a_stream_may_turn_into_an_error(server: ModelServer, protocol: str) -> None:
    server.script = script("[[rule]]\n[[rule.step]]\nsay = 'one two three'\nending = { how = 'error', after = 2 }")
    with pytest.raises((openai.APIError, anthropic.APIError), match=r"(?i)error|overloaded"):
        await heard(client(protocol, server), [HumanMessage("Hi")])


async def test_the_model_may_refuse_or_run_out_of_tokens(server: ModelServer, protocol: str) -> None:
    server.script = script("""
        [[rule]]
        asked = "bomb"
        [[rule.step]]
        refuse = "I can't help with that."
        [[rule]]
        [[rule.step]]
        say = "And then"
        finish = "length"
        usage = { input = 1000000, output = 9 }
        """)
    model = client(protocol, server)
    refused, cut = await model.ainvoke("A bomb"), await model.ainvoke("A long story")
    if protocol == "openai":
        assert refused.additional_kwargs["refusal"] == "I can't help with that."
        assert cut.response_metadata["finish_reason"] == "length"
    else:
        assert refused.response_metadata["stop_reason"] == "refusal"
        assert cut.response_metadata["stop_reason"] == "max_tokens"
    assert cut.usage_metadata is not None
    assert (cut.usage_metadata["input_tokens"], cut.usage_metadata["output_tokens"]) == (1_000_000, 9)


async def test_the_last_step_is_repeated_and_rules_react_to_results(server: ModelServer, protocol: str) -> None:
    server.script = script("""
        [[rule]]
        result = "no column (\\\\w+)"
        [[rule.step]]
        call = [{ tool = "run_sql", arguments = { sql = "select other -- not ${find:no column (\\\\w+)}" } }]
        [[rule]]
        [[rule.step]]
        call = [{ tool = "run_sql", arguments = { sql = "select wage" } }]
        """)
    model = client(protocol, server).bind_tools([run_sql])
    talk: list[BaseMessage] = [HumanMessage("What do we pay?")]
    for answer, expected in [("", "select wage"), ("there is no column wage", "other -- not wage"), ("7", "wage")]:
        if answer:
            talk.append(ToolMessage(answer, tool_call_id=talk[-1].tool_calls[0]["id"]))  # type: ignore[attr-defined]
        talk.append(said := await model.ainvoke(talk))
        assert said.tool_calls[0]["args"]["sql"].endswith(expected)


async def test_each_question_gets_the_next_item_or_the_one_it_names(server: ModelServer, protocol: str) -> None:
    server.script = script("""
        [[rule]]
        asked = "attack (?P<item>\\\\d+)"
        items = ["zero", "one"]
        [[rule.step]]
        say = "${item}"
        [[rule]]
        items = ["drop", "delete"]
        [[rule.step]]
        say = "${item}"
        """)
    model = client(protocol, server)
    said = [(await model.ainvoke(asked)).text for asked in ("a", "b", "a", "c", "attack 1")]
    assert said == ["drop", "delete", "drop", "drop", "one"]


async def test_arguments_may_be_absurd(server: ModelServer, protocol: str) -> None:
    server.script = script("""
        [[rule]]
        [[rule.step]]
        call = [{ tool = "run_sql", arguments = { sql = "\\u0000${repeat:3000000:x}" } }]
        """)
    said = await client(protocol, server).bind_tools([run_sql]).ainvoke("Go")
    assert said.tool_calls[0]["args"]["sql"] == "\0" + 3_000_000 * "x"


@pytest.mark.parametrize("missing", ["${result}", "${asked.nobody}", "${find:x}", "${item}", "${repeat:9999999999:x}"])
async def test_what_a_script_cannot_say_is_said(server: ModelServer, protocol: str, missing: str) -> None:
    with pytest.raises((openai.BadRequestError, anthropic.BadRequestError), match="no rule fits"):
        await client(protocol, server).ainvoke("Hi")
    server.script = script(f"[[rule]]\n[[rule.step]]\nsay = '{missing}'")
    with pytest.raises((openai.BadRequestError, anthropic.BadRequestError), match="ScriptError"):
        await client(protocol, server).ainvoke("Hi")


async def test_calls_without_results_are_refused_as_providers_do(server: ModelServer, protocol: str) -> None:
    server.script = script("[[rule]]\n[[rule.step]]\nsay = 'never'")
    called = AIMessage("", tool_calls=[{"name": "a", "args": {}, "id": "call_1"}])
    result, asked = ToolMessage("2", tool_call_id="call_2"), HumanMessage("Hi")
    wrong: list[list[BaseMessage]] = [[asked, called, asked], [asked, called, result], [asked, result], [asked, called]]
    for messages in wrong:
        with pytest.raises((openai.BadRequestError, anthropic.BadRequestError), match="BadRequest"):
            await client(protocol, server).ainvoke(messages)


async def test_requests_are_bounded_and_need_a_key(server: ModelServer, protocol: str) -> None:
    path = "/v1/chat/completions" if protocol == "openai" else "/v1/messages"
    headers = {"anthropic-version": "2023-06-01"} if protocol == "anthropic" else {}
    async with httpx.AsyncClient(base_url=server.anthropic_url, headers=headers) as plain:
        body = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]}
        assert (await plain.post(path, json=body)).status_code == 401
        assert (await plain.post(path, content=b"x" * 33_000_000)).status_code == 413
        assert (await plain.post(path, content=b"[" * 100_000, headers={"x-api-key": "k"})).status_code in (400, 401)
        assert (await plain.get("/v1/nothing")).json()["error"]["message"]
        assert (await plain.get("/v1/models")).json()["data"][0]["id"] == "scripted"


async def test_requests_are_kept_for_who_wants_to_look(server: ModelServer, protocol: str) -> None:
    server.script = script("[[rule]]\nname = 'greeting'\n[[rule.step]]\nsay = 'Good day'")
    await client(protocol, server).ainvoke("Hi")
    async with httpx.AsyncClient(base_url=server.anthropic_url) as plain:
        (served,) = (await plain.get("/control/requests")).json()
        assert (served["protocol"], served["rule"], served["outcome"]) == (protocol, "greeting", "answered")
        assert json.loads(served["body"])["model"] == "scripted"
        await plain.delete("/control/requests")
        assert (await plain.get("/control/requests")).json() == []


async def test_texts_with_the_same_words_have_embeddings_near_each_other(server: ModelServer, protocol: str) -> None:
    model = OpenAIEmbeddings(
        base_url=server.openai_url, api_key=SecretStr("any"), model="scripted", check_embedding_ctx_length=False
    )
    one, again, other = await model.aembed_documents(["salary of employees", "Employees: salary!", "lions and bears"])
    assert len(one) == 1536
    assert closeness(one, again) > 0.7 > 0.3 > closeness(one, other)
    assert await model.aembed_query("salary of employees") == one


async def test_texts_that_a_script_calls_alike_have_one_embedding(server: ModelServer, protocol: str) -> None:
    server.script = script('alike = [["salary of employees", "what people earn"]]')
    model = OpenAIEmbeddings(
        base_url=server.openai_url, api_key=SecretStr("any"), model="scripted", check_embedding_ctx_length=False
    )
    one, alike, other = await model.aembed_documents(["salary of employees", "what people earn", "what lions earn"])
    assert one == alike != other


def closeness(one: list[float], other: list[float]) -> float:
    return sum(x * y for x, y in zip(one, other, strict=True))
