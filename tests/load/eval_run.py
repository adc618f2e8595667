"""Do gold queries give the same rows through the whole of connection-indexer (index, proof, budget, run) as directly?

    PYTHONPATH=tests python tests/load/eval_run.py [--data FOLDER] [--engine postgres|mariadb] [--every N]

FOLDER (default $BASEJUMP_EVAL_DATA) holds `questions/`. Queries that are refused, fail or give other rows are listed.
For MariaDB the tables are copied to it, without keys, and the golds translated; those that it doesn't take are counted.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import asyncmy
import asyncpg
import sqlglot

import mariadb_sources
from basejump_common.contracts import connection
from basejump_common.contracts.connection import ByDatabase, CreateDatabase, CreatedDatabase, Schema
from basejump_common.errors import BasejumpError, NotProved
from basejump_devstack.postgres import EmbeddedPostgres
from connection_house import READER_PASSWORD, Customer, Desk, Office, connected
from customers import MariadbCustomers
from eval_planner import load_dump, read_questions
from installation import Installation
from mariadb import run
from same_rows import Rows, Verdict, comparable, compare, kept_rows

DATABASE, READER = "train", "train_reader"
_AT_ONCE = 4
_NOT_TAKEN = "not taken by the engine"
# As the service sets it; the golds are PostgreSQL's.
_MODE = "set sql_mode = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES', time_zone = '+00:00'"
_COLUMNS = """
    select table_name, array_agg(column_name::text order by ordinal_position) as names,
           array_agg(data_type::text order by ordinal_position) as types
    from information_schema.columns where table_schema = $1 group by table_name
"""
_TYPES = {
    "smallint": "smallint", "integer": "int", "bigint": "bigint", "numeric": "decimal(38, 10)", "real": "float",
    "double precision": "double", "boolean": "tinyint(1)", "date": "date", "timestamp without time zone": "datetime",
}  # fmt: skip

Fetch = Callable[[str], Awaitable[Rows]]


class Engine(Protocol):
    """Where the golds' databases are."""

    def opened(self, schema: str) -> AbstractAsyncContextManager[tuple[CreateDatabase, Fetch]]:
        """What adds one of them, and what asks it directly. `Fetch` raises ValueError for SQL that isn't its own."""

    def spelled(self, gold: str) -> str:
        """The gold in the engine's SQL."""


class OnPostgres:
    """A schema each."""

    def __init__(self, desk: Desk, customer: Customer) -> None:
        self._desk = desk
        self._customer = customer

    @asynccontextmanager
    async def opened(self, schema: str) -> AsyncIterator[tuple[CreateDatabase, Fetch]]:
        only = (Schema(schema_nm=schema),)
        fields = self._desk.fields(
            self._customer, schemas=only, database_name_alias=schema, include_default_schema=False
        )
        async with self._customer.session() as session:
            await session.execute(f'set search_path = "{schema}"; set timezone = "UTC"')

            async def fetch(sql: str) -> Rows:
                return comparable(tuple(row) for row in await session.fetch(sql))

            yield fields, fetch

    def spelled(self, gold: str) -> str:
        return gold


class OnMariadb:
    """A database each, copied from PostgreSQL's schema when it is opened."""

    def __init__(self, customers: MariadbCustomers, source: Customer) -> None:
        self._customers = customers
        self._source = source

    @asynccontextmanager
    async def opened(self, schema: str) -> AsyncIterator[tuple[CreateDatabase, Fetch]]:
        customer = await self._customers.customer("select 1")
        async with customer.administering() as session:
            await self._copy(schema, session)
            await run(session, _MODE)

            async def fetch(sql: str) -> Rows:
                try:
                    return comparable(await run(session, sql))
                except asyncmy.Error as error:
                    raise ValueError(str(error)) from error

            yield self._customers.fields(customer, database_name_alias=schema), fetch

    async def _copy(self, schema: str, session: Any) -> None:
        async with self._source.session() as source, session.cursor() as cursor:
            for table in await source.fetch(_COLUMNS, schema):
                kinds = [_TYPES.get(kind, "longtext") for kind in table["types"]]
                columns = ", ".join(f"`{name}` {kind}" for name, kind in zip(table["names"], kinds, strict=True))
                await cursor.execute(f"create table `{table['table_name']}` ({columns})")
                rows = await source.fetch(f'select * from "{schema}"."{table["table_name"]}"')
                places = ", ".join(["%s"] * len(kinds))
                values = [tuple(_plain(cell) for cell in row) for row in rows]
                await cursor.executemany(f"insert into `{table['table_name']}` values ({places})", values)

    def spelled(self, gold: str) -> str:
        return sqlglot.transpile(gold, read="postgres", write="mysql")[0]


def _plain(cell: Any) -> Any:
    return cell if cell is None or isinstance(cell, int | float | str) else str(cell)


class Evaluation:
    """Counts what became of each gold; `office` asks through the service, the engine is asked directly."""

    def __init__(self, engine: Engine, office: Office, results: Path) -> None:
        self.counts: Counter[str] = Counter()
        self._engine = engine
        self._office = office
        self._results = results
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def judge(self, schema: str, questions: Sequence[dict[str, Any]]) -> None:
        """Add the schema as a database of its own, run its golds both ways, and delete it, which ends its sessions."""
        async with self._places, self._engine.opened(schema) as (fields, fetch):
            created = await self._office.add(fields)
            for question in questions:
                sql = self._engine.spelled(question["gold"])
                found, detail = await self._judged(created, sql, fetch)
                self.counts[found] += 1
                if detail:
                    print(f"{found}: {question['id']} {sql} | {detail}")
            await self._office.admin.call(connection.DELETE_DATABASE, ByDatabase(db_uuid=created.db_uuid))

    async def _judged(self, created: CreatedDatabase, sql: str, fetch: Fetch) -> tuple[str, str]:
        try:
            direct = await fetch(sql)
            result = await self._office.run(created, sql)
        except ValueError:
            return _NOT_TAKEN, ""
        except NotProved as error:
            return "refused", error.message
        except BasejumpError as error:
            return "failed", f"{error.code}: {error.message}"
        kept = await asyncio.to_thread(kept_rows, self._results, result)
        verdict = compare(kept, direct)
        if verdict is Verdict.OTHER_ORDER and "order by" not in sql.lower():
            return "same rows in an order that nobody asked for", ""
        return verdict, "" if verdict is Verdict.SAME else result.proof.sql


async def main(data: Path, engine: str, every: int) -> int:
    """0 when all that is proved gives the same rows."""
    by_schema: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for question in read_questions(data / "questions/train.jsonl.gz", every):
        by_schema[question["schema"]].append(question)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = await stack.enter_async_context(EmbeddedPostgres(folder / "postgres", durable=False))
        customer = await _loaded(server, data / "questions/train_databases.sql.gz")
        installation = await stack.enter_async_context(Installation.open(server, folder / "installation"))
        results = folder / "results"
        desk = await stack.enter_async_context(connected(installation, folder / "tls", results_url=results.as_uri()))
        place = await _mariadb(customer, stack) if engine == "mariadb" else OnPostgres(desk, customer)
        evaluation = Evaluation(place, await desk.office(), results)
        await asyncio.gather(*(evaluation.judge(schema, asked) for schema, asked in by_schema.items()))
    print(f"{evaluation.counts.total()} golds: { {str(kind): count for kind, count in evaluation.counts.items()} }")
    return 1 if evaluation.counts["failed"] or evaluation.counts[Verdict.DIFFERENT] else 0


async def _mariadb(source: Customer, stack: AsyncExitStack) -> OnMariadb:
    found = mariadb_sources.find()
    if found.running is None:
        sys.exit(f"No MariaDB: {found.words}. Nothing was measured.")
    return OnMariadb(MariadbCustomers(await stack.enter_async_context(found.running())), source)


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
    parser.add_argument("--engine", choices=("postgres", "mariadb"), default="postgres")
    parser.add_argument("--every", type=int, default=1, help="only every Nth question")
    given = parser.parse_args()
    if not (Path(given.data) / "questions/train.jsonl.gz").exists():
        sys.exit(
            "The evaluation data isn't here: give its folder by --data or BASEJUMP_EVAL_DATA. Nothing was measured."
        )
    sys.exit(asyncio.run(main(Path(given.data), given.engine, given.every)))
