"""The port of the planner: from a question and a slice of a catalog to SQL, by whatever means."""

from typing import Protocol

import msgspec

from basejump_common.contracts.connection import FoundValue, Table


class PlannedSql(msgspec.Struct, frozen=True, kw_only=True, tag="sql"):
    """One SELECT, and the question restated as it was understood."""

    sql: str
    reading: str


class CannotAnswer(msgspec.Struct, frozen=True, kw_only=True, tag="cannot"):
    """A question declined. `reason` completes "I can't answer that without a language model, because …"."""

    reason: str


Planned = PlannedSql | CannotAnswer


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier question of the chat and the SQL that answered it."""

    question: str
    sql: str


class Planner(Protocol):
    """Implementations are adapters. `name` is told in the usage of every answer."""

    name: str

    async def phrases(self, question: str, tables: tuple[Table, ...]) -> tuple[str, ...]:
        """Words of the question that may be values stored in the tables, to be looked up before planning."""

    async def plan(
        self,
        question: str,
        tables: tuple[Table, ...],
        values: tuple[FoundValue, ...],
        history: tuple[Turn, ...],
        dialect: str,
    ) -> Planned:
        """The statement to prove and run; `history` is oldest first, `dialect` sqlglot's word for the database.

        May raise anything: it ends the prompt.
        """
