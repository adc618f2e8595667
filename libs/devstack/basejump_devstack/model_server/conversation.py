"""What the model is sent, whichever protocol carried it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal


class BadRequest(Exception):
    """The request is one that the real provider would refuse with status 400."""


@dataclass(frozen=True)
class Turn:
    """What the person, the model or a tool said."""

    speaker: Literal["person", "model", "tool"]
    text: str


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """A request. `tools` are the names of those offered; `input_tokens` the estimate for everything sent."""

    protocol: Literal["openai", "anthropic"]
    model: str
    system: str
    turns: tuple[Turn, ...]
    tools: tuple[str, ...]
    stream: bool
    include_usage: bool = True
    input_tokens: int

    @cached_property
    def _question(self) -> int:
        return max((at for at, turn in enumerate(self.turns) if turn.speaker == "person"), default=-1)

    @property
    def asked(self) -> str:
        """The last thing that the person said."""
        return self.turns[self._question].text if self._question >= 0 else ""

    @property
    def until_asked(self) -> tuple[Turn, ...]:
        """Everything up to the question: the same for all turns of the model that answer it."""
        return self.turns[: self._question + 1]

    @property
    def step(self) -> int:
        """How often the model spoke since the question."""
        return sum(turn.speaker == "model" for turn in self.turns[self._question + 1 :])

    @property
    def results(self) -> tuple[str, ...]:
        """What tools said since the question."""
        return tuple(turn.text for turn in self.turns[self._question + 1 :] if turn.speaker == "tool")

    @property
    def last_results(self) -> tuple[str, ...]:
        """What tools said since the model spoke."""
        spoke = max((at for at, turn in enumerate(self.turns) if turn.speaker != "tool"), default=-1)
        return tuple(turn.text for turn in self.turns[spoke + 1 :])

    @cached_property
    def text(self) -> str:
        """Everything that was said."""
        return "\n".join((self.system, *(turn.text for turn in self.turns)))
