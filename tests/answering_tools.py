"""Tools of an answerer that hold everything in hand: what was found, and what was run."""
# ruff: noqa: ARG002 - the port has more parameters than these tools need

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import uuid4

import msgspec

from basejump_chat_agent.domain.answerer import ModelCall
from basejump_chat_agent.domain.meter import Meter
from basejump_common.contracts.connection import FoundValue, Likeness, Proof, ResultColumn, RunResult, Table

T = TypeVar("T", bound=msgspec.Struct)


class InHand:
    """A `Toolbox` whose every statement counts 107 rows."""

    def __init__(self, values: tuple[FoundValue, ...] = ()) -> None:
        self.meter = Meter()
        self.shows_rows = True
        self.ran: list[str] = []
        self.thoughts: list[str] = []
        self._values = values

    async def search_tables(self, text: str) -> tuple[Table, ...]:
        return ()

    async def find_values(
        self, phrases: tuple[str, ...], tables: tuple[Table, ...], *, closest: bool = False
    ) -> tuple[FoundValue, ...]:
        said = {phrase.lower() for phrase in phrases}
        found = (value for value in self._values if value.phrase.lower() in said)
        return tuple(value for value in found if closest or value.likeness is Likeness.EQUAL)

    async def run_sql(self, key: str, sql: str, known_missing: tuple[str, ...] = ()) -> RunResult:
        self.ran.append(sql)
        return RunResult(
            run_uuid=uuid4(),
            columns=(ResultColumn(name="count", type="bigint"),),
            row_count=1,
            truncated=False,
            preview=((107,),),
            bytes=1,
            database_seconds=0.1,
            proof=Proof(sql=sql, fingerprint="f", row_limit=10, fully_proved=True),
        )

    async def step(self, name: str, kind: Any, perform: Callable[[], Awaitable[Any]]) -> Any:
        return await perform()

    async def call_model(self, name: str, call: ModelCall[T]) -> T:
        return await call.perform()

    async def think(self, thought: str, sql: str | None = None) -> None:
        self.thoughts.append(thought)

    async def tell(self, status: str) -> None:
        self.thoughts.append(status)
