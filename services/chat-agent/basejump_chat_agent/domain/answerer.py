"""The port of whoever answers a question, with or without a language model, and the tools it is given.

An answerer decides what to look at and what to run; that it is proved, run, kept, charted and said in words is the
same for all of them and not their business.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from basejump_chat_agent.domain.conversation import Turn
from basejump_chat_agent.domain.meter import Meter, Spent
from basejump_common.contracts.connection import Excess, FoundValue, RunResult, Table

T = TypeVar("T", bound=msgspec.Struct)


class Clarified(msgspec.Struct, frozen=True, kw_only=True):
    """What the person was asked back, and said."""

    asked: str
    answered: str


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question in its conversation.

    `meant` is `question` with what a follow-up leaves out ("and by department?") put back from the earlier ones, as
    far as that can be done without a language model. `turns` are earlier questions, oldest first. `functions` are those
    of the database that queries may call besides the usual ones.
    """

    question: str
    meant: str
    dialect: str
    database: str
    tables: tuple[Table, ...]
    functions: tuple[str, ...] = ()
    turns: tuple[Turn, ...] = ()
    clarified: tuple[Clarified, ...] = ()


class Answered(msgspec.Struct, frozen=True, kw_only=True, tag="answered"):
    """The result that answers the question. `reading`: the question as it was understood.

    `words` are the answerer's own, not yet checked against the result; without them the result is described.
    """

    reading: str
    ran: RunResult
    words: str | None = None
    chart: dict[str, Any] | None = None


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of the question to choose; `change` says what it would change."""

    label: str
    change: str = ""


class AskedBack(msgspec.Struct, frozen=True, kw_only=True, tag="asked_back"):
    """A question to the person: two readings would give different SQL, (`excess`) a statement takes too much, or no
    row has what was said, `instead_of` which an option would be taken."""

    question: str
    options: tuple[Option, ...]
    excess: Excess | None = None
    instead_of: str | None = None


class Said(msgspec.Struct, frozen=True, kw_only=True, tag="said"):
    """Words that rest on no data: they hold no figure that the person didn't bring."""

    words: str


Answer = Answered | AskedBack | Said


@dataclass(frozen=True, kw_only=True)
class ModelCall(Generic[T]):
    """A call of a language model that may take `tokens` and `cost`; `spent` tells from its outcome what it took, and
    `statements`, by their keys, what it wants to run."""

    tokens: int
    cost: float
    outcome: type[T]
    perform: Callable[[], Awaitable[T]]
    spent: Callable[[T], Spent]
    statements: Callable[[T], Mapping[str, str]]


class Toolbox(Protocol):
    """What an answerer may do. Every call raises CannotGoOn; those that another try may mend raise TryAgain.

    `meter` counts what the answer takes; `shows_rows`: may values of the customer's rows reach a language model?
    """

    meter: Meter
    shows_rows: bool

    async def search_tables(self, text: str) -> tuple[Table, ...]:
        """Tables that the text is about, best first."""

    async def find_values(
        self, phrases: tuple[str, ...], tables: tuple[Table, ...], *, closest: bool = False
    ) -> tuple[FoundValue, ...]:
        """Where the phrases stand in text columns of the tables; with `closest` what is like those that don't."""

    async def run_sql(self, key: str, sql: str, known_missing: tuple[str, ...] = ()) -> RunResult:
        """Prove the statement, check its budget and run it; under the same `key` it runs once over all attempts.

        Raises NoSuchValue when it compares with a text value that no row has and that isn't `known_missing`.
        """

    async def step(self, name: str, kind: Any, perform: Any) -> Any:
        """The outcome of `perform`, of type `kind`; taken from its row when an earlier attempt kept it, which is done
        together with the next statement or call of a model."""

    async def call_model(self, name: str, call: "ModelCall[T]") -> T:
        """The outcome of a call of a language model, a step like others; its tokens are reserved within the client's
        day before it begins, and counted with it."""

    async def think(self, thought: str, sql: str | None = None) -> None:
        """Tell who listens what is being thought; `sql` only to who asked for it."""

    async def tell(self, status: str) -> None:
        """Tell who listens what is being done."""


class Answerer(Protocol):
    """Implementations are adapters."""

    async def answer(self, asked: Asked, tools: Toolbox) -> Answer:
        """May raise anything: CannotGoOn ends the prompt with its code, everything else as a defect."""
