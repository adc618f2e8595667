"""Do gold queries give the same rows through the whole of connection-indexer (index, proof, budget, run) as directly?

    PYTHONPATH=tests python tests/load/eval_run.py [--data FOLDER] [--every N]

FOLDER (default $BASEJUMP_EVAL_DATA) holds `questions/`. Queries that are refused, fail or give other rows are listed.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg

from basejump_common.contracts import connection
from basejump_common.contracts.connection import ByDatabase, CreatedDatabase, Schema
from basejump_common.errors import BasejumpError, NotProved
from basejump_devstack.postgres import EmbeddedPostgres
from connection_house import READER_PASSWORD, Customer, Desk, Office, connected
from eval_planner import load_dump, read_questions
from installation import Installation
from same_rows import Verdict, comparable, compare, kept_rows

DATABASE, READER = "train", "train_reader"
_AT_ONCE = 4


class Evaluation:
    """Counts what became of each gold; `office` asks, `customer` is asked directly."""

    def __init__(self, desk: Desk, office: Office, customer: Customer, results: Path) -> None:
        self.counts: Counter[str] = Counter()
        self._desk = desk
        self._office = office
        self._customer = customer
        self._results = results
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def judge(self, schema: str, questions: Sequence[dict[str, Any]]) -> None:
        """Add the schema as a database of its own, run its golds both ways, and delete it, which ends its sessions."""
        fields = self._desk.fields(
            self._customer,
            schemas=(Schema(schema_nm=schema),),
            database_name_alias=schema,
            include_default_schema=False,
        )
        async with self._places:
            created = await self._office.add(fields)
            for question in questions:
                found, detail = await self._judged(created, schema, question["gold"])
                self.counts[found] += 1
                if detail:
                    print(f"{found}: {question['id']} {question['gold']} | {detail}")
            await self._office.admin.call(connection.DELETE_DATABASE, ByDatabase(db_uuid=created.db_uuid))

    async def _judged(self, created: CreatedDatabase, schema: str, gold: str) -> tuple[str, str]:
        try:
            result = await self._office.run(created, gold)
        except NotProved as error:
            return "refused", error.message
        except BasejumpError as error:
            return "failed", f"{error.code}: {error.message}"
        async with self._customer.session() as session:
            await session.execute(f'set search_path = "{schema}"; set timezone = "UTC"')
            direct = comparable(tuple(row) for row in await session.fetch(gold))
        kept = await asyncio.to_thread(kept_rows, self._results, result)
        verdict = compare(kept, direct)
        if verdict is Verdict.OTHER_ORDER and "order by" not in gold.lower():
            return "same rows in an order that nobody asked for", ""
        return verdict, "" if verdict is Verdict.SAME else result.proof.sql


async def main(data: Path, every: int) -> int:
    """0 when all that is proved gives the same rows."""
    by_schema: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for question in read_questions(data / "questions/train.jsonl.gz", every):
        by_schema[question["schema"]].append(question)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with EmbeddedPostgres(folder / "postgres", durable=False) as server:
            customer = await _loaded(server, data / "questions/train_databases.sql.gz")
            results = folder / "results"
            async with (
                Installation.open(server, folder / "installation") as installation,
                connected(installation, folder / "tls", results_url=results.as_uri()) as desk,
            ):
                evaluation = Evaluation(desk, await desk.office(), customer, results)
                await asyncio.gather(*(evaluation.judge(schema, asked) for schema, asked in by_schema.items()))
    print(f"{evaluation.counts.total()} golds: {dict(evaluation.counts)}")
    return 1 if evaluation.counts["failed"] or evaluation.counts[Verdict.DIFFERENT] else 0


async def _loaded(server: EmbeddedPostgres, dump: Path) -> Customer:
    admin = await asyncpg.connect(server.dsn())
    quoted = await admin.fetchval("select quote_literal($1::text)", READER_PASSWORD)
    await admin.execute(f"create database {DATABASE}")
    await admin.execute(f"create role {READER} login password {quoted}; grant pg_read_all_data to {READER}")
    await admin.close()
    await asyncio.to_thread(load_dump, server.dsn(database=DATABASE), dump)
    customer = Customer(DATABASE, READER, server.dsn(database=DATABASE))
    await customer.execute("analyze")
    return customer


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", default=os.environ.get("BASEJUMP_EVAL_DATA", ""), help="folder of the evaluation data"
    )
    parser.add_argument("--every", type=int, default=1, help="only every Nth question")
    given = parser.parse_args()
    if not (Path(given.data) / "questions/train.jsonl.gz").exists():
        sys.exit(
            "The evaluation data isn't here: give its folder by --data or BASEJUMP_EVAL_DATA. Nothing was measured."
        )
    sys.exit(asyncio.run(main(Path(given.data), given.every)))
