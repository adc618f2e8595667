"""Retrieval: what the question means, which database it is about, and the tables; waits while that is being indexed."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from basejump_chat_agent.adapters.chat_stream import ChatStream
from basejump_chat_agent.adapters.index_news import IndexNews
from basejump_chat_agent.adapters.indexer import Indexer
from basejump_chat_agent.domain import failures, messages
from basejump_chat_agent.domain.approving import approved, refused
from basejump_chat_agent.domain.charts import asked_chart, without_wishes
from basejump_chat_agent.domain.choice import Found, Meaning, found, named, options
from basejump_chat_agent.domain.conversation import Turn, without_rows
from basejump_chat_agent.domain.missing import put_right
from basejump_chat_agent.thread import Thread
from basejump_chat_agent.work import Work
from basejump_common.contracts.chat import MessageType
from basejump_common.contracts.connection import Retrieved
from basejump_planner import follow_up

POLL_SECONDS = 0.5


class Retrieving:
    """`wait` bounds, in seconds since the question was asked, how long it waits for an index."""

    def __init__(self, indexer: Indexer, stream: ChatStream, news: IndexNews, wait: float) -> None:
        self._indexer = indexer
        self._stream = stream
        self._news = news
        self._wait = wait

    async def retrieve(self, work: Work) -> Found:
        """The tables, or the databases to choose from. Raises CannotGoOn."""
        meaning = _meaning(work.thread)
        retrieved, turns = await asyncio.gather(
            self._when_indexed(work, meaning.meant), self._readable(work, meaning.turns)
        )
        meaning = msgspec.structs.replace(meaning, turns=turns)
        database = named(meaning.hint, options(retrieved))
        if database is not None:
            retrieved = await self._retrieve(work, meaning.meant, database.db_uuid)
        tables = found(meaning, retrieved)
        if tables is None:
            raise self._nothing_found(retrieved)
        return tables

    async def _when_indexed(self, work: Work, question: str) -> Retrieved:
        told = False
        while True:
            news = self._news.next()
            retrieved = await self._retrieve(work, question)
            if not retrieved.waiting_for or work.seconds() >= self._wait:
                return retrieved
            if not told:
                told = True
                await self._say(work, "The database is still being indexed; I answer as soon as that is done.")
            # A replica that hears nothing of the news looks twice a second.
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await news.wait()

    async def _readable(self, work: Work, turns: Sequence[Turn]) -> tuple[Turn, ...]:
        """Earlier answers as the asker may read them now: without the rows of those that have been withdrawn."""
        grants = [turn.ran_under for turn in turns if turn.rows and turn.ran_under is not None]
        held = await self._indexer.held(work.asker, grants) if grants else frozenset()
        return tuple(turn if not turn.rows or turn.ran_under in held else without_rows(turn) for turn in turns)

    async def _retrieve(self, work: Work, question: str, db_uuid: UUID | None = None) -> Retrieved:
        return await self._indexer.retrieve(work.asker, work.prompt.team_uuid, question, db_uuid)

    async def _say(self, work: Work, content: str) -> None:
        await self._stream.say(work.prompt.client_uuid, messages.status(work.prompt, content, datetime.now(UTC)))

    def _nothing_found(self, retrieved: Retrieved) -> failures.CannotGoOn:
        if retrieved.waiting_for:
            return failures.still_indexing(self._wait)
        return failures.index_failed(retrieved.failed) if retrieved.failed else failures.no_database()


def _meaning(thread: Thread) -> Meaning:
    """Raises CannotGoOn."""
    if refused(thread.asked, thread.said):
        raise failures.declined()
    question = thread.meant.question
    chart = asked_chart(question)
    # What was not answered is nothing to go on from.
    earlier = (turn.question for turn in thread.turns if turn.msg_type is not MessageType.ERROR)
    said = without_wishes([*earlier, question]) or (question,)
    return Meaning(
        question=question,
        meant=put_right(follow_up(said[-1], said[:-1]), thread.chosen),
        known_missing=tuple(word for word, value in thread.chosen.items() if word == value),
        chart=None if chart is None else chart.wish,
        hint="\n".join([one.answered for one in thread.clarified] or [thread.said]),
        approved=approved(thread.asked, thread.said),
        turns=thread.turns,
        clarified=thread.clarified,
    )
