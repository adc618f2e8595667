"""What the answer to one question takes."""

import msgspec

from basejump_chat_agent.domain.rules import BUILT_IN
from basejump_common.contracts.chat import Usage
from basejump_common.contracts.connection import RunResult


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What a call of a language model took; `cost` is None where no price is known."""

    model: str
    input_tokens: int
    output_tokens: int
    cost: float | None


class Meter:
    """Counts while the answer is worked on; steps that an earlier attempt finished are counted as well."""

    def __init__(self) -> None:
        self.planner = BUILT_IN
        self.model: str | None = None
        self.prompts_version: str | None = None
        self.model_calls = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.cost: float | None = None
        self.database_seconds = 0.0

    @property
    def tokens(self) -> int:
        """Both ways."""
        return self.input_tokens + self.output_tokens

    def model_called(self, spent: Spent) -> None:
        """Count a call of a language model."""
        self.model = spent.model
        self.model_calls += 1
        self.input_tokens += spent.input_tokens
        self.output_tokens += spent.output_tokens
        if spent.cost is not None:
            self.cost = (self.cost or 0.0) + spent.cost

    def statement_ran(self, ran: RunResult) -> None:
        """Count a statement's time in the database."""
        self.database_seconds += ran.database_seconds

    def usage(self, total_seconds: float) -> Usage:
        """As it is told with the answer."""
        with_model = self.model_calls > 0
        return Usage(
            planner=self.planner,
            database_seconds=round(self.database_seconds, 6),
            total_seconds=total_seconds,
            input_tokens=self.input_tokens if with_model else None,
            output_tokens=self.output_tokens if with_model else None,
            model=self.model,
            model_calls=self.model_calls,
            cost=None if self.cost is None else round(self.cost, 8),
            prompts_version=self.prompts_version,
        )
