"""The answer to a question: retrieve, plan, prove, run, say it in words. Each step is finished once."""

import logging
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import TypeVar
from uuid import uuid4

import msgspec

from basejump_chat_agent.adapters import prompt_rows, result_rows
from basejump_chat_agent.adapters.chat_stream import ChatStream
from basejump_chat_agent.adapters.indexer import Indexer, background_context
from basejump_chat_agent.domain import failures, messages
from basejump_chat_agent.domain.choice import QUESTION, Found
from basejump_chat_agent.domain.failures import CannotGoOn
from basejump_chat_agent.domain.planner import CannotAnswer, Planned, PlannedSql, Planner
from basejump_chat_agent.domain.prompt import AnswerPrompt
from basejump_chat_agent.domain.words import describe
from basejump_chat_agent.endings import announce_later, settle
from basejump_chat_agent.retrieving import Retrieving
from basejump_chat_agent.work import Work
from basejump_common.bus import publish
from basejump_common.contracts.chat import Message, Usage
from basejump_common.contracts.connection import RunResult
from basejump_common.contracts.result import RESULT_CREATED, ResultCreated
from basejump_common.storage.database import Database, Transaction
from basejump_common.storage.jobs import Job, LeaseLost
from basejump_common.telemetry import bind_request

T = TypeVar("T")

ANSWER = "answer"
HISTORY_TURNS = 10

log = logging.getLogger(__name__)


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """A final message, and the result it rests on."""

    message: Message
    result: result_rows.NewResult | None = None


class Answering:
    """Carries out `answer` jobs. Whatever happens, a prompt ends with one final message."""

    def __init__(
        self, database: Database, indexer: Indexer, retrieving: Retrieving, planner: Planner, stream: ChatStream
    ) -> None:
        self._database = database
        self._indexer = indexer
        self._retrieving = retrieving
        self._planner = planner
        self._stream = stream

    async def answer(self, job: Job[AnswerPrompt]) -> None:
        """One attempt. The job is finished only when the final message is stored and published."""
        asker = job.payload.asker
        with bind_request(asker.request_id, asker.traceparent, f"job.{ANSWER}"):
            work = await Work.begin(self._database, job)
            if work is None:
                return
            final = work.prompt.message
            if not work.prompt.answered:
                await self._stream.say(job.client_uuid, work.prompt.message)
                final = await self._store(work, await self._ending(work))
            await self._stream.say_surely(job.client_uuid, final)

    async def give_up(self, tx: Transaction, job: Job[AnswerPrompt], _error: str) -> None:
        """After the last attempt: the prompt ends with an error, in the transaction that fails its job."""
        prompt = await prompt_rows.find(tx, job.payload.prompt_uuid)
        if prompt is None:
            return
        final = prompt.message
        if not prompt.answered:
            final = messages.failure(prompt, failures.gave_up(), datetime.now(UTC))
            await settle(tx, prompt, final, background_context(job.payload.asker))
        await announce_later(tx, prompt, final)

    async def _store(self, work: Work, ending: Ending) -> Message:
        context = background_context(work.asker)
        async with self._database.tenant(work.prompt.client_uuid) as tx:
            await work.job.fence(tx)
            if not await settle(tx, work.prompt, ending.message, context):
                raise LeaseLost
            if ending.result is not None:
                await result_rows.insert(tx, work.prompt, ending.result)
                created = ResultCreated(result_uuid=ending.result.result_uuid, chat_uuid=work.prompt.chat_uuid)
                await publish(tx, RESULT_CREATED, work.prompt.client_uuid, created.result_uuid, created, context)
        return ending.message

    async def _ending(self, work: Work) -> Ending:
        try:
            return await self._pipeline(work)
        except CannotGoOn as reason:
            log.info("prompt %s ends with %s", work.prompt.prompt_uuid, reason.code)
            return Ending(message=messages.failure(work.prompt, reason, datetime.now(UTC), self._usage(work)))

    async def _pipeline(self, work: Work) -> Ending:
        found = await work.step("retrieve", Found, lambda: self._retrieving.retrieve(work))
        if found.options:
            return self._ask_back(work, found)
        planned: Planned = await work.step("plan", Planned, lambda: self._plan(work, found))
        if isinstance(planned, CannotAnswer):
            raise failures.needs_language_model(planned.reason)
        await self._stream.say(work.prompt.client_uuid, messages.thought(work.prompt, planned, datetime.now(UTC)))
        ran = await work.step("run", RunResult, lambda: self._run(work, found, planned))
        return self._response(work, found, planned, ran)

    async def _plan(self, work: Work, found: Found) -> Planned:
        phrases = await _guarded(self._planner.phrases(found.question, found.tables))
        values = await self._indexer.find_values(work.asker, work.prompt, found, phrases)
        async with self._database.tenant(work.prompt.client_uuid) as tx:
            history = await prompt_rows.history(tx, work.prompt, HISTORY_TURNS)
        return await _guarded(self._planner.plan(found.question, found.tables, values, history, found.dialect))

    async def _run(self, work: Work, found: Found, planned: PlannedSql) -> RunResult:
        proved = await self._indexer.prove(work.asker, work.prompt, found.conn_uuid, planned.sql)
        if proved.refusal is not None:
            raise failures.not_proved(proved.refusal.reason, proved.refusal.suggestions)
        running = messages.status(work.prompt, "Running the query.", datetime.now(UTC))
        await self._stream.say(work.prompt.client_uuid, running)
        return await self._indexer.run(work.asker, work.prompt, found.conn_uuid, planned.sql)

    def _ask_back(self, work: Work, found: Found) -> Ending:
        aliases = tuple(option.alias for option in found.options)
        message = messages.clarification(work.prompt, QUESTION, aliases, self._usage(work), datetime.now(UTC))
        return Ending(message=message)

    def _response(self, work: Work, found: Found, planned: PlannedSql, ran: RunResult) -> Ending:
        kept = result_rows.NewResult(
            result_uuid=uuid4(),
            conn_uuid=found.conn_uuid,
            db_uuid=found.db_uuid,
            subtitle=planned.reading,
            description=describe(found.question, planned.reading, ran),
            result_type=messages.result_type(ran),
            ran=ran,
        )
        usage = self._usage(work, ran.database_seconds)
        message = messages.response(work.prompt, ran, kept.description, kept.result_uuid, usage, datetime.now(UTC))
        return Ending(message=message, result=kept)

    def _usage(self, work: Work, database_seconds: float = 0.0) -> Usage:
        return Usage(planner=self._planner.name, database_seconds=database_seconds, total_seconds=work.seconds())


async def _guarded(planning: Awaitable[T]) -> T:
    try:
        return await planning
    except CannotGoOn:
        raise
    except Exception as error:
        # A planner may fail in any way, and would fail again: the person learns it now, the log learns why.
        log.exception("the planner failed")
        raise failures.gave_up() from error
