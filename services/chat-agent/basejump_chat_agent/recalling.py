"""The verified cache: a question that was answered before, and whose answer somebody has verified.

Whatever is served is proved again under the asker's grants. Rows are used again only for the same connection and team,
and for a day; else the statement runs again. Where anything is in doubt the question is answered like any other.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from basejump_chat_agent.adapters import verified_rows
from basejump_chat_agent.adapters.chat_stream import ChatStream
from basejump_chat_agent.adapters.indexer import Indexer
from basejump_chat_agent.adapters.verified_rows import Verified
from basejump_chat_agent.domain.choice import Found
from basejump_chat_agent.domain.failures import CannotGoOn, TryAgain
from basejump_chat_agent.domain.new_result import Recalled
from basejump_chat_agent.domain.rules import Rules
from basejump_chat_agent.domain.verified.filters import Changed, tells_time, with_value
from basejump_chat_agent.domain.verified.matching import Apart, Vocabulary, mean_the_same, one_value_apart
from basejump_chat_agent.domain.verified.standing import standing_question
from basejump_chat_agent.domain.verified.wording import depends_on_today, plain, signature, words_of
from basejump_chat_agent.toolbox import Tools
from basejump_chat_agent.work import Work
from basejump_common.contracts.connection import FindValues, Prove, Proved, RunResult
from basejump_common.storage.database import Database

FRESH = timedelta(days=1)


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """What answers the question: the verified result, over which connection, and its statement or one with another
    value; `reading`: the question as it was understood. `reuse`: its rows are fresh and may be used again."""

    verified: Verified
    conn_uuid: UUID
    sql: str
    reading: str
    reuse: bool = False


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of the step."""

    hit: Hit | None = None


@dataclass(frozen=True)
class Wording:
    """A question, the words of the schema that it is about, and whether it names a time by its distance from now."""

    question: str
    vocabulary: Vocabulary
    today: bool


@dataclass(frozen=True)
class Wanted:
    """The statement that would answer the question, and how that was understood; empty where nobody knows."""

    sql: str
    reading: str


class Recalling:
    """Looks in the cache before anything is planned."""

    def __init__(self, database: Database, indexer: Indexer, stream: ChatStream) -> None:
        self._database = database
        self._indexer = indexer
        self._stream = stream

    async def recall(self, work: Work, found: Found, rules: Rules) -> Recalled | None:
        """The answer, or None where no verified one fits, or what fits can't be proved or run for this asker."""
        looked = await work.step("verified", Looked, lambda: self._look(work, found))
        hit = looked.hit
        if hit is None:
            return None
        try:
            ran = await self._rows(work, found, hit, rules)
        except TryAgain:
            return None
        if ran is None:
            return None
        return Recalled(
            came_from=hit.verified.result_uuid,
            role=hit.verified.verified_user_role,
            user_uuid=hit.verified.verified_user_uuid,
            reading=hit.reading,
            conn_uuid=hit.conn_uuid,
            ran=ran,
            fresh_at=hit.verified.fresh_at if ran.run_uuid == hit.verified.run_uuid else datetime.now(UTC),
        )

    async def _look(self, work: Work, found: Found) -> Looked:
        question = standing_question(found)
        words = words_of(question)
        if not words or not work.any_verified:
            return Looked()
        async with self._database.tenant(work.prompt.client_uuid) as tx:
            known = await verified_rows.candidates(tx, found.db_uuid, signature(words))
        if not known:
            return Looked()
        asked = Wording(question, _vocabulary(found), today=depends_on_today(words))
        ranked = sorted(known, key=lambda one: _preference(one, found), reverse=True)
        # Hundreds of comparisons take longer than others should wait.
        for verified, apart in await asyncio.to_thread(_fitting, ranked, asked):
            if apart is None:
                hit = await self._provable(work, found, verified, Wanted(verified.statement, verified.reading))
            else:
                hit = await self._with_value(work, found, verified, apart)
            if hit is not None:
                return Looked(hit=hit)
        return Looked()

    async def _with_value(self, work: Work, found: Found, verified: Verified, apart: Apart) -> Hit | None:
        """With a text only where it is a value of the filtered column, and of no column of another name."""
        changed = with_value(verified.statement, apart, verified.dialect)
        if changed is None:
            return None
        if apart.number:
            return await self._provable(work, found, verified, _wanted(changed, verified, apart))
        spelled = await self._spelled(work, found, apart.asked, changed.column)
        if spelled is None:
            return None
        apart = msgspec.structs.replace(apart, asked=spelled)
        right = with_value(verified.statement, apart, verified.dialect)
        return None if right is None else await self._provable(work, found, verified, _wanted(right, verified, apart))

    async def _spelled(self, work: Work, found: Found, text: str, column: str | None) -> str | None:
        values = await self._indexer.find_values(
            work.asker,
            FindValues(
                conn_uuid=found.conn_uuid,
                team_uuid=work.prompt.team_uuid,
                tbl_uuids=tuple(table.tbl_uuid for table in found.tables),
                phrases=(text,),
            ),
        )
        same = [value for value in values if plain(value.value) == plain(text)]
        if {value.column_name.lower() for value in same} != {column}:
            return None
        return same[0].value if len({value.value for value in same}) == 1 else None

    async def _provable(self, work: Work, found: Found, verified: Verified, wanted: Wanted) -> Hit | None:
        """Over its own connection where the asker's team has that, else over the one that the question found."""
        sql, reading = wanted.sql, wanted.reading or (found.meant or found.question).rstrip(" .?!")
        for conn_uuid in dict.fromkeys((verified.conn_uuid, found.conn_uuid)):
            proved = await self._prove(work, conn_uuid, sql)
            if proved is not None and verified.rests_on(proved.ground):
                reuse = _reusable(work, verified, conn_uuid, sql)
                return Hit(verified=verified, conn_uuid=conn_uuid, sql=sql, reading=reading, reuse=reuse)
        return None

    async def _prove(self, work: Work, conn_uuid: UUID, sql: str) -> Proved | None:
        try:
            proved = await self._indexer.prove(
                work.asker, Prove(conn_uuid=conn_uuid, team_uuid=work.prompt.team_uuid, sql=sql)
            )
        except CannotGoOn as reason:
            if reason.code == "not_found":
                return None
            raise
        return None if proved.proof is None else proved

    async def _rows(self, work: Work, found: Found, hit: Hit, rules: Rules) -> RunResult | None:
        if hit.reuse:
            proved = await self._prove(work, hit.conn_uuid, hit.sql)
            if proved is None or proved.proof is None or not hit.verified.rests_on(proved.ground):
                return None
            # Rows that were fetched by another login, or when more could be seen, aren't those that this one would get.
            if hit.verified.permissions_print == proved.ground.permissions:
                return hit.verified.rows_under(proved.proof, proved.ground)
        there = msgspec.structs.replace(found, conn_uuid=hit.conn_uuid)
        tools = Tools(self._database, work, there, self._indexer, self._stream, rules)
        ran = await tools.run_sql("verified", hit.sql)
        work.meter.statement_ran(ran)
        return ran


def _wanted(changed: Changed, verified: Verified, apart: Apart) -> Wanted:
    once = verified.reading.count(apart.verified) == 1
    return Wanted(changed.sql, verified.reading.replace(apart.verified, apart.asked) if once else "")


def _vocabulary(found: Found) -> Vocabulary:
    columns = (column.column_name for table in found.tables for column in table.columns)
    return Vocabulary((*(table.table_name for table in found.tables), *columns))


def _fitting(known: Sequence[Verified], asked: Wording) -> list[tuple[Verified, Apart | None]]:
    """Those whose question means the same; then those that differ in one value, with that."""
    found: list[tuple[Verified, Apart | None]] = []
    for verified in known:
        if mean_the_same(verified.found_by, asked.question, asked.vocabulary):
            apart = None
        elif (apart := one_value_apart(verified.found_by, asked.question, asked.vocabulary)) is None:
            continue
        if not asked.today or tells_time(verified.statement, verified.dialect):
            found.append((verified, apart))
    return sorted(found, key=lambda one: one[1] is not None)


def _preference(verified: Verified, found: Found) -> tuple[bool, bool, int]:
    """The same words before others, then the same connection, then who verified it."""
    words = words_of(verified.found_by) == words_of(found.meant or found.question)
    return words, verified.conn_uuid == found.conn_uuid, verified.verified_user_role.rank


def _reusable(work: Work, verified: Verified, conn_uuid: UUID, sql: str) -> bool:
    same = (conn_uuid, sql, work.prompt.team_uuid) == (verified.conn_uuid, verified.statement, verified.team_uuid)
    fresh = datetime.now(UTC) - verified.fresh_at < FRESH
    return same and fresh and not tells_time(sql, verified.dialect)
