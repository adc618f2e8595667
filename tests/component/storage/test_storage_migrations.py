"""Roles and migrations: what may run twice, at once, halfway, or with an admin who is no superuser."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import psycopg
import pytest

from basejump_common.security.secret import Secret
from basejump_common.storage import migrations
from basejump_common.storage.migrations import SHARED, ServiceRole, migrate, provision
from basejump_devstack.postgres import EmbeddedPostgres

SHARED_NAMES = sorted(path.stem for path in SHARED.glob("*.sql"))

MIGRATE = """
import sys
from pathlib import Path
from basejump_common.security.secret import Secret
from basejump_common.storage.migrations import ServiceRole, migrate, provision

dsn, login, directory = sys.argv[1:]
provision(dsn, [ServiceRole(schema="zoo", login=login, password=Secret("pw"))])
print(",".join(migrate(dsn, "zoo", Path(directory))))
"""


@pytest.fixture
async def empty(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """The name of an empty database; a role of the same name, if there is one, goes with it."""
    name = f"zoo_{uuid4().hex[:12]}"
    await execute(postgres.dsn(), f"create database {name}")
    yield name
    await execute(postgres.dsn(), f"drop database {name} with (force)", f"drop role if exists {name}")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "0001_animal.sql").write_text("create table animal (name text);")
    (tmp_path / "0002_leg.sql").write_text("-- depends: 0001_animal\nalter table animal add legs int;")
    return tmp_path


def role(login: str, password: str = "pw", schema: str = "zoo") -> ServiceRole:
    return ServiceRole(schema=schema, login=login, password=Secret(password))


async def execute(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_second_run_applies_what_is_new_and_nothing_else(
    postgres: EmbeddedPostgres, empty: str, directory: Path
) -> None:
    dsn = postgres.dsn(database=empty)
    provision(dsn, [role(empty)])
    assert migrate(dsn, "zoo", directory) == [*SHARED_NAMES, "0001_animal", "0002_leg"]
    assert migrate(dsn, "zoo", directory) == []
    (directory / "0003_tail.sql").write_text("alter table animal add tail boolean; comment on table animal is '100%';")
    assert migrate(dsn, "zoo", directory) == ["0003_tail"]
    await execute(postgres.dsn(empty, "pw", empty), "insert into animal values ('dog', 4, true)")


async def test_two_at_once_apply_everything_once(postgres: EmbeddedPostgres, empty: str, directory: Path) -> None:
    command = [sys.executable, "-c", MIGRATE, postgres.dsn(database=empty), empty, str(directory)]
    processes = [
        await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)
    ]
    answers = [await process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], answers
    assert sorted(out.decode().strip() for out, _ in answers) == [
        "",
        ",".join([*SHARED_NAMES, "0001_animal", "0002_leg"]),
    ]


async def test_a_file_that_fails_leaves_nothing_and_can_be_mended(
    postgres: EmbeddedPostgres, empty: str, directory: Path
) -> None:
    dsn = postgres.dsn(database=empty)
    provision(dsn, [role(empty)])
    broken = directory / "0003_broken.sql"
    broken.write_text("create table half (id int); select 1 / 0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(dsn, "zoo", directory)
    broken.write_text("create table half (id int);")
    assert migrate(dsn, "zoo", directory) == ["0003_broken"]


async def test_the_note_of_a_killed_migration_stops_nobody(
    postgres: EmbeddedPostgres, empty: str, directory: Path
) -> None:
    dsn = postgres.dsn(database=empty)
    provision(dsn, [role(empty)])
    migrate(dsn, "zoo", directory)
    await execute(dsn, "insert into zoo.yoyo_lock (locked, ctime, pid) values (1, now(), 1)")
    (directory / "0003_tail.sql").write_text("alter table animal add tail boolean;")
    assert migrate(dsn, "zoo", directory) == ["0003_tail"]


async def test_a_migration_waits_for_a_lock_in_short_turns(
    postgres: EmbeddedPostgres, empty: str, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = postgres.dsn(database=empty)
    provision(dsn, [role(empty)])
    migrate(dsn, "zoo", directory)
    (directory / "0003_tail.sql").write_text("alter table animal add tail boolean;")
    monkeypatch.setattr(migrations, "_OPTIONS", "-c role=basejump_migrator -c lock_timeout=50ms")
    reader = await asyncpg.connect(dsn)
    async with reader.transaction():
        await reader.fetch("select * from zoo.animal")
        monkeypatch.setattr(migrations, "LOCK_ATTEMPTS", 1)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            await asyncio.to_thread(migrate, dsn, "zoo", directory)
        monkeypatch.setattr(migrations, "LOCK_ATTEMPTS", 3)
        waiting = asyncio.create_task(asyncio.to_thread(migrate, dsn, "zoo", directory))
        await asyncio.sleep(0.3)
        assert not waiting.done()
    assert await waiting == ["0003_tail"]
    await reader.close()


async def test_an_index_can_be_made_without_stopping_writers(
    postgres: EmbeddedPostgres, empty: str, directory: Path
) -> None:
    dsn = postgres.dsn(database=empty)
    provision(dsn, [role(empty)])
    (directory / "0003_index.sql").write_text(
        "-- transactional: false\ncreate index concurrently if not exists animal_name on animal (name);"
    )
    assert "0003_index" in migrate(dsn, "zoo", directory)


async def test_a_new_password_replaces_the_old_one(postgres: EmbeddedPostgres, empty: str) -> None:
    dsn = postgres.dsn(database=empty)
    provision(dsn, [role(empty, "old")])
    provision(dsn, [role(empty, "new ' \\ %s")])
    await execute(postgres.dsn(empty, "new ' \\ %s", empty), "select 1")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await execute(postgres.dsn(empty, "old", empty), "select 1")


async def test_a_login_has_rights_on_its_own_schema_alone(
    postgres: EmbeddedPostgres, empty: str, directory: Path
) -> None:
    dsn, farmer = postgres.dsn(database=empty), f"{empty}_farm"
    provision(dsn, [role(empty), role(farmer, schema="farm")])
    for schema in ("zoo", "farm"):
        migrate(dsn, schema, directory)
    for forbidden in ("select * from farm.animal", "delete from _yoyo_migration", "create table public.x ()"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await execute(postgres.dsn(empty, "pw", empty), forbidden)
    await execute(dsn, f"drop owned by {farmer}", f"drop role {farmer}")


async def test_others_of_the_cluster_cannot_even_connect(postgres: EmbeddedPostgres, empty: str) -> None:
    provision(postgres.dsn(database=empty), [role(empty)])
    stranger = f"stranger_{uuid4().hex[:8]}"
    await execute(postgres.dsn(), f"create role {stranger} login password 'pw'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await execute(postgres.dsn(stranger, "pw", empty), "select 1")
    await execute(postgres.dsn(), f"drop role {stranger}")


async def test_a_login_above_row_level_security_is_refused(postgres: EmbeddedPostgres, empty: str) -> None:
    await execute(postgres.dsn(), f"create role {empty} login bypassrls")
    with pytest.raises(ValueError, match="row-level security"):
        provision(postgres.dsn(database=empty), [role(empty)])


async def test_the_admin_needs_no_superuser(tmp_path_factory: pytest.TempPathFactory, directory: Path) -> None:
    """On a cluster of its own: the migration role belongs to whoever made it."""
    async with EmbeddedPostgres(tmp_path_factory.mktemp("managed") / "data", durable=False) as server:
        await execute(server.dsn(), "create role boss login createrole password 'pw'", "create database b owner boss")
        dsn = server.dsn("boss", "pw", "b")
        for _ in range(2):
            provision(dsn, [role("keeper")])
        assert "0002_leg" in migrate(dsn, "zoo", directory)
        await execute(server.dsn("keeper", "pw", "b"), "insert into animal values ('cat', 4)")


async def test_a_missing_directory_is_an_error(postgres: EmbeddedPostgres, empty: str, tmp_path: Path) -> None:
    provision(postgres.dsn(database=empty), [role(empty)])
    with pytest.raises(FileNotFoundError):
        migrate(postgres.dsn(database=empty), "zoo", tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["Zoo", "zoo; drop", "1zoo", "", "z" * 64])
def test_names_that_need_quoting_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="identifier"):
        role(name)
    with pytest.raises(ValueError, match="identifier"):
        role("zoo", schema=name)
