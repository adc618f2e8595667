"""Measures the built-in planner on questions with known answers: strict execution accuracy, precision, coverage.

    python -m tests.load.eval_planner --data FOLDER [--dsn DSN] [--every N] [--report FILE]

FOLDER holds `questions/train.jsonl.gz` (id, schema, question, paraphrase, gold) and `questions/train_databases.sql.gz`
(one schema per question set). Without `--dsn` an embedded PostgreSQL is started and the databases are loaded into it.
Strict: the rows equal the gold's as a multiset, columns in any order, row order only where the gold orders at the top,
numbers to two decimals, text stripped; questions whose gold result is empty or all NULL are left out.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from basejump_planner import CannotAnswer, Column, ForeignKey, Plan, Table, ValueHit, plan, value_phrases

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

Rows = list[tuple[Any, ...]]
_MOST_COLUMNS_TO_PERMUTE = 6
_KINDS = ("question", "paraphrase")

_COLUMNS = """
select n.nspname as schema, c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type,
       coalesce(a.attnum = any(p.conkey), false) as primary_key
from pg_class c join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_constraint p on p.conrelid = c.oid and p.contype = 'p'
where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema', 'public')
order by 1, 2, a.attnum
"""
_FOREIGN_KEYS = """
select n.nspname as schema, c.relname as table, fn.nspname as to_schema, f.relname as to_table,
       (select array_agg(a.attname::text order by k.i) from unnest(x.conkey) with ordinality k(n, i)
        join pg_attribute a on a.attrelid = x.conrelid and a.attnum = k.n) as columns,
       (select array_agg(a.attname::text order by k.i) from unnest(x.confkey) with ordinality k(n, i)
        join pg_attribute a on a.attrelid = x.confrelid and a.attnum = k.n) as to_columns
from pg_constraint x join pg_class c on c.oid = x.conrelid join pg_namespace n on n.oid = c.relnamespace
join pg_class f on f.oid = x.confrelid join pg_namespace fn on fn.oid = f.relnamespace
where x.contype = 'f' order by x.oid
"""


@dataclass
class Slices:
    """Every schema as a slice of tables, and where each text value stands."""

    tables: dict[str, list[Table]]
    values: dict[str, dict[str, list[tuple[str, str, str]]]]

    def hits(self, schema: str, phrases: Sequence[str]) -> list[ValueHit]:
        found = self.values[schema]
        return [
            ValueHit(phrase=phrase, schema=schema, table=table, column=column, value=value)
            for phrase in phrases
            for table, column, value in found.get(phrase.lower(), ())
        ]


@dataclass
class Score:
    """How one kind of question went."""

    asked: int = 0
    right: int = 0
    wrong: int = 0
    seconds: list[float] = field(default_factory=list)

    def line(self, name: str) -> str:
        answered = self.right + self.wrong
        slowest = sorted(self.seconds)[int(len(self.seconds) * 0.99)] * 1000 if self.seconds else 0.0
        return (
            f"{name:10} asked {self.asked}  strict accuracy {_share(self.right, self.asked)}  precision "
            f"{_share(self.right, answered)}  coverage {_share(answered, self.asked)}  plan p99 {slowest:.1f} ms"
        )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "-"


async def load_slices(connection: Connection) -> Slices:
    columns: dict[tuple[str, str], list[Column]] = defaultdict(list)
    for row in await connection.fetch(_COLUMNS):
        column = Column(name=row["column"], type=row["type"], primary_key=row["primary_key"])
        columns[row["schema"], row["table"]].append(column)
    keys: dict[tuple[str, str], list[ForeignKey]] = defaultdict(list)
    for row in await connection.fetch(_FOREIGN_KEYS):
        keys[row["schema"], row["table"]].append(
            ForeignKey(
                columns=tuple(row["columns"]),
                references_schema=row["to_schema"],
                references_table=row["to_table"],
                references_columns=tuple(row["to_columns"]),
            )
        )
    slices = Slices(defaultdict(list), defaultdict(lambda: defaultdict(list)))
    for (schema, name), its in columns.items():
        table = Table(schema=schema, name=name, columns=tuple(its), foreign_keys=tuple(keys[schema, name]))
        slices.tables[schema].append(table)
        await _load_values(connection, table, slices)
    return slices


async def _load_values(connection: Connection, table: Table, slices: Slices) -> None:
    for column in table.columns:
        if column.type == "text" or column.type.startswith("character"):
            query = f'select distinct "{column.name}" from "{table.schema}"."{table.name}"'
            for (value,) in await connection.fetch(f'{query} where "{column.name}" is not null'):
                slices.values[table.schema][value.strip().lower()].append((table.name, column.name, value))


def normal(rows: Sequence[Sequence[Any]]) -> Rows:
    return [tuple(_normal_value(value) for value in row) for row in rows]


def _normal_value(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float, Decimal)):
        return round(float(value), 2)
    return str(value).strip()


def same(gold: Rows, found: Rows, *, ordered: bool) -> bool:
    """Whether the rows are equal, for some order of the columns."""
    if len(gold) != len(found) or not gold:
        return False
    width = len(gold[0])
    if width != len(found[0]) or width > _MOST_COLUMNS_TO_PERMUTE:
        return gold == found
    for order in itertools.permutations(range(width)):
        turned = [tuple(row[i] for i in order) for row in found]
        if turned == gold if ordered else Counter(turned) == Counter(gold):
            return True
    return False


async def run(connection: Connection, sql: str, schema: str) -> Rows:
    async with connection.transaction(readonly=True):
        await connection.execute("select set_config('search_path', $1, true)", schema)
        return normal([tuple(row) for row in await connection.fetch(sql, timeout=20)])


def is_ordered(gold: str) -> bool:
    depth = 0
    for position, character in enumerate(gold):
        depth += (character == "(") - (character == ")")
        if depth == 0 and gold.startswith("ORDER BY", position):
            return True
    return False


@dataclass
class Evaluation:
    """One run over questions: what was scored, and a line or more on each answer."""

    connection: Connection
    slices: Slices
    scores: dict[str, Score] = field(default_factory=lambda: {kind: Score() for kind in _KINDS})
    report: list[str] = field(default_factory=list)

    async def judge(self, entry: dict[str, Any]) -> None:
        gold = await run(self.connection, entry["gold"], entry["schema"])
        if not gold or all(value is None for row in gold for value in row):
            return
        for kind in _KINDS:
            await self._judge(entry, kind, gold)

    async def _judge(self, entry: dict[str, Any], kind: str, gold: Rows) -> None:
        score = self.scores[kind]
        answer = self._answer(entry[kind], entry["schema"], score)
        heading = f"{kind} {entry['id']} {entry['schema']}\n  {entry[kind]}"
        if isinstance(answer, CannotAnswer):
            self.report.append(f"DECLINED {heading}\n  {answer.reason}\n  {entry['gold']}\n")
            return
        try:
            rows = await run(self.connection, answer.sql, entry["schema"])
            right, problem = same(gold, rows, ordered=is_ordered(entry["gold"])), ""
        except asyncpg.PostgresError as error:
            right, problem = False, f"{type(error).__name__}: {error}"
        score.right += right
        score.wrong += not right
        verdict = "RIGHT" if right else "WRONG"
        self.report.append(f"{verdict} {heading}\n  {answer.sql}\n  {entry['gold']}\n  {problem}\n")

    def _answer(self, question: str, schema: str, score: Score) -> Plan | CannotAnswer:
        tables = self.slices.tables[schema]
        started = time.perf_counter()
        hits = self.slices.hits(schema, value_phrases(question, tables))
        answer = plan(question, tables, hits)
        score.seconds.append(time.perf_counter() - started)
        score.asked += 1
        return answer


@asynccontextmanager
async def database(dsn: str | None, dump: Path) -> AsyncIterator[Connection]:
    if dsn is not None:
        connection = await asyncpg.connect(dsn)
        try:
            yield connection
        finally:
            await connection.close()
        return
    from basejump_devstack.postgres import EmbeddedPostgres  # only needed without --dsn

    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedPostgres(Path(folder) / "pg") as server:
            load_dump(server.dsn(), dump)
            connection = await asyncpg.connect(server.dsn())
            try:
                yield connection
            finally:
                await connection.close()


def load_dump(dsn: str, dump: Path) -> None:
    from basejump_devstack.pg_binaries import binaries_for, unprivileged_account  # only needed without --dsn

    psql = binaries_for(unprivileged_account()) / "psql"
    script = gzip.decompress(dump.read_bytes())
    subprocess.run([psql, "-q", "-d", dsn], input=script, stdout=subprocess.DEVNULL, check=True)


def read_questions(path: Path, every: int) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if number % every == 0:
                yield json.loads(line)


async def main(arguments: argparse.Namespace) -> int:
    folder = arguments.data and Path(arguments.data) / "questions"
    if not folder or not (folder / "train.jsonl.gz").exists():
        print("The evaluation data isn't here: give its folder by --data or BASEJUMP_EVAL_DATA. Nothing was measured.")
        return 2
    questions = list(read_questions(folder / "train.jsonl.gz", arguments.every))
    async with database(arguments.dsn, folder / "train_databases.sql.gz") as connection:
        evaluation = Evaluation(connection, await load_slices(connection))
        for entry in questions:
            await evaluation.judge(entry)
    for kind, score in evaluation.scores.items():
        print(score.line(kind))
    if arguments.report:
        await asyncio.to_thread(Path(arguments.report).write_text, "\n".join(evaluation.report), encoding="utf-8")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("BASEJUMP_EVAL_DATA"), help="folder of the evaluation data")
    parser.add_argument("--dsn", help="a database that holds the dump already")
    parser.add_argument("--every", type=int, default=1, help="only every Nth question")
    parser.add_argument("--report", help="file for every question with what became of it")
    sys.exit(asyncio.run(main(parser.parse_args())))
