"""What one turn of a model may hold: at each bound it stands, one step beyond the model is told which it was."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import invalid_tool_call, tool_call, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

from answering_tools import InHand
from basejump_chat_agent.adapters.language_model.bounds import (
    DEEPEST,
    LONGEST_TURN,
    LONGEST_WORDS,
    MOST_CALLS,
    Ears,
    OutOfBounds,
    as_text,
    check,
)
from basejump_chat_agent.adapters.language_model.thoughts import Thoughts
from basejump_chat_agent.adapters.language_model.work import AtWork
from basejump_chat_agent.domain.answerer import Asked
from basejump_chat_agent.domain.rules import Rules


def turn(*arguments: dict[str, Any], words: str = "", name: str = "run_sql") -> AIMessage:
    calls = [tool_call(name=name, args=given, id=f"call_{place}") for place, given in enumerate(arguments)]
    return AIMessage(content=words, tool_calls=calls)


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"at": "the bottom"}
    for _ in range(levels - 1):
        value = {"in": value}
    return value


def same_ids() -> AIMessage:
    return AIMessage(content="", tool_calls=[tool_call(name="compare", args={"n": n}, id="one") for n in range(2)])


def not_json() -> AIMessage:
    calls = [invalid_tool_call(name="run_sql", args="[1", id="one", error=None)]
    return AIMessage(content="", invalid_tool_calls=calls)


@pytest.mark.parametrize(
    "within",
    [
        turn({"sql": "select 1"}, words="I look."),
        turn({"sql": "x" * (LONGEST_TURN - len("sql"))}),
        turn(*({"n": n} for n in range(MOST_CALLS))),
        turn(nested(DEEPEST)),
        turn(words="w" * LONGEST_WORDS),
        turn({"sql": "select 1"}, words="w" * (LONGEST_WORDS + 1)),
        turn({"text": "ünï — 𝒰 \t\n"}, {"n": 1.5, "no": None, "list": [1, True]}),
    ],
)
def test_a_turn_within_its_bounds_stands(within: AIMessage) -> None:
    check(within)


@pytest.mark.parametrize(
    ("beyond", "why"),
    [
        (turn({"sql": "x" * LONGEST_TURN}), "characters"),
        (turn({"x" * LONGEST_TURN: "sql"}), "characters"),
        (turn(*({"n": n} for n in range(MOST_CALLS + 1))), "calls"),
        (turn(nested(DEEPEST + 1)), "levels"),
        (turn({"sql": [[[[[[[["deep"]]]]]]]]}), "levels"),
        (turn(words="w" * (LONGEST_WORDS + 1)), "one or two sentences"),
        (turn({"sql": "select \0"}), "NUL"),
        (turn({"list": [{"in\ud800": 1}]}), "surrogate"),
        (turn(words="Hello \udfff"), "surrogate"),
        (turn({"n": float("nan")}), "NaN"),
        (turn({"n": 1}, name="drop table"), "no such tool"),
        (turn({"n": 1}, name=""), "no such tool"),
        (turn({"n": 1}, name="n" * 65), "no such tool"),
        (same_ids(), "id of its own"),
        (not_json(), "JSON object"),
    ],
)
def test_a_turn_beyond_a_bound_is_told_which(beyond: AIMessage, why: str) -> None:
    with pytest.raises(OutOfBounds, match=why):
        check(beyond)


async def test_a_turn_is_hung_up_on_while_it_comes() -> None:
    ears = Ears()
    for _ in range(2):  # each turn has the whole length
        await ears.on_chat_model_start()
        await ears.on_llm_new_token("x" * LONGEST_TURN)
    with pytest.raises(OutOfBounds, match="characters"):
        await ears.on_llm_new_token("x")


@pytest.mark.parametrize(("name", "arguments", "why"), [("compare", "", "calls"), (None, "x" * 10_000, "characters")])
async def test_pieces_of_calls_are_heard_too(name: str | None, arguments: str, why: str) -> None:
    ears = Ears()
    piece = tool_call_chunk(name=name, args=arguments, id=None, index=0)
    chunk = ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[piece]))
    with pytest.raises(OutOfBounds, match=why):
        for _ in range(MOST_CALLS + 1):
            await ears.on_llm_new_token("", chunk=chunk)


def test_what_is_thought_aloud_is_text() -> None:
    assert as_text("a\0b\ud800c") == "a\ufffdb\ufffdc"


async def test_of_a_turn_only_so_much_is_thought_aloud() -> None:
    tools = InHand()
    question = Asked(question="How many?", meant="How many?", dialect="postgres", database="shop", tables=())
    work = AtWork(asked=question, tools=tools, rules=Rules())
    thoughts = Thoughts(work)
    for work.turns in (1, 2):
        for _ in range(10):
            await thoughts.hear(AIMessageChunk(content="One more line.\n" * 100))
        assert len(tools.thoughts) == 50 * work.turns
