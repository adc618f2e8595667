"""Which language model answers, and how much an answer may take."""

import fnmatch
from typing import TypeVar

import msgspec

T = TypeVar("T", int, float)

BUILT_IN = "built-in"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """None is no limit. `steps` are calls of the model, `repairs` statements refused or failed; the rest is named as
    in the client's settings, a day being one of UTC."""

    steps: int = 8
    repairs: int = 3
    tokens_per_question: int | None = None
    cost_per_question: float | None = None
    seconds_per_question: float | None = None
    tokens_per_day: int | None = None
    cost_per_day: float | None = None

    @property
    def a_day(self) -> bool:
        """Whether anything is limited by the day."""
        return self.tokens_per_day is not None or self.cost_per_day is not None


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for one question. `llm` is `provider:model`, or BUILT_IN for the planner without a language model.
    `strict`: members get verified answers alone."""

    llm: str = BUILT_IN
    fallback_llm: str = ""
    shows_rows: bool = True
    limits: Limits = Limits()
    strict: bool = False


def narrower(installation: T, client: T | None) -> T | None:
    """The smaller limit; 0 is none."""
    set_limits = [limit for limit in (installation, client) if limit]
    return min(set_limits, default=None)


class AllowedModels:
    """The operator's list: names, or patterns such as `openai:*`. What the installation itself uses is on it."""

    def __init__(self, patterns: str, *own: str) -> None:
        self._patterns = [pattern.strip() for pattern in patterns.split(",") if pattern.strip()]
        self._own = {name for name in own if name}

    def __contains__(self, name: str) -> bool:
        if name in ("", BUILT_IN) or name in self._own:
            return True
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self._patterns)
