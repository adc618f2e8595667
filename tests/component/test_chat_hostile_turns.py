"""Turns that no well-behaved model takes: too long, too many, too deep, no text, no JSON. The model is told once which
bound it broke; one that goes on ends its question with an error that says so, and the next question is answered."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from basejump_common.contracts.chat import Message, MessageType
from basejump_devstack.model_server import ModelServer
from basejump_devstack.model_server.script import Call, Rule, Script, Step
from component.test_chat_language_model import Shop, model_settings, set_for_client, shop_of
from connection_house import Desk
from installation import Installation
from model_clients import PROTOCOLS

COUNT: dict[str, object] = {"sql": "select count(*) as customers from shop.customer", "reading": "number of customers"}
TOLD = "Nothing of your last turn was done"
_RAW = """
{"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
 "choices": [{"index": 0, "delta": {"role": "assistant", DELTA}, "finish_reason": "stop"}]}
"""


def call(tool: str, arguments: str | dict[str, object]) -> Step:
    return Step(calls=(Call(tool=tool, arguments=arguments),))


def calls(count: int, tool: str, field: str, text: str) -> Step:
    return Step(calls=tuple(Call(tool=tool, arguments={field: f"{text} {n}"}) for n in range(count)))


def raw(delta: str) -> Step:
    """A whole stream of OpenAI's, in one event."""
    return Step(raw=" ".join(_RAW.replace("DELTA", delta).split()))


def sql(text: str) -> Step:
    """A statement as the JSON that spells it."""
    return call("run_sql", f'{{"sql": "{text}", "reading": "r"}}')


TURNS = {
    "NUL in a statement": sql("select '\\u0000'"),
    "NUL in a reading": call("run_sql", COUNT | {"reading": "a\0b"}),
    "NUL in a chart": call("draw_chart", {"kind": "bar\0", "x": "city", "y": ["customers"]}),
    "NUL in words": Step(say="Hello \0 there"),
    "half a character in a statement": sql("select '\\udfff'"),
    "half a character in a name": call("run_sql", '{"sql": "select 1", "reading": "r", "\\ud800": 1}'),
    "a million characters of a statement": sql("select ${repeat:1000000:x}"),
    "a million words": Step(say="${repeat:1000000:1 }"),
    "a million lines": Step(say="${repeat:1000000:x\n}"),
    "an essay of figures": Step(say="${repeat:20000:one 1 }"),
    "a thousand calls": calls(1_000, "documentation", "topic", "dates"),
    "a thousand statements": calls(1_000, "run_sql", "sql", "select"),
    "deep in each other": sql('", "in": ${repeat:300:[}${repeat:300:]}, "x": "'),
    "a list of arguments": call("run_sql", "[1]"),
    "no JSON": call("run_sql", "}{"),
    "a number of five thousand digits": call("compare", '{"question_number": ${repeat:5000:9}}'),
    "an endless number": call("compare", '{"question_number": -Infinity}'),
    "a tool with a long name": call("x" * 5_000, {}),
    "a tool with an odd name": call("run_sql; drop\0", {}),
    "a tool without a name": call("", {}),
}
TURNS_OF_OPENAI = {
    "half a character in words": raw('"content": "a \\ud800 b. c"'),
    "two calls of one id": raw(
        '"tool_calls": ['
        '{"index": 0, "id": "a", "function": {"name": "documentation", "arguments": "{\\"topic\\": \\"dates\\"}"}},'
        '{"index": 1, "id": "a", "function": {"name": "documentation", "arguments": "{\\"topic\\": \\"text\\"}"}}]'
    ),
}
ODD = {
    "an unknown tool": call("drop_everything", {"sql": "x"}),
    "a number of a hundred digits": call("compare", '{"question_number": ${repeat:100:9}}'),
    "other types": call("run_sql", {"sql": {"a": ["${repeat:50000:x}"]}, "reading": 5, "final": "maybe"}),
    "arguments that nobody knows": call("documentation", {"topic": "", "team_uuid": "x", "runtime": {"state": 1}}),
    "phrases without end": call("find_values", {"phrases": ["${repeat:9000:x}", "", "%", "'"] * 9}),
    "an earlier result that is none": call("compare", {"question_number": -1}),
}
"""Within the bounds: the tool says what is wrong."""


def rules(name: str, turn: Step) -> tuple[Rule, ...]:
    """A model that mends its ways when it is told, and one that doesn't."""
    return (
        Rule(asked=TOLD, seen=f"Question: once: {name}\n", steps=(call("run_sql", COUNT),)),
        Rule(asked=TOLD, seen=f"Question: always: {name}\n", steps=(turn,)),
        Rule(asked=f"Question: (once|always): {name}$", steps=(turn, call("run_sql", COUNT))),
    )


BEHIND = Rule(
    asked="look behind the curtain",
    steps=(
        call("find_values", {"phrases": ["Bergen"]}),
        call("compare", {"question_number": 1}),
        call("run_sql", COUNT),
    ),
)
SCRIPT = Script(
    rules=(
        *(rule for name, turn in (TURNS | TURNS_OF_OPENAI | ODD).items() for rule in rules(name, turn)),
        BEHIND,
        Rule(steps=(call("run_sql", COUNT),)),
    )
)


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer(SCRIPT) as opened:
        yield opened


@pytest.fixture(scope="module", params=PROTOCOLS)
async def agent(request: pytest.FixtureRequest, installation: Installation, server: ModelServer) -> AsyncIterator[str]:
    async with installation.running("chat-agent", **model_settings(request.param, server)):
        yield request.param


@pytest.fixture(scope="module")
async def opened(desk: Desk, agent: str, server: ModelServer) -> Shop:
    return await shop_of(desk, server)


@pytest.fixture
async def shop(opened: Shop) -> Shop:
    return await opened.renewed()


def is_answered(final: Message) -> bool:
    return (final.msg_type, final.content) == (MessageType.RESPONSE, "There are 3 customers.")


@pytest.mark.parametrize("name", [*TURNS, *TURNS_OF_OPENAI])
async def test_a_turn_beyond_a_bound_is_told_to_the_model_and_then_to_the_person(
    shop: Shop, agent: str, name: str
) -> None:
    if agent != "openai" and name in TURNS_OF_OPENAI:
        return
    with shop.requests() as requests:
        assert is_answered(await shop.answer(f"once: {name}"))
    assert len(requests) == 2
    assert TOLD in requests[1]
    assert len(requests[1]) < 10_000  # nothing of the turn itself
    fresh = await shop.renewed()
    final = await fresh.answer(f"always: {name}")
    assert (final.msg_type, final.code) == (MessageType.ERROR, "out_of_bounds")
    assert is_answered(await fresh.answer("How many customers are there?"))


@pytest.mark.parametrize("name", ODD)
async def test_odd_arguments_are_answered_by_the_tool_in_a_few_words(shop: Shop, name: str) -> None:
    with shop.requests() as requests:
        assert is_answered(await shop.answer(f"once: {name}"))
    assert len(requests) == 2
    assert TOLD not in requests[1]


async def test_others_are_answered_while_a_model_never_ends(shop: Shop) -> None:
    """The work on what is too long takes no others' time: nothing waits for it."""
    other = await shop.renewed()
    endless = asyncio.create_task(shop.answer("always: a million lines"))
    async with asyncio.timeout(5):
        assert is_answered(await other.answer("How many customers are there?"))
    assert (await endless).code == "out_of_bounds"


async def test_a_tool_that_is_not_offered_is_not_carried_out(desk: Desk, agent: str, server: ModelServer) -> None:
    shop = await shop_of(desk, server)
    await set_for_client(shop, send_preview_to_llm=False)
    await shop.answer("How many customers are there?")
    with shop.requests() as requests:
        await shop.answer("look behind the curtain")
    assert len(requests) == 3
    assert requests[-1].count("There is no such tool.") == 2
    assert not [body for body in requests if "shop.customer.city" in body or "stored value" in body]
