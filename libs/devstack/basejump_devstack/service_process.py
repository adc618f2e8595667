"""One service as a subprocess: started, its log relayed, restarted when it crashes, stopped with time to drain."""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from basejump_devstack.child import StartError, end_with_parent
from basejump_devstack.console import Console

_FIRST_DELAY_SECONDS, _LONGEST_DELAY_SECONDS = 0.5, 15.0
_CRASHES_TO_GIVE_UP = 3  # before it was ever ready
_STEADY_SECONDS = 30.0  # who ran this long starts again with the first delay
_REAP_SECONDS = 5.0
_LONGEST_LINE_BYTES = 1024**2


@dataclass(kw_only=True)
class ServiceProcess:
    """`python -m module` with `environment` added to ours; ready when `health_port` says so."""

    name: str
    module: str
    environment: Mapping[str, str]
    health_port: int
    console: Console
    stop_timeout: float = 20.0
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)
    _watch: asyncio.Task[None] | None = field(default=None, init=False)
    _last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=5), init=False)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _crashes: int = field(default=0, init=False)

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    def start(self) -> None:
        """Start it and keep it running until `stop`."""
        self._watch = asyncio.create_task(self._keep_running(), name=f"keep {self.name} running")

    async def wait_ready(self, timeout: float) -> None:
        """Wait until its health port answers ready.

        StartError with its last lines when it takes too long or crashes again and again.
        """
        deadline = asyncio.get_running_loop().time() + timeout
        while not await answers_ready(self.health_port):
            told = " | ".join(self._last_lines) or "it wrote nothing"
            if self._crashes >= _CRASHES_TO_GIVE_UP:
                raise StartError(f"{self.name} doesn't start: {told}")
            if asyncio.get_running_loop().time() > deadline:
                raise StartError(f"{self.name} wasn't ready after {timeout:g} s: {told}")
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """SIGTERM, time to finish what is in flight, then SIGKILL."""
        self._stopping.set()
        self._signal(signal.SIGTERM)
        if self._watch is None:
            return
        if not await _ended(self._watch, self.stop_timeout):
            self.console.say(f"{self.name} didn't stop within {self.stop_timeout:g} s: killed", "WARNING")
            self.kill()
            await _ended(self._watch, _REAP_SECONDS)
        self._watch.cancel()
        with suppress(asyncio.CancelledError):
            await self._watch

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _keep_running(self) -> None:
        delay, loop = _FIRST_DELAY_SECONDS, asyncio.get_running_loop()
        while not self._stopping.is_set():
            begun = loop.time()
            code = await self._run_once()
            if self._stopping.is_set():
                return
            self._crashes += 1
            if loop.time() - begun > _STEADY_SECONDS:
                delay = _FIRST_DELAY_SECONDS
            self.console.say(f"{self.name} ended with {_meaning(code)}; again in {delay:g} s", "ERROR")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
            delay = min(delay * 2, _LONGEST_DELAY_SECONDS)

    async def _run_once(self) -> int:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self.module,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**_inherited(), **self.environment},
            start_new_session=True,
            preexec_fn=end_with_parent(signal.SIGTERM),
            limit=_LONGEST_LINE_BYTES,
        )
        if self._stopping.is_set():
            self._signal(signal.SIGTERM)  # stop() came while it was being born
        await self._relay(self._process)
        return await self._process.wait()

    async def _relay(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while True:
            try:
                raw = await process.stdout.readline()
            except ValueError:
                continue  # longer than the limit: readline has dropped it
            if not raw:
                return
            line = raw.decode(errors="replace").rstrip("\n")
            self._last_lines.append(line)
            self.console.relay(self.name, line)


async def _ended(task: asyncio.Task[None], seconds: float) -> bool:
    done, _ = await asyncio.wait({task}, timeout=seconds)
    return bool(done)


async def answers_ready(port: int) -> bool:
    """Does GET /health/ready on this port of 127.0.0.1 answer 200?"""
    with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
    return False


def _inherited() -> dict[str, str]:
    """Our environment without settings of Basejump's own: those are ours to give."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BASEJUMP_")}


def _meaning(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
