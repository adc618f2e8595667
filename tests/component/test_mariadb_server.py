"""The MariaDB that the tests use: TLS, the documented login, an end with its parent, and where it is looked for."""

import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import asyncmy
import psutil
import pytest

import mariadb_sources
from mariadb import MariaDB, run

OWNER = """
import asyncio
import mariadb_sources

async def main():
    async with mariadb_sources.find().running() as server:
        print(server.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""
NOWHERE = {"PATH": "/nowhere", "DOCKER_HOST": "tcp://127.0.0.1:9"}


async def test_the_documented_login_reads_over_tls_and_writes_nothing(mariadb: MariaDB) -> None:
    customer = await mariadb.customer("create table t (id int primary key); insert into t values (1), (2)")
    async with customer.reading() as session:
        assert await run(session, "select count(*) from t") == [(2,)]
        ((_, cipher),) = await run(session, "show session status like 'Ssl_cipher'")
        assert cipher
        for write in (
            "insert into t values (3)",
            "drop table t",
            "create table u (id int)",
            "set global max_connections = 1",
        ):
            with pytest.raises(asyncmy.Error, match="denied"):
                await run(session, write)


async def test_the_documented_login_is_refused_without_tls(mariadb: MariaDB) -> None:
    customer = await mariadb.customer()
    with pytest.raises(asyncmy.Error, match="denied"):
        await asyncmy.connect(host=mariadb.host, port=mariadb.port, user=customer.reader, password=customer.password)


async def test_one_customer_sees_nothing_of_another(mariadb: MariaDB) -> None:
    one, other = await mariadb.customer("create table t (id int)"), await mariadb.customer("create table t (id int)")
    async with one.reading() as session:
        assert (other.name,) not in await run(session, "show databases")
        with pytest.raises(asyncmy.Error, match="denied"):
            await run(session, f"select * from {other.name}.t")


def test_a_server_of_ours_never_runs_as_root_and_ends_with_its_parent() -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent
    )
    assert owner.stdout is not None
    line = owner.stdout.readline()
    server = psutil.Process(int(line))
    folder = Path(server.cwd()).parent
    assert server.uids().effective != 0
    owner.kill()
    owner.communicate()
    psutil.wait_procs([server], timeout=20)
    assert not server.is_running()
    shutil.rmtree(folder)  # what a killed owner couldn't do


def test_where_no_mariadb_can_be_had_each_reason_is_said() -> None:
    found = mariadb_sources.find(NOWHERE)
    assert found.running is None
    for reason in ("BASEJUMP_TEST_MARIADB_URL isn't set", "no mariadbd", "Debian's package", "Docker can't"):
        assert reason in found.words


async def test_a_url_in_the_environment_comes_first(mariadb: MariaDB, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text(mariadb.ca_pem or "")
    url = f"mysql://{mariadb.user}:{quote(mariadb.password)}@{mariadb.host}:{mariadb.port}/?ca={ca}"
    found = mariadb_sources.find({**NOWHERE, mariadb_sources.URL_VARIABLE: url})
    assert found.running is not None
    async with found.running() as server, server.session() as session:
        assert await run(session, "select 1") == [(1,)]


@pytest.mark.parametrize(
    ("environment", "code", "said"),
    [
        ({}, pytest.ExitCode.NO_TESTS_COLLECTED, "MariaDB: NOT TESTED"),
        ({"CI": "true"}, pytest.ExitCode.USAGE_ERROR, "CI tests MariaDB, and there is none"),
    ],
    ids=["a person's machine says so", "CI fails"],
)
def test_without_a_mariadb_its_tests_are_left_out_aloud(environment: dict[str, str], code: int, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:cacheprovider", __file__, "-k", "tls"],
        env={mariadb_sources.URL_VARIABLE: mariadb_sources.NONE, **environment},
        cwd=Path(__file__).parent.parent.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout + done.stderr
