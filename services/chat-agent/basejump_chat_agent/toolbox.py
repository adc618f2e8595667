"""The tools of answerers: look at the schema, look up values, prove and run. The same for all of them."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

import msgspec

from basejump_chat_agent.adapters import usage_rows
from basejump_chat_agent.adapters.chat_stream import ChatStream
from basejump_chat_agent.adapters.indexer import Indexer
from basejump_chat_agent.domain import messages
from basejump_chat_agent.domain.answerer import ModelCall
from basejump_chat_agent.domain.choice import Found
from basejump_chat_agent.domain.rules import Rules
from basejump_chat_agent.domain.verified.rights import may_get_unverified
from basejump_chat_agent.work import Work
from basejump_common.contracts.connection import LONGEST_RUN_SECONDS, FindValues, FoundValue, Run, RunResult, Table
from basejump_common.storage.database import Database, Transaction

T = TypeVar("T", bound=msgspec.Struct)

_GRACE_SECONDS = 5.0  # the question's own limit comes first and says more


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement and the `run_uuid` under which it is proved and run: kept before that, so that it runs once."""

    run_uuid: UUID
    sql: str


class Tools:
    """`domain.answerer.Toolbox` for one attempt at a prompt. What is looked up is kept nowhere."""

    def __init__(
        self, database: Database, work: Work, found: Found, indexer: Indexer, stream: ChatStream, rules: Rules
    ) -> None:
        self.meter = work.meter
        self.shows_rows = rules.shows_rows
        self._limits = rules.limits
        # What may turn out to be unverified isn't thought aloud before who gets verified answers alone.
        self._aloud = may_get_unverified(work.asker.role, strict=rules.strict)
        self._database = database
        self._work = work
        self._found = found
        self._indexer = indexer
        self._stream = stream
        self._running: UUID | None = None
        self._begun: dict[str, Statement] = {}
        self._until = time.time() + (rules.limits.seconds_per_question or LONGEST_RUN_SECONDS) + _GRACE_SECONDS

    async def search_tables(self, text: str) -> tuple[Table, ...]:
        """See `Toolbox.search_tables`."""
        prompt = self._work.prompt
        return (await self._indexer.retrieve(self._work.asker, prompt.team_uuid, text, self._found.db_uuid)).tables

    async def find_values(
        self, phrases: tuple[str, ...], tables: tuple[Table, ...], *, closest: bool = False
    ) -> tuple[FoundValue, ...]:
        """See `Toolbox.find_values`."""
        request = FindValues(
            conn_uuid=self._found.conn_uuid,
            team_uuid=self._work.prompt.team_uuid,
            tbl_uuids=tuple(table.tbl_uuid for table in tables),
            phrases=phrases,
            closest=closest,
        )
        return await self._indexer.find_values(self._work.asker, request)

    async def run_sql(self, key: str, sql: str, known_missing: tuple[str, ...] = ()) -> RunResult:
        """See `Toolbox.run_sql`."""
        # The run is connection-indexer's to remember: asked again under its run_uuid it answers what it answered.
        begun = self._begun.get(key) or await self._work.keep(_name(key), Statement, lambda: self._statement(sql))
        return await self._run(begun, (*known_missing, *self._found.known_missing))

    async def cancel(self) -> None:
        """End the statement that runs, if one does."""
        if self._running is not None:
            await self._indexer.stop(self._work.asker, self._running)

    async def step(self, name: str, kind: Any, perform: Callable[[], Awaitable[Any]]) -> Any:
        """See `Toolbox.step`."""
        return await self._work.step(name, kind, perform)

    async def call_model(self, name: str, call: ModelCall[T]) -> T:
        """See `Toolbox.call_model`."""
        work = self._work

        async def claimed() -> T:
            if self._limits.a_day:
                async with self._database.tenant(work.prompt.client_uuid) as tx:
                    await usage_rows.claim(tx, work.prompt, call.tokens, call.cost, self._limits)
            return await call.perform()

        async def count(tx: Transaction, outcome: T) -> None:
            await usage_rows.called(tx, work.prompt, call.spent(outcome))
            for key, sql in call.statements(outcome).items():
                self._begun[key] = Statement(run_uuid=uuid4(), sql=sql)
                work.note(_name(key), self._begun[key])

        outcome = await work.keep(name, call.outcome, claimed, count)
        spent = call.spent(outcome)
        self.meter.model_called(spent)
        return outcome

    async def think(self, thought: str, sql: str | None = None) -> None:
        """See `Toolbox.think`."""
        if not self._aloud:
            return
        prompt = self._work.prompt
        shown = sql if prompt.return_sql_in_thoughts else None
        await self._stream.say(prompt.client_uuid, messages.thought(prompt, thought, shown, datetime.now(UTC)))

    async def tell(self, status: str) -> None:
        """See `Toolbox.tell`."""
        prompt = self._work.prompt
        await self._stream.say(prompt.client_uuid, messages.status(prompt, status, datetime.now(UTC)))

    async def _statement(self, sql: str) -> Statement:
        return Statement(run_uuid=uuid4(), sql=sql)

    async def _run(self, statement: Statement, known_missing: tuple[str, ...]) -> RunResult:
        await self.tell("Running the query.")
        work, self._running = self._work, statement.run_uuid
        request = Run(
            run_uuid=statement.run_uuid,
            conn_uuid=self._found.conn_uuid,
            team_uuid=work.prompt.team_uuid,
            sql=statement.sql,
            prompt_uuid=work.prompt.prompt_uuid,
            approved=self._found.approved,
            known_missing=known_missing,
            deadline=self._until,
            asked_at=time.time(),
        )
        return await self._indexer.run(work.asker, request)


def _name(key: str) -> str:
    return f"statement {key}"
