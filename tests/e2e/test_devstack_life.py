"""`basejump run` from start to end: alone in its folder, tough, and the same after a restart of any kind."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from basejump_devstack.child import free_port
from basejump_devstack.state import read_environment
from rest import Api, Tenant

READY_SECONDS = 60


@dataclass
class Run:
    """A stack of its own, what it prints going to `log`."""

    folder: Path
    process: asyncio.subprocess.Process
    log: Path

    @property
    def values(self) -> dict[str, str]:
        """Its dev.env."""
        return read_environment(self.folder / "dev.env")

    def family(self) -> list[psutil.Process]:
        """The stack's process and all that it started."""
        leader = psutil.Process(self.process.pid)
        return [leader, *leader.children(recursive=True)]

    async def says(self, text: str, times: int = 1) -> None:
        """Wait until it has printed `text`."""
        async with asyncio.timeout(READY_SECONDS):
            while self.log.read_text().count(text) < times:
                assert self.process.returncode is None, self.log.read_text()
                await asyncio.sleep(0.05)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Run]:
    """Start it, wait until it is ready, end it as Ctrl-C does."""
    log = folder.parent / f"{folder.name}.log"
    with log.open("wb") as out:
        process = await basejump("run", "--port", str(free_port()), "--state", str(folder), stdout=out, stderr=out)
    run = Run(folder, process, log)
    try:
        await run.says("Basejump serves at")
        yield run
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await process.wait()


async def basejump(*words: str, **options: Any) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "basejump_cli", *words, **options)


async def said(*words: str) -> tuple[int | None, str]:
    """Exit code and output of a command that ends by itself."""
    process = await basejump(*words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    printed, _ = await process.communicate()
    return process.returncode, printed.decode()


def api(values: dict[str, str]) -> Api:
    return Api(httpx.Client(base_url=values["BASE_URL"], timeout=130))


async def test_a_second_run_says_that_one_is_running_and_ends(stack: dict[str, str], stack_folder: Path) -> None:
    code, printed = await said("run", "--port", str(free_port()), "--state", str(stack_folder))
    assert code == 1
    assert "already running" in printed
    assert printed.count("\n") == 1


async def test_status_is_good_while_all_are_ready(stack: dict[str, str], stack_folder: Path) -> None:
    code, printed = await said("status", "--state", str(stack_folder))
    assert (code, printed.count(" ready")) == (0, 5)


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, printed = await said("run", "--port", str(port), "--state", str(tmp_path / "state"))
    assert (code, f"port {port} is taken" in printed) == (1, True)


async def test_another_client_is_made_by_the_command(stack: dict[str, str], stack_folder: Path) -> None:
    code, printed = await said("client", "create", "Second", "--state", str(stack_folder))
    assert code == 0
    assert '"client_secret": "bj_dev_' in printed


async def test_everything_survives_the_killing_of_everything(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    async with running(folder) as first:
        before = first.values
        tenant = await asyncio.to_thread(lambda: Tenant.enter(api(before), before["API_KEY"]).with_demo(before))
        for process in first.family():
            with contextlib.suppress(psutil.NoSuchProcess):  # it ended with its parent, killed before it
                process.kill()
        await first.process.wait()
    async with running(folder) as second:
        after = second.values
        assert {**after, "BASE_URL": ""} == {**before, "BASE_URL": ""}
        tenant.user = Api(api(after).client, tenant.user.headers)
        message = await asyncio.to_thread(tenant.ask, "How many employees are there?")
        assert "107" in message["content"]


async def still_working(processes: list[psutil.Process], seconds: float) -> list[str]:
    """The command lines of those that have not ended in that time; one that only waits to be reaped has."""
    give_up = time.monotonic() + seconds
    while True:
        left = [line for process in processes if (line := working(process))]
        if not left or time.monotonic() > give_up:
            return left
        await asyncio.sleep(0.05)


def working(process: psutil.Process) -> str:
    """Its command line, or nothing when it has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            return f"{process.pid} {process.status()} {' '.join(process.cmdline())}"
    return ""


async def test_the_leader_alone_killed_takes_its_children_along_and_may_start_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    async with running(folder) as first:
        family = first.family()
        first.process.kill()
        await first.process.wait()
    async with running(folder) as second:
        assert second.values["API_KEY"]
        left = await still_working(family, seconds=10)
        assert not left, left


async def test_ctrl_c_ends_all_processes_in_order_with_exit_code_0(tmp_path: Path) -> None:
    async with running(tmp_path / "state") as run:
        family = run.family()
        run.process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(run.process.wait(), 30) == 0
    assert not [process for process in family if process.is_running()]
    lines = [line for line in run.log.read_text().splitlines() if line.endswith("stopped")]
    order = [line.split()[1] for line in lines]
    assert order == ["gateway", "chat-agent", "connection-indexer", "account", "auth", "devstack"]
    assert "Traceback" not in run.log.read_text()


async def test_services_and_servers_that_crash_come_back(tmp_path: Path) -> None:
    async with running(tmp_path / "state") as run:
        values = run.values
        tenant = await asyncio.to_thread(lambda: Tenant.enter(api(values), values["API_KEY"]).with_demo(values))
        for command in ("basejump_account", "nats-server", "-c shared_buffers"):
            victim = next(p for p in run.family() if command in " ".join(p.cmdline()))
            os.kill(victim.pid, signal.SIGKILL)
        await run.says("account ended with signal SIGKILL")
        await run.says("NATS has ended: starting it again")
        await run.says("PostgreSQL has ended: starting it again")
        await run.says("ready", times=run.log.read_text().count("ready") + 1)
        assert "107" in await asyncio.to_thread(eventually_answered, tenant)


def eventually_answered(tenant: Tenant) -> str:
    """The answer, once the services have found their servers again; until then they say that they are away."""
    for _ in range(60):
        chat = tenant.user.call("POST", f"/chat/team/{tenant.objects['team_uuid']}/")
        if chat.status_code == 200:
            return str(tenant.ask("How many employees are there?")["content"])
        assert chat.status_code in (503, 504), chat.text
        time.sleep(0.5)
    raise AssertionError("no answer in time")
