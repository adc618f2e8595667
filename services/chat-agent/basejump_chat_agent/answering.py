"""The answer to a question: retrieve, let an answerer work with its tools, keep what came of it. Steps finish once."""

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec

from basejump_chat_agent.adapters import awaiting_rows, prompt_rows, result_rows, verified_rows
from basejump_chat_agent.adapters.chat_stream import ChatStream
from basejump_chat_agent.adapters.embeddings import Embeddings
from basejump_chat_agent.adapters.indexer import Indexer, background_context
from basejump_chat_agent.adapters.verified_rows import Served
from basejump_chat_agent.answerers import Answerers
from basejump_chat_agent.charting import Charting
from basejump_chat_agent.domain import failures, messages
from basejump_chat_agent.domain.answerer import Answer, Answered, Asked, AskedBack, Option, Said
from basejump_chat_agent.domain.choice import QUESTION, Found
from basejump_chat_agent.domain.failures import CannotGoOn, NeedsPerson
from basejump_chat_agent.domain.new_result import NewResult, Recalled
from basejump_chat_agent.domain.prompt import AnswerPrompt
from basejump_chat_agent.domain.rules import Rules
from basejump_chat_agent.domain.verified.awaiting import Awaiting, awaiting
from basejump_chat_agent.domain.verified.rights import may_get_unverified
from basejump_chat_agent.domain.verified.standing import standing_question
from basejump_chat_agent.domain.words import final_words
from basejump_chat_agent.endings import announce_later, settle
from basejump_chat_agent.expiring import expire_later
from basejump_chat_agent.nearby import Nearby, confirmed
from basejump_chat_agent.recalling import Recalling
from basejump_chat_agent.retrieving import Retrieving
from basejump_chat_agent.toolbox import Tools
from basejump_chat_agent.work import Work
from basejump_common.contracts.chat import Message
from basejump_common.errors import BasejumpError
from basejump_common.storage.database import Database, Transaction
from basejump_common.storage.jobs import Job, LeaseLost
from basejump_common.telemetry import bind_request

ANSWER = "answer"

log = logging.getLogger(__name__)


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """A final message, and the result it rests on. `only_verified`: it may be told only while that is verified;
    `awaiting`: what has to be verified first."""

    message: Message
    result: NewResult | None = None
    only_verified: bool = False
    awaiting: Awaiting | None = None


class Answering:
    """Carries out `answer` jobs. Whatever happens, a prompt ends with one final message."""

    def __init__(
        self,
        database: Database,
        indexer: Indexer,
        retrieving: Retrieving,
        answerers: Answerers,
        embeddings: Embeddings,
        stream: ChatStream,
    ) -> None:
        self._database = database
        self._indexer = indexer
        self._recalling = Recalling(database, indexer, stream)
        self._nearby = Nearby(database, embeddings)
        self._charting = Charting(indexer)
        self._retrieving = retrieving
        self._answerers = answerers
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
            final = await settle(tx, prompt, final, background_context(job.payload.asker)) or final
        await announce_later(tx, prompt, final)

    async def _store(self, work: Work, ending: Ending) -> Message:
        context = background_context(work.asker)
        async with work.job.writing(self._database) as tx:
            ending = await _as_it_stands(tx, work, ending)
            stored = await settle(tx, work.prompt, ending.message, context, ending.result)
            if stored is None:
                raise LeaseLost
            if ending.awaiting is not None:
                await awaiting_rows.wait(tx, work.prompt, ending.awaiting)
            if ending.result is not None:
                await result_rows.insert(tx, work.prompt, ending.result)
                await expire_later(tx, work.prompt.client_uuid)
        return stored

    async def _ending(self, work: Work) -> Ending:
        try:
            return await self._pipeline(work)
        except CannotGoOn as reason:
            log.info("prompt %s ends with %s", work.prompt.prompt_uuid, reason.code)
            return Ending(message=messages.failure(work.prompt, reason, datetime.now(UTC), work.usage()))

    async def _pipeline(self, work: Work) -> Ending:
        found = await work.step("retrieve", Found, lambda: self._retrieving.retrieve(work))
        if found.options:
            options = tuple(Option(label=option.alias) for option in found.options)
            return self._ask_back(work, AskedBack(question=QUESTION, options=options))
        rules = await self._answerers.rules(work.prompt.llm, work.asker)
        only_verified = not may_get_unverified(work.asker.role, strict=rules.strict)
        try:
            recalled = await self._recalling.recall(work, found, rules)
        except NeedsPerson as needs:
            return self._ask_back(work, needs.asked_back)
        if recalled is not None:
            ending = await self._recalled(work, found, recalled)
        else:
            near = await self._nearby.look(work, found)
            plan = self._verified_alone if only_verified else self._planned
            ending = await plan(work, found, rules, near)
        return msgspec.structs.replace(ending, only_verified=only_verified)

    async def _planned(self, work: Work, found: Found, rules: Rules, near: tuple[Served, ...]) -> Ending:
        try:
            answer = await self._answer(work, found, rules)
        except NeedsPerson as needs:
            answer = needs.asked_back
        match answer:
            case Answered() as answered:
                same = confirmed(near, found, answered)
                if same is not None:
                    return await self._recalled(work, found, same, answered.chart)
                return await self._response(work, found, answered)
            case AskedBack() as asked_back:
                return self._ask_back(work, asked_back)
            case Said(words=words):
                now = datetime.now(UTC)
                return Ending(message=messages.remark(work.prompt, words, work.usage(), now))

    async def _verified_alone(self, work: Work, found: Found, rules: Rules, near: tuple[Served, ...]) -> Ending:
        """Planned only where it may come to a verified answer; whatever else comes of it is nobody's to hear."""
        if near:
            with suppress(CannotGoOn):
                ending = await self._planned(work, found, rules, near)
                if ending.result is not None and ending.result.recalled is not None:
                    return ending
        return _not_verified(work, found.db_uuid, standing_question(found))

    async def _answer(self, work: Work, found: Found, rules: Rules) -> Answer:
        tools = Tools(self._database, work, found, self._indexer, self._stream, rules)
        asked = Asked(
            question=found.question,
            meant=found.meant or found.question,
            dialect=found.dialect,
            database=found.database,
            tables=found.tables,
            functions=found.functions,
            turns=found.turns,
            clarified=found.clarified,
        )
        limit = rules.limits.seconds_per_question
        try:
            async with asyncio.timeout(limit) as time:
                return await (await self._answerers.of(rules)).answer(asked, tools)
        except (CannotGoOn, LeaseLost, BasejumpError):
            raise
        except TimeoutError as error:
            if limit is None or not time.expired():
                raise failures.gave_up() from error
            await tools.cancel()
            raise failures.over_limit("seconds_per_question", limit) from error
        except Exception as error:
            # An answerer may fail in any way, and would fail again: the person learns it now, the log learns why.
            log.exception("the answerer failed")
            raise failures.gave_up() from error

    def _ask_back(self, work: Work, asked_back: AskedBack) -> Ending:
        return Ending(message=messages.clarification(work.prompt, asked_back, work.usage(), datetime.now(UTC)))

    async def _recalled(
        self, work: Work, found: Found, recalled: Recalled, chart: dict[str, Any] | None = None
    ) -> Ending:
        """A verified answer is said like any other."""
        there = msgspec.structs.replace(found, conn_uuid=recalled.conn_uuid)
        answered = Answered(reading=recalled.reading, ran=recalled.ran, chart=chart)
        return await self._response(work, there, answered, recalled)

    async def _response(self, work: Work, found: Found, answered: Answered, recalled: Recalled | None = None) -> Ending:
        kept = NewResult(
            result_uuid=uuid4(),
            conn_uuid=found.conn_uuid,
            db_uuid=found.db_uuid,
            subtitle=answered.reading,
            description=final_words(answered.words, found.question, answered.reading, answered.ran),
            ran=answered.ran,
            visual=await self._charting.visual(work, found, answered.ran, answered.chart),
            question=standing_question(found),
            dialect=found.dialect,
            recalled=recalled,
        )
        message = messages.response(work.prompt, kept, work.usage(), datetime.now(UTC))
        return Ending(message=messages.for_reader(message, work.asker.role), result=kept)


def _not_verified(work: Work, db_uuid: UUID, question: str) -> Ending:
    message = messages.failure(work.prompt, failures.not_verified(), datetime.now(UTC), work.usage())
    return Ending(message=message, awaiting=awaiting(db_uuid, question))


async def _as_it_stands(tx: Transaction, work: Work, ending: Ending) -> Ending:
    """What came from a verified answer that has fallen since isn't verified, and isn't told to who gets only those."""
    result = ending.result
    if result is None or result.recalled is None or await verified_rows.stands(tx, result.recalled.came_from):
        return ending
    if ending.only_verified:
        return _not_verified(work, result.db_uuid, result.question)
    message = msgspec.structs.replace(
        ending.message, verified=False, verified_user_role=None, verified_user_uuid=None, can_verify=True
    )
    return Ending(message=message, result=msgspec.structs.replace(result, recalled=None))
