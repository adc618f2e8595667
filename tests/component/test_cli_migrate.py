"""`basejump migrate` on real servers: roles, schemas and streams, again and again, and one line when it can't."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import nats
import pytest

from basejump_common.bus.permissions import OPERATOR
from basejump_devstack.nats import EmbeddedNats, NatsUser
from basejump_devstack.postgres import EmbeddedPostgres

SERVICES = ("auth", "account", "connection_indexer", "chat_agent")


async def basejump(*words: str, **settings: str) -> tuple[int, str]:
    """The command's exit code and everything it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BASEJUMP_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "basejump_cli",
        *words,
        env=clean | settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    return process.returncode or 0, printed.decode()


@pytest.fixture(scope="module")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedPostgres]:
    """A cluster of its own: logins are a cluster's, and another installation's must keep their passwords."""
    async with EmbeddedPostgres(tmp_path_factory.mktemp("migrated") / "data", durable=False) as server:
        yield server


@pytest.fixture(scope="module")
async def settings(
    postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, str]]:
    admin = await asyncpg.connect(postgres.dsn())
    await admin.execute("create database migrated")
    await admin.close()
    everything = NatsUser(name=OPERATOR, password="o", publish_allow=(">",), subscribe_allow=(">",))
    async with EmbeddedNats(tmp_path_factory.mktemp("nats"), users=[everything]) as server:
        passwords = {f"BASEJUMP_{name.upper()}_DATABASE_PASSWORD": f"{name} password" for name in SERVICES}
        yield passwords | {
            "BASEJUMP_ADMIN_DSN": postgres.dsn(database="migrated"),
            "BASEJUMP_NATS_URL": server.url,
            "BASEJUMP_NATS_PASSWORD": "o",
        }


async def test_each_service_gets_a_login_to_its_own_schema_alone(
    postgres: EmbeddedPostgres, settings: dict[str, str]
) -> None:
    code, printed = await basejump("migrate", **settings)
    assert code == 0, printed
    for name in SERVICES:
        login = await asyncpg.connect(postgres.dsn(f"basejump_{name}", f"{name} password", "migrated"))
        assert await login.fetchval("select count(*) from job") == 0
        other = SERVICES[SERVICES.index(name) - 1]
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await login.fetchval(f"select count(*) from {other}.job")
        await login.close()


async def test_the_second_time_there_is_nothing_to_do(settings: dict[str, str]) -> None:
    await basejump("migrate", **settings)
    assert await basejump("migrate", **settings) == (0, "nothing to migrate\n")


async def test_streams_and_buckets_are_declared(settings: dict[str, str]) -> None:
    await basejump("migrate", **settings)
    client = await nats.connect(settings["BASEJUMP_NATS_URL"], user=OPERATOR, password="o")
    names = {info.config.name for info in await client.jetstream().streams_info()}
    await client.close()
    assert {"EVENTS", "CHAT", "KV_auth-keys", "KV_auth-revocations"} <= names


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"BASEJUMP_ADMIN_DSN": "postgresql://x@127.0.0.1:1/none"}, "basejump: connection"),
        ({"BASEJUMP_NATS_URL": "nats://127.0.0.1:1"}, "basejump: NATS can't be reached"),
        ({"BASEJUMP_MIGRATIONS": "/nowhere"}, "basejump: no migrations at"),
    ],
)
async def test_what_goes_wrong_is_one_line(settings: dict[str, str], change: dict[str, str], said: str) -> None:
    code, printed = await basejump("migrate", **{**settings, **change})
    assert code == 1
    assert printed.startswith(said)
    assert printed.count("\n") == 1


async def test_a_setting_that_is_missing_is_named(settings: dict[str, str]) -> None:
    settings = {name: value for name, value in settings.items() if name != "BASEJUMP_ADMIN_DSN"}
    assert await basejump("migrate", **settings) == (2, "BASEJUMP_ADMIN_DSN is not set\n")


async def test_without_a_running_stack_status_says_so(tmp_path: Path) -> None:
    code, printed = await basejump("status", "--state", str(tmp_path))
    assert (code, printed.startswith("not running")) == (1, True)
