"""What the built-in planner answers questions by, and what an embeddings model says of them, for `verified_eval`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import asyncpg

from basejump_chat_agent.adapters.embeddings import MOST_AT_ONCE, Embeddings, Vector
from basejump_chat_agent.domain.verified.nearness import (
    contradict,
    nearness,
    same_statement,
)
from basejump_chat_agent.settings import ModelSettings
from basejump_common.security.secret import Secret
from basejump_devstack.model_server import ModelServer
from basejump_planner import Plan, plan, value_phrases
from eval_planner import Rows, Slices, is_ordered, run, same

if TYPE_CHECKING:
    from eval_planner import Connection

Entry = dict[str, Any]


class Planned:
    """Verified are the planner's right answers; a question gets one where it is planned as the same statement."""

    def __init__(self, connection: "Connection", slices: Slices) -> None:
        self._connection = connection
        self._slices = slices
        self._statements: dict[tuple[str, str], str | None] = {}
        self._right: dict[str, bool] = {}
        self.vectors: dict[str, Vector] = {}

    async def serves(self, verified: Entry, question: str, *, vectors: bool) -> bool:
        """Whether that question gets the verified answer."""
        said, schema = verified["question"], verified["schema"]
        if contradict(said, question) or not self._near(said, question, vectors=vectors):
            return False
        mine, theirs = self._statement(schema, said), self._statement(schema, question)
        if mine is None or theirs is None or not same_statement(mine, theirs, "postgres"):
            return False
        return await self._is_right(verified, mine)

    async def agrees(self, verified: Entry, other: Entry) -> bool:
        """Whether the verified statement gives what the other question's own query does."""
        statement = self._statement(verified["schema"], verified["question"])
        return statement is not None and await self._gives(statement, other)

    async def embed(self, questions: Sequence[str]) -> None:
        """By the scripted model server, for which questions are near that share words."""
        async with ModelServer() as server:
            nobody = Secret("")
            settings = ModelSettings(
                nats_url="", nats_user="", nats_password=nobody, database_dsn=nobody, master_keys=nobody,
                embeddings="openai:scripted", embeddings_seconds=60, openai_base_url=server.openai_url,
                openai_api_key=Secret("any"),
            )  # fmt: skip
            embeddings = Embeddings(settings)
            await embeddings.warm_up()
            for place in range(0, len(questions), MOST_AT_ONCE):
                texts = questions[place : place + MOST_AT_ONCE]
                made = await embeddings.vectors(texts)
                assert made is not None
                self.vectors.update(zip(texts, made, strict=True))

    def _near(self, one: str, other: str, *, vectors: bool) -> bool:
        return nearness(one, other, (self.vectors[one], self.vectors[other]) if vectors else None) >= 1

    def _statement(self, schema: str, question: str) -> str | None:
        key = schema, question
        if key not in self._statements:
            tables = self._slices.tables[schema]
            planned = plan(question, tables, self._slices.hits(schema, value_phrases(question, tables)))
            self._statements[key] = planned.sql if isinstance(planned, Plan) else None
        return self._statements[key]

    async def _is_right(self, entry: Entry, statement: str) -> bool:
        if entry["id"] not in self._right:
            self._right[entry["id"]] = await self._gives(statement, entry)
        return self._right[entry["id"]]

    async def _gives(self, statement: str, entry: Entry) -> bool:
        try:
            gold = await run(self._connection, entry["gold"], entry["schema"])
            rows: Rows = await run(self._connection, statement, entry["schema"])
        except asyncpg.PostgresError:
            return False
        return same(gold, rows, ordered=is_ordered(entry["gold"])) if gold else not rows
