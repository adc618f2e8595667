"""The embedded PostgreSQL: state, passwords, crashes, and an end with its parent."""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import asyncpg
import psutil
import pytest

from basejump_devstack import pg_binaries
from basejump_devstack.child import Account
from basejump_devstack.postgres import EmbeddedPostgres

OWNER = """
import asyncio, sys
from pathlib import Path
from basejump_devstack.postgres import EmbeddedPostgres

async def main():
    async with EmbeddedPostgres(Path(sys.argv[1]), durable=False) as server:
        print(server.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def scalar(server: EmbeddedPostgres, query: str, **login: str) -> object:
    connection = await asyncpg.connect(server.dsn(**login))
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_a_wrong_password_is_refused(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres.dsn(password="wrong"))


async def test_names_and_passwords_with_odd_characters_fit_into_the_dsn(postgres: EmbeddedPostgres) -> None:
    await scalar(postgres, """create role "o/d d@" login password 'p:@/%&?#''s'""")
    assert await scalar(postgres, "select current_user", user="o/d d@", password="p:@/%&?#'s") == "o/d d@"


async def test_it_never_runs_as_root(postgres: EmbeddedPostgres) -> None:
    assert postgres.pid is not None
    assert psutil.Process(postgres.pid).uids().effective != 0


async def test_vector_and_trigram_extensions_are_there(postgres: EmbeddedPostgres) -> None:
    found = await scalar(postgres, "select array_agg(name::text) from pg_available_extensions")
    assert {"vector", "pg_trgm", "unaccent"} <= set(found)  # type: ignore[call-overload]


async def test_rows_survive_a_stop_and_a_crash_on_the_same_port(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path / "data", durable=False) as server:
        port = server.port
        await scalar(server, "create table kept as select 1 as n")
        await server.stop()
        await server.start()
        server.kill()
        await server.start()
        assert await scalar(server, "select count(*) from kept") == 1
        assert server.port == port


async def test_a_new_object_finds_the_state_and_password_of_the_old_one(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path / "data", durable=False) as first:
        await scalar(first, "create table kept as select 7 as n")
    async with EmbeddedPostgres(tmp_path / "data", durable=False) as second:
        assert await scalar(second, "select n from kept") == 7
    assert (tmp_path / "data.password").stat().st_mode & 0o077 == 0


async def test_it_starts_when_a_stale_pid_file_names_a_living_stranger(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "data", durable=False)
    await server.start()
    await server.stop()
    pid_file = tmp_path / "data" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{tmp_path}\n1\n1\n\n127.0.0.1\n1 1\nready   \n")
    await server.start()
    assert await scalar(server, "select 1") == 1
    await server.stop()


async def test_a_cluster_half_created_is_created_anew(tmp_path: Path) -> None:
    (tmp_path / "data.draft").mkdir()
    (tmp_path / "data.draft" / "PG_VERSION").write_text("18\n")
    async with EmbeddedPostgres(tmp_path / "data", durable=False) as server:
        assert await scalar(server, "select 1") == 1


async def test_it_ends_when_its_parent_is_killed_and_the_next_start_finds_everything(tmp_path: Path) -> None:
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, str(tmp_path / "data"), stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    orphan = psutil.Process(int(await owner.stdout.readline()))
    owner.kill()
    await owner.wait()
    await asyncio.to_thread(orphan.wait, 10)
    async with EmbeddedPostgres(tmp_path / "data", durable=False) as server:
        assert await scalar(server, "select 1") == 1


async def test_stopping_takes_no_longer_because_sessions_are_open(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path / "data", durable=False) as server:
        connection = await asyncpg.connect(server.dsn())
        sleeping = asyncio.create_task(connection.execute("select pg_sleep(30)"))
        await asyncio.sleep(0.1)
        begun = time.monotonic()
        await server.stop()
        assert time.monotonic() - begun < 5
        with contextlib.suppress(asyncpg.PostgresError, OSError):
            await sleeping


def test_binaries_below_a_closed_directory_are_copied_where_all_may_execute_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    monkeypatch.setattr(pg_binaries, "_open_to_all", lambda path: path == shared)
    monkeypatch.setattr(tempfile, "tempdir", str(shared))
    shared.mkdir()
    binaries = pg_binaries.binaries_for(Account(uid=65534, gid=65534))
    assert binaries.is_relative_to(shared)
    assert pg_binaries.binaries_for(Account(uid=65534, gid=65534)) == binaries
    assert [p.name.rpartition("-")[0] for p in shared.iterdir()] == ["basejump-postgres"]
    done = subprocess.run([binaries / "initdb", "--version"], capture_output=True, text=True, check=True)
    assert "PostgreSQL" in done.stdout
