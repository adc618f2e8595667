"""Verified answers to questions in other words: looked for before a question is planned, decided once it is.

A question that no verified one means word for word is answered like any other. Where the statement that answers it is
one that was verified for a question near it, and neither question contradicts the other, the answer is that verified
one. Served they are by the words that both have, and by vectors where the operator chose a model for that.
"""

import asyncio
from array import array
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from basejump_chat_agent.adapters import near_rows
from basejump_chat_agent.adapters.embeddings import MOST_AT_ONCE, Embeddings, Vector
from basejump_chat_agent.adapters.near_rows import Known
from basejump_chat_agent.adapters.verified_rows import Served
from basejump_chat_agent.domain.answerer import Answered
from basejump_chat_agent.domain.choice import Found
from basejump_chat_agent.domain.new_result import Recalled
from basejump_chat_agent.domain.verified.filters import tells_time
from basejump_chat_agent.domain.verified.nearness import (
    MOST_NEAR,
    contradict,
    nearness,
    same_statement,
)
from basejump_chat_agent.domain.verified.standing import standing_question
from basejump_chat_agent.domain.verified.wording import depends_on_today, words_of
from basejump_chat_agent.work import Work
from basejump_common.storage.database import Database


class Neighbours(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of the step, nearest first."""

    near: tuple[Served, ...] = ()


class _Vectors(NamedTuple):
    """Of the question, and of the verified ones by their results."""

    asked: Vector
    verified: Mapping[UUID, Vector]


class Nearby:
    """Looks for verified questions that are near one."""

    def __init__(self, database: Database, embeddings: Embeddings) -> None:
        self._database = database
        self._embeddings = embeddings

    async def look(self, work: Work, found: Found) -> tuple[Served, ...]:
        """At most MOST_NEAR that the question doesn't contradict, nearest first."""
        question = standing_question(found)
        if not words_of(question) or not work.any_verified:
            return ()
        return (await work.step("near", Neighbours, lambda: self._look(work, found.db_uuid, question))).near

    async def _look(self, work: Work, db_uuid: UUID, question: str) -> Neighbours:
        async with self._database.tenant(work.prompt.client_uuid) as tx:
            known = await near_rows.known(tx, db_uuid, self._embeddings.model)
        possible = [one for one in known if not contradict(one.found_by, question)]
        if not possible:
            return Neighbours()
        vectors = await self._vectors(work, question, possible)
        # Hundreds of vectors of a thousand numbers take longer than others should wait.
        return await asyncio.to_thread(_nearest, question, possible, vectors)

    async def _vectors(self, work: Work, question: str, possible: Sequence[Known]) -> "_Vectors | None":
        """None while nobody makes them."""
        new = [one for one in possible if one.vector is None][: MOST_AT_ONCE - 1]
        made = await self._embeddings.vectors([question, *(one.found_by for one in new)])
        if made is None:
            return None
        fresh = dict(zip((one.result_uuid for one in new), made[1:], strict=True))
        if fresh:
            async with self._database.tenant(work.prompt.client_uuid) as tx:
                stored = {result_uuid: vector.tobytes() for result_uuid, vector in fresh.items()}
                await near_rows.keep(tx, self._embeddings.model, stored)
        kept = {one.result_uuid: array("f", one.vector) for one in possible if one.vector is not None}
        return _Vectors(made[0], kept | fresh)


def _nearest(question: str, possible: Sequence[Known], vectors: _Vectors | None) -> Neighbours:
    ranked = [(_nearness(question, one, vectors), one) for one in possible]
    ranked = sorted((pair for pair in ranked if pair[0] >= 1), key=lambda pair: -pair[0])
    return Neighbours(near=tuple(msgspec.convert(one, Served, from_attributes=True) for _, one in ranked[:MOST_NEAR]))


def _nearness(question: str, one: Known, vectors: _Vectors | None) -> float:
    vector = None if vectors is None else vectors.verified.get(one.result_uuid)
    return nearness(one.found_by, question, None if vectors is None or vector is None else (vectors.asked, vector))


def confirmed(near: Sequence[Served], found: Found, answered: Answered) -> Recalled | None:
    """The verified answer that this is, of those that are near; None where it is another one."""
    sql = answered.ran.ground.sql or answered.ran.proof.sql
    today = depends_on_today(words_of(standing_question(found)))
    for one in near:
        if not one.rests_on(answered.ran.ground):
            continue
        if same_statement(one.statement, sql, one.dialect) and (not today or tells_time(sql, one.dialect)):
            return Recalled(
                came_from=one.result_uuid,
                role=one.verified_user_role,
                user_uuid=one.verified_user_uuid,
                reading=one.reading or answered.reading,
                conn_uuid=found.conn_uuid,
                ran=answered.ran,
                fresh_at=datetime.now(UTC),
            )
    return None
