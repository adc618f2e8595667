"""What one turn of a model may hold. One that holds more is not acted on, kept or sent on: the model is told why.

Models keep to this by themselves; one that was talked into something, or whoever answers in its place, need not.
"""

import re
from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any

from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, GenerationChunk

from basejump_chat_agent.domain import rendering

LONGEST_TURN = 100_000
"""Characters, arguments of tools included: the longest statement that may be run."""
LONGEST_WORDS = 4_000
"""Characters of an answer: every figure in it is looked for."""
MOST_CALLS = 16
DEEPEST = 8
"""How many lists and objects of an argument may stand in each other."""

_TOO_LONG = f"A turn has at most {LONGEST_TURN:,} characters, arguments of tools included."
_TOO_MANY = f"A turn has at most {MOST_CALLS} calls of tools."
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class OutOfBounds(Exception):
    """Says to the model what was too much; `used`: what the turn is said to have taken."""

    def __init__(self, why: str, used: UsageMetadata | None = None) -> None:
        super().__init__(f"{why} Nothing of your last turn was done.")
        self.used = used


class Ears(AsyncCallbackHandler):
    """Hangs up on a turn that gets too long, whatever limit of tokens its provider was asked for."""

    raise_error = True

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._heard = self._calls = 0

    async def on_chat_model_start(self, *_: Any, **_more: Any) -> None:
        """A turn begins."""
        self._begin()

    async def on_llm_new_token(
        self, token: Any, *, chunk: GenerationChunk | ChatGenerationChunk | None = None, **_: Any
    ) -> None:
        """The next piece of it. Raises OutOfBounds."""
        message = chunk.message if isinstance(chunk, ChatGenerationChunk) else None
        calls = message.tool_call_chunks if isinstance(message, AIMessageChunk) else []
        self._heard += len(rendering.plain(token)) + sum(len(call["args"] or "") for call in calls)
        self._calls += sum(bool(call["name"]) for call in calls)
        if self._heard > LONGEST_TURN:
            raise OutOfBounds(_TOO_LONG)
        if self._calls > MOST_CALLS:
            raise OutOfBounds(_TOO_MANY)


def check(message: AIMessage) -> None:
    """Raises OutOfBounds."""
    for objection in _objections(message):
        raise OutOfBounds(objection, message.usage_metadata)


def as_text(said: str) -> str:
    """Without the characters that no text of ours may hold."""
    return _NO_TEXT.sub("\ufffd", said)


def _objections(message: AIMessage) -> Iterator[str]:
    calls, words = message.tool_calls, rendering.plain(message.content)
    if len(calls) + len(message.invalid_tool_calls) > MOST_CALLS:
        yield _TOO_MANY
    if message.invalid_tool_calls:
        yield "The arguments of a tool must be one JSON object."
    if len({call["id"] for call in calls if call["id"]}) < len(calls):
        yield "Every call of a tool must have an id of its own."
    if not all(_NAME.fullmatch(call["name"]) for call in calls):
        yield "There is no such tool."
    if not calls and len(words) > LONGEST_WORDS:
        yield f"An answer has at most {LONGEST_WORDS:,} characters: one or two sentences."
    if any(_is_deep(call["args"]) for call in calls):
        yield f"Arguments are at most {DEEPEST} levels deep."
    else:
        yield from _objections_to_values([words, *_values([call["args"] for call in calls])])


def _objections_to_values(values: Sequence[Any]) -> Iterator[str]:
    if sum(len(str(value)) for value in values) > LONGEST_TURN:
        yield _TOO_LONG
    if any(_NO_TEXT.search(value) for value in values if isinstance(value, str)):
        yield "A text can't hold NUL or half a character (a lone surrogate)."
    if not all(isfinite(value) for value in values if isinstance(value, float)):
        yield "NaN and Infinity are no JSON numbers."


def _is_deep(arguments: dict[str, Any]) -> bool:
    level: list[Any] = [arguments]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _within(outer) if isinstance(inner, dict | list)]
    return bool(level)


def _within(value: dict[str, Any] | list[Any]) -> Sequence[Any]:
    return [part for pair in value.items() for part in pair] if isinstance(value, dict) else value


def _values(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for inner in _within(value):
            yield from _values(inner)
    else:
        yield value
