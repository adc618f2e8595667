"""`basejump sql check` and `basejump catalog dump`, run as people run them."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from basejump_devstack.postgres import EmbeddedPostgres

HOUSE = """
    create schema hr;
    create table hr.department (id int primary key, name text);
    create table hr.employee (id int primary key, name text, pay numeric, department_id int references hr.department);
    create table hr.hidden (id int);
    create role analyst login password 'the-password';
    grant usage on schema hr to analyst;
    grant select on hr.department to analyst;
    grant select (id, name, department_id) on hr.employee to analyst;
"""


async def basejump(*words: str, given: bytes = b"", **settings: str) -> tuple[int, bytes, str]:
    """Exit code, standard output and standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "basejump_cli",
        *words,
        env=os.environ | settings,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaint = await process.communicate(given)
    return process.returncode or 0, printed, complaint.decode()


async def checked(*statements: str, options: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    given = b"".join(json.dumps({"sql": sql}).encode() + b"\n" for sql in statements)
    code, printed, complaint = await basejump("sql", "check", "--dialect", "postgres", *options, given=given)
    assert code == 0, complaint
    return [json.loads(line) for line in printed.splitlines()]


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The URL of a database in which the login may read a part."""
    folder = tmp_path_factory.mktemp("house")
    async with EmbeddedPostgres(folder / "data", durable=False) as server:
        admin = await asyncpg.connect(server.dsn())
        await admin.execute(HOUSE)
        await admin.close()
        yield server.dsn("analyst", "the-password", "postgres")


async def test_each_line_is_answered_in_order() -> None:
    allowed, denied, broken = await checked("select 1", "drop table x", "selec 1")
    assert (allowed["ok"], allowed["code"], allowed["detail"]) == (True, None, "")
    assert allowed["proof"]["sql"].startswith("SELECT 1")
    assert (denied["ok"], denied["code"], denied["proof"]) == (False, "not_a_query", None)
    assert not broken["ok"]


async def test_a_line_that_is_no_statement_is_answered_and_the_next_is_read() -> None:
    lines = [b"not json", b"", b'{"sql": 7}', b'{"sql": "' + b"x" * 1_100_000 + b'"}', b'\xff{"sql": ""}']
    given = b"\n".join([*lines, b'{"sql": "select 1", "id": "kept apart"}'])
    code, printed, _ = await basejump("sql", "check", "--dialect", "sqlite", given=given)
    verdicts = [json.loads(line) for line in printed.splitlines()]
    assert code == 0
    assert [verdict["code"] for verdict in verdicts] == ["invalid_line"] * 5 + [None]


async def test_strict_ends_with_1_when_something_was_refused() -> None:
    for sql, expected in (("select 1", 0), ("delete from t", 1)):
        given = json.dumps({"sql": sql}).encode()
        code, _, _ = await basejump("sql", "check", "--dialect", "mysql", "--strict", given=given)
        assert code == expected


async def test_what_is_wrong_with_the_options_is_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"tables": [{"name": 1}]}')
    for options in (("--dialect", "klingon"), ("--dialect", "mysql", "--catalog", str(broken))):
        code, printed, complaint = await basejump("sql", "check", *options, given=b'{"sql": "select 1"}')
        assert (code, printed, complaint.count("\n")) == (1, b"", 1)


async def test_a_policy_allows_functions_and_sets_the_row_limit(tmp_path: Path) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text('{"row_limit": 7, "functions": ["our_tax"]}')
    sql = "select our_tax(price) from sales"
    (refused,) = await checked(sql)
    (allowed,) = await checked(sql, options=("--policy", str(policy)))
    assert refused["code"] == "forbidden_function"
    assert allowed["proof"]["limit"] == 7
    assert allowed["proof"]["sql"].endswith("LIMIT 7")


async def test_a_dumped_catalog_proves_what_its_login_may_read_and_nothing_else(house: str, tmp_path: Path) -> None:
    code, printed, complaint = await basejump("catalog", "dump", DATABASE_URL=house)
    assert code == 0, complaint
    catalog = tmp_path / "catalog.json"
    catalog.write_bytes(printed)
    tables = {table["name"]: table for table in json.loads(printed)["tables"]}
    assert tables.keys() == {"department", "employee"}
    assert tables["employee"]["foreign_keys"] == [
        {"columns": ["department_id"], "references": {"schema": "hr", "table": "department", "columns": ["id"]}}
    ]
    joined, hidden, pay, typo = await checked(
        "select d.name, count(*) from employee e join department d on d.id = e.department_id group by d.name",
        "select id from hidden",
        "select pay from employee",
        "select nam from employee",
        options=("--catalog", str(catalog)),
    )
    assert joined["ok"]
    assert all(part["proved"] for part in joined["proof"]["joins"])
    assert [hidden["code"], pay["code"], typo["code"]] == ["unknown_table", "unknown_column", "unknown_column"]
    assert "Did you mean" in typo["detail"]


async def test_a_database_that_cant_be_reached_is_one_line_without_the_password() -> None:
    code, _, complaint = await basejump("catalog", "dump", DATABASE_URL="postgresql://u:the-password@127.0.0.1:1/x")
    assert code == 1
    assert complaint.count("\n") == 1
    assert "the-password" not in complaint
