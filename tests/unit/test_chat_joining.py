"""A stream of a model in fewer pieces says what it said before."""

import json
from typing import Any

import pytest

from basejump_chat_agent.adapters.language_model.joining import LONGEST, Joiner


def event(delta: dict[str, Any], **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": None} | more
    return b"data: " + json.dumps({"id": "c1", "created": 1, "choices": [choice], "usage": None}).encode() + b"\n\n"


def call(text: str, index: int = 0, **more: Any) -> bytes:
    return event({"tool_calls": [{"index": index, "function": {"arguments": text}, **more}]})


HEAD = event({"role": "assistant", "content": None})
NAMED = event(
    {"tool_calls": [{"index": 0, "id": "t1", "type": "function", "function": {"name": "f", "arguments": ""}}]}
)
USAGE = {"prompt_tokens": 7, "completion_tokens": 9, "total_tokens": 16}
TAKEN = b"data: " + json.dumps({"id": "c1", "created": 1, "choices": [], "usage": USAGE}).encode() + b"\n\n"
END = event({}, finish_reason="tool_calls") + TAKEN + b"data: [DONE]\n\n"
STREAM = HEAD + event({"content": "I"}) + event({"content": " count"}) + NAMED + call('{"a"') + call(":1}") + END


def frames(stream: bytes) -> list[Any]:
    return [json.loads(part[6:]) for part in stream.split(b"\n\n") if part and part != b"data: [DONE]"]


def deltas(stream: bytes) -> list[Any]:
    return [choice["delta"] for frame in frames(stream) for choice in frame["choices"]]


def joined(*reads: bytes) -> bytes:
    joiner = Joiner()
    return b"".join(map(joiner.feed, reads)) + joiner.end()


def test_a_turn_that_came_at_once_is_one_event_that_says_all_of_it() -> None:
    whole = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    delta = {"role": "assistant", "content": "I count", "tool_calls": [{"index": 0, **whole}]}
    choice = {"index": 0, "delta": delta, "finish_reason": "tool_calls"}
    assert frames(joined(STREAM)) == [{"id": "c1", "created": 1, "choices": [choice], "usage": USAGE}]
    assert joined(STREAM).endswith(b"\n\ndata: [DONE]\n\n")


@pytest.mark.parametrize("at", range(0, len(STREAM), 7))
def test_wherever_reads_end_the_texts_are_the_same(at: int) -> None:
    found = joined(STREAM[:at], STREAM[at:])
    said = deltas(found)
    assert "".join(delta.get("content") or "" for delta in said) == "I count"
    calls = [each for delta in said for each in delta.get("tool_calls", ())]
    assert "".join(each["function"]["arguments"] for each in calls) == '{"a":1}'
    assert [each["function"]["name"] for each in calls if "id" in each] == ["f"]
    assert found.count(b'"finish_reason":"tool_calls"') == found.count(b'"total_tokens":16') == 1
    assert found.endswith(b"data: [DONE]\n\n")


def test_a_sentence_is_given_out_once_it_is_complete() -> None:
    joiner = Joiner()
    assert joiner.feed(event({"content": "I"}) + event({"content": " count"})) == b""
    assert joiner.feed(event({"content": "."})) == b""
    assert deltas(joiner.feed(event({"content": " Then"}))) == [{"content": "I count. Then"}]
    assert deltas(joiner.feed(event({"content": " I add:\n"}))) == [{"content": " I add:\n"}]


def test_a_call_that_follows_words_says_at_once_that_they_are_complete() -> None:
    joiner = Joiner()
    assert joiner.feed(HEAD) == b""
    assert joiner.feed(event({"content": "I count."})) == b""
    (said,) = deltas(joiner.feed(NAMED))
    assert (said["content"], said["tool_calls"][0]["id"]) == ("I count.", "t1")
    assert joiner.feed(call("{")) == joiner.feed(call("}")) == b""


def test_arguments_wait_for_the_rest_of_their_call() -> None:
    joiner = Joiner()
    assert joiner.feed(call("{")) == b""
    assert joiner.feed(call("}")) == b""
    assert deltas(joiner.feed(END))[0]["tool_calls"][0]["function"]["arguments"] == "{}"


def test_arguments_of_two_calls_stay_apart() -> None:
    (said,) = deltas(joined(call("1"), call("2", index=1), call("3", index=1)))
    assert [each["function"]["arguments"] for each in said["tool_calls"]] == ["1", "23"]


def test_what_is_said_of_another_answer_or_after_its_end_stays_apart() -> None:
    other = event({"content": "B"}, index=1)
    late = event({"content": "C"})
    assert deltas(joined(event({"content": "A"}) + other)) == [{"content": "A"}, {"content": "B"}]
    ended = event({"content": "A"}, finish_reason="stop")
    assert deltas(joined(ended + late)) == [{"content": "A"}, {"content": "C"}]


def test_arguments_without_end_are_not_held_back_without_end() -> None:
    joiner = Joiner()
    given = [joiner.feed(call("x" * 1_000)) for _ in range(LONGEST // 1_000 + 5)]
    assert any(given)


def test_events_that_end_their_lines_otherwise_pass_as_they_come() -> None:
    joiner = Joiner()
    given = [joiner.feed(part) for part in (call("{"), b"data: {}\r\n\r\n", call("}"))]
    assert given[0] == b""
    assert deltas(given[1].removesuffix(b"data: {}\r\n\r\n")) == deltas(call("{"))
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
        b'event: content_block_delta\ndata: {"delta": {"type": "signature_delta", "signature": "x"}}\n\n',
        b'event: content_block_delta\ndata: {"delta": {"type": "text_delta", "text": null}}\n\n',
        b"event: content_block_delta\ndata: [1]\n\n",
        b": comment\n\n",
        b"data: cut of",
    ],
)
def test_what_it_does_not_know_passes_as_it_came(stream: bytes) -> None:
    assert joined(stream + stream) == stream + stream
    assert joined(*(bytes([byte]) for byte in stream)) == stream


def of_anthropic(kind: str, key: str, text: str, index: int = 0) -> bytes:
    data = {"type": "content_block_delta", "index": index, "delta": {"type": kind, key: text}}
    return b"event: content_block_delta\ndata: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"


def test_anthropics_pieces_are_joined_like_openais() -> None:
    begin, stop = (f'event: {name}\ndata: {{"type":"{name}","index":0}}\n\n'.encode() for name in ("begin", "stop"))
    words = [of_anthropic("text_delta", "text", text) for text in ("I", " count")]
    arguments = [of_anthropic("input_json_delta", "partial_json", text, index=1) for text in ('{"a"', ":1", "}")]
    stream = begin + b"".join(words) + stop + begin + b"".join(arguments) + stop
    whole = (
        of_anthropic("text_delta", "text", "I count"),
        of_anthropic("input_json_delta", "partial_json", '{"a":1}', index=1),
    )
    assert joined(stream) == begin + whole[0] + stop + begin + whole[1] + stop
    assert joined(*(bytes([byte]) for byte in stream)) == joined(stream)


def test_anthropics_blocks_of_two_kinds_or_places_stay_apart() -> None:
    stream = [
        of_anthropic("text_delta", "text", "a"),
        of_anthropic("text_delta", "text", "b", index=1),
        of_anthropic("input_json_delta", "partial_json", "{", index=1),
    ]
    assert joined(*stream) == b"".join(stream)
