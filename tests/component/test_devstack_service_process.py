"""A service as a subprocess: relayed, restarted, drained, and given up when it can't start."""

import asyncio
import io
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from basejump_devstack.child import StartError, free_port
from basejump_devstack.console import Console
from basejump_devstack.service_process import ServiceProcess

SERVING = """
import http.server, json, os, signal, sys, threading
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
def stop(*_):
    print(json.dumps({"level": "info", "message": "drained"}), flush=True)
    os._exit(0)
signal.signal(signal.SIGTERM, stop)
print(json.dumps({"level": "info", "message": "up", "given": os.environ["GIVEN"]}), flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["HEALTH"])), Ready).serve_forever()
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
BROKEN = "raise SystemExit('a setting is missing')"


class Run:
    """A process made from `source`, and what the console showed."""

    def __init__(self, folder: Path, source: str, **options: float) -> None:
        self.shown = io.StringIO()
        port = free_port()
        (folder / "under_test.py").write_text(source)
        environment = {"PYTHONPATH": str(folder), "HEALTH": str(port), "GIVEN": "yes"}
        self.process = ServiceProcess(
            name="auth",
            module="under_test",
            environment=environment,
            health_port=port,
            console=Console(self.shown),
            **options,
        )

    async def shows(self, text: str) -> None:
        await until(lambda: text in self.shown.getvalue())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - another process: nothing to wait on
            await asyncio.sleep(0.01)


@asynccontextmanager
async def started(run: Run) -> AsyncIterator[Run]:
    run.process.start()
    try:
        yield run
    finally:
        await run.process.stop()


async def test_it_becomes_ready_with_its_settings_and_drains_when_stopped(tmp_path: Path) -> None:
    async with started(Run(tmp_path, SERVING)) as run:
        await run.process.wait_ready(10)
        await run.shows("auth               up  given=yes")
    assert "drained" in run.shown.getvalue()
    assert run.process.pid is None


async def test_settings_of_ours_in_the_environment_are_not_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASEJUMP_SECRET_PEPPER", "the operator's own")
    source = "import os, time; print(sorted(k for k in os.environ if 'BASEJUMP' in k), flush=True); time.sleep(60)"
    async with started(Run(tmp_path, source)) as run:
        await run.shows("auth               []")


async def test_a_crash_is_reported_and_it_runs_again(tmp_path: Path) -> None:
    async with started(Run(tmp_path, SERVING)) as run:
        await run.process.wait_ready(10)
        first = run.process.pid
        run.process.kill()
        await run.shows("auth ended with signal SIGKILL; again in 0.5 s")
        await until(lambda: run.process.pid not in (None, first))
        await run.process.wait_ready(10)


async def test_one_that_crashes_again_and_again_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    async with started(Run(tmp_path, BROKEN)) as run:
        with pytest.raises(StartError, match=r"auth doesn't start: .*a setting is missing"):
            await run.process.wait_ready(30)


async def test_stopping_does_not_wait_for_the_next_try(tmp_path: Path) -> None:
    async with started(Run(tmp_path, BROKEN)) as run:
        await run.shows("again in 2 s")
        begun = time.monotonic()
        await run.process.stop()
        assert time.monotonic() - begun < 1


async def test_one_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    async with started(Run(tmp_path, DEAF, stop_timeout=0.3)) as run:
        await run.shows("deaf")
        pid = run.process.pid
        await run.process.stop()
        assert pid is not None
        assert not psutil.pid_exists(pid)
        assert "killed" in run.shown.getvalue()


async def test_a_line_longer_than_any_log_line_does_not_stop_the_relay(tmp_path: Path) -> None:
    source = "import time; print('x' * 3_000_000); print('after', flush=True); time.sleep(60)"
    async with started(Run(tmp_path, source)) as run:
        await run.shows("auth               after")


async def test_a_service_ends_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    (tmp_path / "under_test.py").write_text("import time; print('up', flush=True); time.sleep(60)")
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SUPERVISOR, env={"PYTHONPATH": str(tmp_path)}, stdout=asyncio.subprocess.PIPE
    )
    assert supervisor.stdout is not None
    service = psutil.Process(int(await supervisor.stdout.readline()))
    supervisor.kill()
    await supervisor.wait()
    await asyncio.to_thread(service.wait, 10)


SUPERVISOR = """
import asyncio
from basejump_devstack.console import Console
from basejump_devstack.service_process import ServiceProcess

async def main():
    console = Console(quiet=True)
    process = ServiceProcess(name="auth", module="under_test", environment={}, health_port=1, console=console)
    process.start()
    while process.pid is None:
        await asyncio.sleep(0.01)
    print(process.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""
