"""The chart of an answer, drawn from the whole stored result."""

from dataclasses import dataclass
from uuid import UUID

import msgspec

from basejump_chat_agent.adapters.indexer import Indexer
from basejump_chat_agent.domain import charts
from basejump_chat_agent.domain.charts import NoChart, Table, Visual, Wish
from basejump_chat_agent.domain.choice import Found
from basejump_chat_agent.domain.failures import CannotGoOn
from basejump_chat_agent.domain.prompt import Asker
from basejump_chat_agent.work import Work
from basejump_common.contracts.connection import RunResult


@dataclass(frozen=True, slots=True)
class Source:
    """Who asks for rows, and over which grant."""

    asker: Asker
    team_uuid: UUID
    conn_uuid: UUID
    dialect: str


class Charting:
    """A chart that can't be drawn takes nothing from the answer: it says why."""

    def __init__(self, indexer: Indexer) -> None:
        self._indexer = indexer

    async def visual(self, work: Work, found: Found, ran: RunResult, drawn_by_hand: object) -> Visual:
        """Nothing unless a chart was asked for: by the call, in the question's words, or by the answerer's tool, whose
        wish in `drawn_by_hand` goes before the others."""
        wish = _wish(drawn_by_hand) or found.chart
        if wish is None and not work.prompt.return_visual_json:
            return Visual()
        source = Source(
            asker=work.asker, team_uuid=work.prompt.team_uuid, conn_uuid=found.conn_uuid, dialect=found.dialect
        )
        return await self._drawn(source, ran, wish or Wish())

    async def again(self, source: Source, ran: RunResult) -> Visual:
        """The chart that fits the rows of another run of the same statement."""
        return await self._drawn(source, ran, Wish())

    async def _drawn(self, source: Source, ran: RunResult, wish: Wish) -> Visual:
        try:
            return Visual.of(await self._draw(source, ran, wish))
        except CannotGoOn as reason:
            return Visual(explanation=f"No chart could be drawn. {reason.content}")

    async def _draw(self, source: Source, ran: RunResult, wish: Wish) -> charts.Chart | NoChart:
        known = Table(
            columns=ran.columns,
            rows=ran.preview,
            row_count=ran.row_count,
            truncated=ran.truncated,
            additive=charts.additive_columns(ran.proof.sql, source.dialect),
        )
        if known.missing == 0:
            return charts.draw(known, wish)
        choice = charts.choose(known, wish)
        if isinstance(choice, NoChart):
            return choice
        reading = charts.reading(known, choice)
        stored = await self._indexer.read(source.asker, source.team_uuid, source.conn_uuid, ran.run_uuid, reading)
        whole = msgspec.structs.replace(
            known,
            columns=stored.columns,
            rows=stored.rows,
            additive=frozenset(place for place, old in enumerate(reading.columns) if old in known.additive),
            rest=stored.rest,
        )
        return charts.draw(whole, wish)


def _wish(by_hand: object) -> Wish | None:
    """A language model's wish, as far as it can be read."""
    try:
        return None if by_hand is None else msgspec.convert(by_hand, Wish)
    except msgspec.ValidationError:
        return Wish()
