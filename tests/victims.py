"""Customers' databases under attack: hostile statements, and everything that must be the same after them.

`tests/attacks/<engine>.txt` has a statement a line under headings; words in braces become names of the victim.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from basejump_devstack.postgres import EmbeddedPostgres
from connection_house import Customer

ATTACKS = Path(__file__).parent / "attacks"
CANARY = "a canary that no statement may read"
EVALUATION = Path(os.environ.get("BASEJUMP_EVAL_DATA") or Path(__file__).parents[2] / "shared/data")

POSTGRES_EXTRAS = """
create view shop.open_customer as select id, full_name from shop.customer;
create sequence shop.numbers;
create function shop.purge() returns int language sql volatile security definer
    as 'delete from shop.secret; delete from shop.customer; select 1';
create function shop.rename(int, text) returns void language sql security definer
    as 'update shop.customer set full_name = $2 where id = $1';
create procedure shop.purging() language sql security definer as 'delete from shop.secret';
insert into shop.secret values (1, 'the pin of the secret table');
insert into shop.half values (1, 'open', 'the closed note');
grant usage, select on sequence shop.numbers to public;
grant select on shop.open_customer to public;
"""
# What the server changes by itself: statistics of planner and storage.
_VOLATILE = (
    "relpages", "reltuples", "relallvisible", "relallfrozen", "relfrozenxid", "relminmxid",
    "datfrozenxid", "datminmxid",
)  # fmt: skip
_RELATIONS = """
    select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm', 'S') and n.nspname <> 'pg_toast' and c.relname !~ '^pg_statistic'
"""


def attacks(engine: str, **names: object) -> Iterator[str]:
    """Every hostile statement of ours, then those of the shared corpus where it is."""
    for line in (ATTACKS / f"{engine}.txt").read_text().splitlines():
        if line and not line.startswith("## "):
            yield _named(line, names)
    others = EVALUATION / "guard/guard.jsonl"
    if others.exists():
        found = map(json.loads, others.read_text().splitlines())
        yield from (row["sql"] for row in found if (row["dialect"], row["verdict"]) == (engine, "deny"))


def _named(line: str, names: dict[str, object]) -> str:
    for name, value in names.items():
        line = line.replace(f"{{{name}}}", str(value))
    return line


@dataclass(frozen=True)
class PostgresVictim:
    """A customer's PostgreSQL; `folder` is one that the server may read and write, with the file `canary`."""

    customer: Customer
    server: EmbeddedPostgres
    folder: Path

    # What a session shows of those who had it before.
    PROBE = """
        select pg_backend_pid() as session, current_user::text, session_user::text,
               coalesce(current_setting('attack.secret', true), '') as secret,
               (select string_agg(name || '=' || setting, ' ' order by name) from pg_settings
                where name <> 'application_name') as settings,
               (select count(*) from pg_prepared_statements where name !~ '^__asyncpg') as prepared,
               (select count(*) from pg_cursors where name !~ '^__asyncpg') as cursors,
               (select count(*) from pg_listening_channels()) as channels,
               (select count(*) from pg_locks where pid = pg_backend_pid() and locktype = 'advisory') as locks,
               (select count(*) from pg_class where relnamespace = pg_my_temp_schema()) as temporary
    """

    def statements(self) -> list[str]:
        return list(
            attacks(
                "postgres", canary=self.folder / "canary", folder=self.folder, port=self.server.port,
                reader=self.customer.reader, database=self.customer.name,
            )
        )  # fmt: skip

    async def snapshot(self) -> dict[str, str]:
        """A digest of every table, sequence and catalog of the database, and of the server's files."""
        async with self.customer.session() as session:
            names = [row["name"] for row in await session.fetch(_RELATIONS)]
            relations = {name: await _digest(session, name) for name in names}
        return relations | dict(files(self.folder)) | dict(files(self.server.data_dir, contents="*.conf"))

    async def others_left(self) -> list[str]:
        """What sessions that should be gone or idle do, and hold."""
        async with self.customer.session() as session:
            rows = await session.fetch(
                """select coalesce(query, '') || coalesce(locktype, '') as left
                   from pg_stat_activity a left join pg_locks l on l.pid = a.pid and l.locktype = 'advisory'
                   where usename = $1 and (state <> 'idle' or l.pid is not null)""",
                self.customer.reader,
            )
        return [row["left"] for row in rows]


async def _digest(session: "asyncpg.Connection[asyncpg.Record]", name: str) -> str:
    volatile = ", ".join(f"'{column}'" for column in _VOLATILE)
    rows = f"select (to_jsonb(t) - array[{volatile}])::text as row from (select * from {name}) t"
    return str(await session.fetchval(f"select md5(string_agg(row, ',' order by row)) from ({rows}) r"))


def files(folder: Path, contents: str = "*") -> Iterator[tuple[str, str]]:
    """The names in a folder, and digests of those files that match `contents`."""
    yield str(folder), ",".join(sorted(path.name for path in folder.iterdir()))
    for path in folder.glob(contents):
        if path.is_file():
            yield str(path), hashlib.md5(path.read_bytes()).hexdigest()


def leaks(before: tuple[Any, ...], after: tuple[Any, ...]) -> list[str]:
    """Where a probe differs from the one in a fresh session, the session's own number left out."""
    return [f"{was} → {now}" for was, now in zip(before[1:], after[1:], strict=True) if was != now]


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """What two snapshots show differently."""
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
