"""A stream of a model in fewer pieces says what it said before."""

import json
from typing import Any

import pytest

from basejump_chat_agent.adapters.language_model.joining import LONGEST, Joiner


def event(delta: dict[str, Any], **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": None, **more}
    return b"data: " + json.dumps({"id": "c1", "created": 1, "choices": [choice], "usage": None}).encode() + b"\n\n"


def call(text: str, index: int = 0, **more: Any) -> bytes:
    return event({"tool_calls": [{"index": index, "function": {"arguments": text}, **more}]})


HEAD = event({"role": "assistant", "content": None})
NAMED = event(
    {"tool_calls": [{"index": 0, "id": "t1", "type": "function", "function": {"name": "f", "arguments": ""}}]}
)
END = event({}, finish_reason="tool_calls") + b"data: [DONE]\n\n"
STREAM = HEAD + event({"content": "I"}) + event({"content": " count"}) + NAMED + call('{"a"') + call(":1}") + END


def deltas(stream: bytes) -> list[Any]:
    frames = [json.loads(part[6:]) for part in stream.split(b"\n\n") if part and part != b"data: [DONE]"]
    return [frame["choices"][0]["delta"] for frame in frames]


def joined(*reads: bytes) -> bytes:
    joiner = Joiner()
    return b"".join(map(joiner.feed, reads)) + joiner.end()


def test_pieces_of_one_text_become_one_event_and_all_else_stays_as_it_came() -> None:
    assert joined(STREAM) == HEAD + event_like({"content": "I count"}) + NAMED + call_like('{"a":1}') + END


@pytest.mark.parametrize("at", range(0, len(STREAM), 7))
def test_wherever_reads_end_the_texts_are_the_same(at: int) -> None:
    found = joined(STREAM[:at], STREAM[at:])
    said = deltas(found)
    assert "".join(delta.get("content") or "" for delta in said) == "I count"
    arguments = [each["function"]["arguments"] for delta in said for each in delta.get("tool_calls", ())]
    assert arguments == ["", '{"a":1}']
    assert found.endswith(END)


def test_words_are_given_out_with_the_read_that_brought_them() -> None:
    joiner = Joiner()
    assert deltas(joiner.feed(event({"content": "I"}) + event({"content": " count"}))) == [{"content": "I count"}]
    assert deltas(joiner.feed(event({"content": "."}))) == [{"content": "."}]


def test_arguments_wait_for_the_rest_of_their_call() -> None:
    joiner = Joiner()
    assert joiner.feed(call("{")) == b""
    assert joiner.feed(call("}")) == b""
    assert deltas(joiner.feed(END))[0]["tool_calls"][0]["function"]["arguments"] == "{}"


def test_arguments_of_two_calls_stay_apart() -> None:
    said = deltas(joined(call("1"), call("2", index=1), call("3", index=1)))
    assert [delta["tool_calls"][0]["function"]["arguments"] for delta in said] == ["1", "23"]


def test_arguments_without_end_are_not_held_back_without_end() -> None:
    joiner = Joiner()
    given = [joiner.feed(call("x" * 1_000)) for _ in range(LONGEST // 1_000 + 5)]
    assert any(given)


def test_events_that_end_their_lines_otherwise_pass_as_they_come() -> None:
    joiner = Joiner()
    given = [joiner.feed(part) for part in (call("{"), b"data: {}\r\n\r\n", call("}"))]
    assert b"".join(given) == call_like("{") + b"data: {}\r\n\r\n" + call("}")
    assert given[2] == call("}")


def test_an_event_without_end_is_not_held_back() -> None:
    joiner = Joiner()
    given = b"".join(joiner.feed(b"data: " + b"x" * 10_000) for _ in range(20))
    assert len(given) > 10 * 10_000


@pytest.mark.parametrize(
    "stream",
    [
        b"data: [DONE]\n\n",
        b"data: not json\n\n",
        b"data: 7\n\n",
        b'data: {"choices": []}\n\n',
        b'data: {"choices": [{"delta": null}]}\n\n',
        b'data: {"choices": [{"delta": {"content": null}}]}\n\n',
        b"event: ping\ndata: {}\n\n",
        b": comment\n\n",
        b"data: cut of",
    ],
)
def test_what_it_does_not_know_passes_as_it_came(stream: bytes) -> None:
    assert joined(stream + stream) == stream + stream
    assert joined(*(bytes([byte]) for byte in stream)) == stream


def event_like(delta: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(json.loads(event(delta)[6:]), separators=(",", ":")).encode() + b"\n\n"


def call_like(text: str) -> bytes:
    return event_like({"tool_calls": [{"index": 0, "function": {"arguments": text}}]})
