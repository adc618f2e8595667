"""The life of a service's process: a start that waits, an end that is asked for, a setting that is wrong."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
import pytest

from basejump_common.bus import Bus
from basejump_common.errors import Unavailable
from basejump_common.security.secret import Secret
from basejump_devstack import services
from basejump_devstack.child import free_port
from installation import Installation


@asynccontextmanager
async def spawned(environment: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """account, as a process of its own; killed at the end when it has not ended."""
    command = (sys.executable, "-m", "basejump_account")
    given = {"PATH": os.environ["PATH"], **environment}
    process = await asyncio.create_subprocess_exec(*command, env=given, stderr=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def settings(installation: Installation, **changes: str) -> dict[str, str]:
    port = str(free_port(0))
    return services.settings("account", installation.around) | {"BASEJUMP_HEALTH_PORT": port} | changes


async def health(port: str, path: str) -> int:
    """The status of a probe; 0 while nothing listens."""
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(f"http://127.0.0.1:{port}/health/{path}")).status_code
        except httpx.TransportError:
            return 0


async def until(port: str, path: str, status: int) -> None:
    async with asyncio.timeout(15):
        while await health(port, path) != status:  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.05)


async def test_a_service_that_waits_for_nats_is_live_and_not_ready_and_ends_when_told(
    installation: Installation,
) -> None:
    environment = settings(installation, BASEJUMP_NATS_URL=f"nats://127.0.0.1:{free_port(0)}")
    port = environment["BASEJUMP_HEALTH_PORT"]
    async with spawned(environment) as process, asyncio.timeout(20):
        await until(port, "live", 200)
        assert await health(port, "ready") == 503
        process.terminate()
        assert await process.wait() == 0


async def test_a_service_is_ready_once_it_can_check_credentials_and_drains_when_told(
    installation: Installation,
) -> None:
    environment = settings(installation)
    port = environment["BASEJUMP_HEALTH_PORT"]
    async with installation.running("auth"), spawned(environment) as process, asyncio.timeout(20):
        await until(port, "ready", 200)
        process.terminate()
        assert await process.wait() == 0


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"BASEJUMP_DATABASE_DSN": ""}, "BASEJUMP_DATABASE_DSN"),
        ({"BASEJUMP_HEALTH_PORT": "many"}, "BASEJUMP_HEALTH_PORT"),
        ({"BASEJUMP_DATABASE_POOL": "0"}, "BASEJUMP_DATABASE_POOL"),
    ],
)
async def test_a_wrong_setting_ends_the_start_with_one_line_that_names_it(
    installation: Installation, changes: dict[str, str], named: str
) -> None:
    environment = {name: value for name, value in (settings(installation) | changes).items() if value}
    async with spawned(environment) as process:
        _, told = await process.communicate()
    assert process.returncode == 2
    assert named in told.decode()
    assert len(told.decode().splitlines()) == 1


async def test_connecting_to_a_nats_that_is_not_there_gives_up() -> None:
    started = time.monotonic()
    with pytest.raises(Unavailable):
        await Bus.connect(f"nats://127.0.0.1:{free_port(0)}", "account", Secret("x"))
    assert time.monotonic() - started < 10
