"""The demo database: the numbers that the documentation promises, and a reader that can only read."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from basejump_devstack.hr_demo import DATABASE, READER, SCHEMA, load_hr_demo
from basejump_devstack.postgres import EmbeddedPostgres

PASSWORD = "reader's own"


@pytest.fixture(scope="module")
async def reader(postgres: EmbeddedPostgres) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    await load_hr_demo(postgres.dsn(), postgres.dsn(database=DATABASE), PASSWORD)
    connection = await asyncpg.connect(postgres.dsn(READER, PASSWORD, DATABASE))
    yield connection
    await connection.close()


@pytest.mark.parametrize(("table", "rows"), [("employees", 107), ("departments", 11), ("dependents", 30), ("jobs", 19)])
async def test_tables_have_the_promised_number_of_rows(
    reader: "asyncpg.Connection[asyncpg.Record]", table: str, rows: int
) -> None:
    assert await reader.fetchval(f"select count(*) from {SCHEMA}.{table}") == rows


async def test_the_six_best_paid_earn_different_salaries(
    reader: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    best = await reader.fetch(f"select salary from {SCHEMA}.employees order by salary desc limit 6")
    assert len({row["salary"] for row in best}) == 6


async def test_every_department_has_people_and_every_salary_is_within_its_job(
    reader: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    staffed = f"select count(distinct department_id) from {SCHEMA}.employees"
    assert await reader.fetchval(staffed) == 11
    outside = f"""select count(*) from {SCHEMA}.employees join {SCHEMA}.jobs using (job_id)
                  where salary not between min_salary and max_salary"""
    assert await reader.fetchval(outside) == 0


async def test_every_table_and_column_has_a_comment(reader: "asyncpg.Connection[asyncpg.Record]") -> None:
    missing = await reader.fetch(
        """select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
           where c.relnamespace = $1::regnamespace and c.relkind = 'r' and a.attnum > 0
             and (col_description(c.oid, a.attnum) is null or obj_description(c.oid) is null)""",
        SCHEMA,
    )
    assert missing == []


@pytest.mark.parametrize(
    "statement",
    [
        f"delete from {SCHEMA}.employees",
        f"create table {SCHEMA}.mine (n int)",
        "create table public.mine (n int)",
        "create temp table mine (n int)",
        "select pg_read_file('PG_VERSION')",
    ],
)
async def test_the_reader_can_do_nothing_but_read(reader: "asyncpg.Connection[asyncpg.Record]", statement: str) -> None:
    await reader.execute("set session characteristics as transaction read write")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.execute(statement)


async def test_loading_again_keeps_the_data_and_takes_the_new_password(
    postgres: EmbeddedPostgres, reader: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await load_hr_demo(postgres.dsn(), postgres.dsn(database=DATABASE), "another")
    connection = await asyncpg.connect(postgres.dsn(READER, "another", DATABASE))
    assert await connection.fetchval(f"select count(*) from {SCHEMA}.employees") == 107
    await connection.close()
