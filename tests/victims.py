"""Customers' databases under attack: hostile statements, and everything that must be the same after them.

`tests/attacks/<engine>.txt` has a statement a line under headings; words in braces become names of the victim.
"""

import asyncio
import hashlib
import json
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from basejump_devstack.postgres import EmbeddedPostgres
from connection_house import READER_PASSWORD, Customer
from mariadb import MariaDBCustomer, run
from soaking import times

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
create schema payroll;
create table payroll.salary (id int primary key, note text);
create table shop.hidden (id int primary key, note text);
create table shop.staff (id int primary key, name text, wage_note text);
insert into payroll.salary values (1, 'other-schema-canary-Hq4');
insert into shop.hidden values (1, 'hidden-table-canary-Jw7');
insert into shop.staff values (1, 'Di Moe', 'wage-canary-Zq7');
grant usage on schema payroll to public;
grant select on payroll.salary, shop.hidden, shop.staff to public;
"""
HIDDEN = (
    "other-schema-canary-Hq4",
    "hidden-table-canary-Jw7",
    "wage-canary-Zq7",
    "the pin of the secret table",
    "the closed note",
)
"""Values of the customers' tables that nobody may read through Basejump: the first three the login itself may, for
`hidden` and the column `wage_note` are to be ignored, and schema `payroll` isn't connected."""

# What the server changes by itself: statistics of planner and storage.
_VOLATILE = (
    "relpages", "reltuples", "relallvisible", "relallfrozen", "relfrozenxid", "relminmxid",
    "datfrozenxid", "datminmxid",
)  # fmt: skip
_RELATIONS = """
    select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm', 'S') and n.nspname <> 'pg_toast' and c.relname !~ '^pg_statistic'
"""


MARIADB_EXTRAS = """
create view open_customer as select id, full_name from customer;
create sequence numbers;
create function purge_all() returns int modifies sql data begin delete from customer; return 1; end;
create function rename_one(n int, t text) returns int modifies sql data
    begin update customer set full_name = t where id = n; return 1; end;
create procedure purging() delete from secret;
insert into secret values (1, 'the pin of the secret table');
create table hidden (id int primary key, note text);
create table staff (id int primary key, name text, wage_note text);
insert into hidden values (1, 'hidden-table-canary-Jw7');
insert into staff values (1, 'Di Moe', 'wage-canary-Zq7');
"""
_MARIADB_CATALOG = (
    "select * from information_schema.tables where table_schema not in ('information_schema', 'performance_schema')",
    "select * from information_schema.routines",
    "select * from information_schema.triggers",
    "select * from information_schema.events",
    "select * from information_schema.views",
    "select * from information_schema.plugins",
    "select * from information_schema.user_privileges",
    "select * from mysql.global_priv",
    "select * from mysql.db",
    "select variable_name, global_value from information_schema.system_variables where variable_name not like 'gtid%'",
)
_MARIADB_STATISTICS = {("mysql", name) for name in (
    "innodb_index_stats", "innodb_table_stats", "gtid_slave_pos", "general_log", "slow_log",
)}  # fmt: skip
# Columns of information_schema.tables that are estimates, and times at which it was looked.
_MARIADB_VOLATILE = (
    "table_rows",
    "avg_row_length",
    "data_length",
    "data_free",
    "checksum",
    "check_time",
    "update_time",
    "index_length",
)


DISGUISES = (
    "{}", "{};", "/* first */ {}", "-- first\n{}", "{} -- last", "({})", "select * from ({}) q",
    "with q as ({}) select * from q", "select 1 where exists ({})", "select 1 union all {}", "select 1; {}",
    "begin; {}; commit", "explain {}", "explain analyze {}", "/*! {} */", "\ufeff{}",
    "execute immediate '{}'", "do $${}$$",
)  # fmt: skip


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A folder that the servers' account may read and write, with the file `canary`."""
    with tempfile.TemporaryDirectory(prefix="basejump-victim-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        (folder / "canary").write_text(CANARY)
        yield folder


def attacks(engine: str, **names: object) -> Iterator[str]:
    """Every hostile statement of ours, and those of the shared corpus where it is; in `make soak` disguised as well."""
    for disguise in DISGUISES[: times(1, soak=len(DISGUISES))]:
        yield from (disguise.replace("{}", statement) for statement in _statements(engine, names))


def _statements(engine: str, names: dict[str, object]) -> Iterator[str]:
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

    @classmethod
    async def make(cls, customer: Customer, server: EmbeddedPostgres, folder: Path) -> "PostgresVictim":
        """Of a customer with the shop."""
        await customer.execute(POSTGRES_EXTRAS)
        return cls(customer, server, folder)

    def statements(self, port: int | None = None) -> list[str]:
        """`port`: where those that call somebody call, by default the server itself."""
        return list(
            attacks(
                "postgres", canary=self.folder / "canary", folder=self.folder, port=port or self.server.port,
                reader=self.customer.reader, database=self.customer.name,
            )
        )  # fmt: skip

    async def snapshot(self) -> dict[str, str]:
        """A digest of every table, sequence and catalog of the database, and of the server's files."""
        async with self.customer.session() as session:
            names = [row["name"] for row in await session.fetch(_RELATIONS)]
            relations = {name: await _digest(session, name) for name in names}
        return relations | dict(files(self.folder)) | dict(files(self.server.data_dir, contents="*.conf"))

    @asynccontextmanager
    async def lingering(self) -> AsyncIterator[None]:
        """A session of the login's that doesn't end its transaction."""
        session = await asyncpg.connect(self.server.dsn(self.customer.reader, READER_PASSWORD, self.customer.name))
        await session.execute("begin")
        try:
            yield
        finally:
            await session.close()

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


@dataclass(frozen=True)
class MariaDBVictim:
    """A customer's MariaDB; `folder` as above, `other` is the database of somebody else."""

    customer: MariaDBCustomer
    other: MariaDBCustomer
    folder: Path

    # A reset session has the server's idea of the database's character set, which nothing that is read depends on.
    PROBE = """
        select connection_id() as session, user(), current_user(), database(), @attack,
               is_used_lock('attack') as attack, is_used_lock('attack1') as attack1,
               (select group_concat(variable_name, '=', session_value order by variable_name separator ' ')
                from information_schema.system_variables
                where session_value is not null
                  and variable_name not in ('TIMESTAMP', 'PSEUDO_THREAD_ID', 'RAND_SEED1', 'RAND_SEED2',
                                            'CHARACTER_SET_DATABASE', 'COLLATION_DATABASE')) as settings
    """

    @classmethod
    async def make(cls, customer: MariaDBCustomer, folder: Path) -> "MariaDBVictim":
        """Of a customer with the shop."""
        await customer.execute(MARIADB_EXTRAS)
        for table in ("open_customer", "hidden", "staff"):
            await customer.execute(f"grant select on {customer.name}.{table} to {customer.reader}")
        other = await customer.server.customer(
            "create table t (id int, note text); insert into t values (1, 'other-schema-canary-Hq4')"
        )
        return cls(customer, other, folder)

    def statements(self, port: int | None = None) -> list[str]:
        """See `PostgresVictim.statements`."""
        return list(
            attacks(
                "mysql", canary=self.folder / "canary", folder=self.folder, port=port or self.customer.server.port,
                reader=self.customer.reader, database=self.customer.name, other=self.other.name,
            )
        )  # fmt: skip

    async def snapshot(self) -> dict[str, str]:
        """A digest of every table of every database, of the catalog, accounts and settings, and of the folder."""
        async with self.customer.server.session() as session:
            found = {sql: _sum(await _stable(session, sql)) for sql in _MARIADB_CATALOG}
            tables = await run(session, "select table_schema, table_name from information_schema.tables"
                " where table_type in ('BASE TABLE', 'SEQUENCE') and table_schema <> 'performance_schema'")  # fmt: skip
            for schema, table in tables:
                if (schema, table) not in _MARIADB_STATISTICS:
                    name = ".".join(f"`{part.replace('`', '``')}`" for part in (schema, table))
                    rows = await run(session, f"select * from {name}")
                    found[f"{schema}.{table}"] = _sum(sorted(map(repr, rows)))
        return found | dict(files(self.folder))

    @asynccontextmanager
    async def lingering(self) -> AsyncIterator[None]:
        """A session of the login's whose statement takes its time."""
        async with self.customer.reading() as session, asyncio.TaskGroup() as tasks:
            tasks.create_task(run(session, "select sleep(1)"))
            yield

    async def others_left(self) -> list[str]:
        """What sessions that should be gone or idle do."""
        return await self.customer.busy()


async def _stable(session: Any, sql: str) -> list[str]:
    async with session.cursor() as cursor:
        await cursor.execute(sql)
        names = [column[0].lower() for column in cursor.description]
        rows = await cursor.fetchall()
    return sorted(
        repr([cell for name, cell in zip(names, row, strict=True) if name not in _MARIADB_VOLATILE]) for row in rows
    )


def _sum(rows: list[str]) -> str:
    return hashlib.md5("\n".join(rows).encode()).hexdigest()


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
    """Words of a probe that the one in a fresh session didn't have, the session's own number left out."""
    return [
        word
        for was, now in zip(before[1:], after[1:], strict=True)
        if was != now
        for word in sorted(set(str(now).split(" ")) - set(str(was).split(" ")))
    ]


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """What two snapshots show differently."""
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


Victim = PostgresVictim | MariaDBVictim
