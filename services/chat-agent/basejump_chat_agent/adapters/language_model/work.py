"""One question at work: what the model did so far, told from its finished steps alone."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgspec

from basejump_chat_agent.domain import failures
from basejump_chat_agent.domain.answerer import Answer, Answered, Asked, AskedBack, Said, Toolbox
from basejump_chat_agent.domain.failures import CannotGoOn
from basejump_chat_agent.domain.rules import Rules
from basejump_chat_agent.domain.words import Facts, check
from basejump_common.contracts.connection import RunResult, Table

SAME_CALLS = 3
"""The same call for the third time ends the question."""


class Ended(Exception):
    """Nothing is left to do: the agent needn't go around again."""


class ModelTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A step: what a model answered (langchain's message as JSON), which one, and what that took; or the `objection` to
    a turn beyond its bounds (`bounds.py`), which leaves an empty message."""

    message: dict[str, Any]
    model: str
    input_tokens: int
    output_tokens: int
    objection: str = ""


class ToolReply(msgspec.Struct, frozen=True, kw_only=True):
    """A step: what a tool told the model, and what came of it. `told_missing`: text values of its statement that no
    row has, for which it didn't run."""

    said: str
    failed: bool = False
    reading: str = ""
    ran: RunResult | None = None
    final: bool = False
    asked_back: AskedBack | None = None
    chart: dict[str, Any] | None = None
    tables: tuple[Table, ...] = ()
    told_missing: tuple[str, ...] = ()


@dataclass(kw_only=True)
class AtWork:
    """The context of one run of the agent."""

    asked: Asked
    tools: Toolbox
    rules: Rules
    turns: int = 0
    words: str = ""
    """What the latest turn said, if it said nothing to a tool."""
    objection: str = ""
    """To the latest turn, if it was beyond its bounds."""
    call: str = ""
    """The tool call at work, by turn and place: the same in every attempt."""
    open_calls: int = 0
    """Tool calls of the latest turn that aren't answered yet."""
    replies: list[ToolReply] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return any(reply.final or reply.asked_back is not None for reply in self.replies)

    @property
    def latest(self) -> ToolReply | None:
        """The latest reply with a result."""
        return next((reply for reply in reversed(self.replies) if reply.ran is not None), None)

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table that was shown, once."""
        shown = [*self.asked.tables, *(table for reply in self.replies for table in reply.tables)]
        return tuple({table.tbl_uuid: table for table in shown}.values())

    def note(self, name: str, arguments: dict[str, Any]) -> int:
        """Count a call; how often the same one was made. Raises CannotGoOn when that is going in circles."""
        key = _key(name, arguments)
        self.calls[key] += 1
        if self.calls[key] >= SAME_CALLS:
            raise failures.going_in_circles()
        return self.calls[key]

    def may_repeat(self, name: str, arguments: dict[str, Any]) -> None:
        """The call did nothing yet: made again, it is the first."""
        self.calls[_key(name, arguments)] -= 1

    @property
    def told_missing(self) -> tuple[str, ...]:
        """What the model was told that no row has it."""
        return tuple(dict.fromkeys(value for reply in self.replies for value in reply.told_missing))

    def check_repairs(self, failure: CannotGoOn) -> None:
        """Raises the failure when too many statements failed before it."""
        if sum(reply.failed for reply in self.replies) >= self.rules.limits.repairs:
            raise failure

    def check_limits(self) -> None:
        """Before a call of the model. Raises CannotGoOn."""
        limits, meter = self.rules.limits, self.tools.meter
        if self.turns >= limits.steps:
            raise failures.over_limit("steps_per_question", limits.steps)
        if limits.tokens_per_question is not None and meter.tokens >= limits.tokens_per_question:
            raise failures.over_limit("tokens_per_question", limits.tokens_per_question)
        if limits.cost_per_question is not None and (meter.cost or 0.0) >= limits.cost_per_question:
            raise failures.over_limit("cost_per_question", limits.cost_per_question)

    def invents(self, words: str) -> bool:
        """Whether words that rest on no result hold figures that the person didn't bring."""
        if self.latest is not None:
            return False
        brought = (self.asked.question, *(turn.question for turn in self.asked.turns))
        return bool(check(words, Facts(texts=brought)))

    def answer(self) -> Answer:
        """What came of it. Raises CannotGoOn when nothing did."""
        words = self.words
        asked_back = next((reply.asked_back for reply in self.replies if reply.asked_back is not None), None)
        if asked_back is not None:
            return asked_back
        latest = self.latest
        if latest is not None and latest.ran is not None:
            chart = next((reply.chart for reply in reversed(self.replies) if reply.chart is not None), None)
            reading = latest.reading or self.asked.question
            return Answered(reading=reading, ran=latest.ran, words=words or None, chart=chart)
        if not words or self.invents(words):
            raise failures.no_answer()
        return Said(words=words)


def _key(name: str, arguments: dict[str, Any]) -> str:
    return f"{name} {json.dumps(arguments, sort_keys=True, default=str)}"
