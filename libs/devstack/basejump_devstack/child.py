"""A server process that belongs to this one: its own session, a log file, and an end when we end.

The children don't hear the terminal's Ctrl-C (they have a session of their own), so that the owner decides
the order in which they stop. Should the owner be killed without a chance to stop them, Linux sends each its
`end_signal` (PR_SET_PDEATHSIG); on other systems they would stay, and the next start says so.
"""

import asyncio
import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class StartError(Exception):
    """A server could not be started, or didn't become ready in time; the message says which and why."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """The system account a child runs as; None wherever it is used means our own."""

    uid: int
    gid: int


@dataclass(kw_only=True)
class ChildProcess:
    """One child, started at most once at a time.

    `argv[0]` is a path. `pass_fds` stay open under the same numbers in the child. `environment` adds to ours.
    """

    name: str
    argv: Sequence[str]
    log_path: Path
    end_signal: signal.Signals
    account: Account | None = None
    pass_fds: Sequence[int] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process and self.alive else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it from the calling thread, which must be one that lives on: PDEATHSIG follows the thread."""
        credentials = {"user": self.account.uid, "group": self.account.gid, "extra_groups": []} if self.account else {}
        self.log_path.touch(mode=0o600)
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(  # type: ignore[call-overload]  # noqa: S603 - our own binaries
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=tuple(self.pass_fds),
                env={**os.environ, **self.environment},
                preexec_fn=end_with_parent(self.end_signal),
                **credentials,
            )

    async def wait_ready(self, probe: Callable[[], bool], timeout: float = 30.0) -> None:
        """Wait until `probe` is true; StartError with the log tail when it ends or is too slow."""
        deadline = asyncio.get_running_loop().time() + timeout
        while not probe():
            if not self.alive:
                raise StartError(f"{self.name} ended at once: {self.log_tail()}")
            if asyncio.get_running_loop().time() > deadline:
                raise StartError(f"{self.name} wasn't ready after {timeout:g} s: {self.log_tail()}")
            await asyncio.sleep(0.01)

    async def stop(self, signal_number: signal.Signals, timeout: float = 10.0) -> None:
        """Ask it to end, wait, and kill it when it doesn't; nothing when it isn't running."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal_number)
            try:
                await asyncio.to_thread(process.wait, timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                await asyncio.to_thread(process.wait)
        self._process = None

    def kill(self) -> None:
        """End it without a chance to clean up, as a crash would; for tests of recovery."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def log_tail(self, lines: int = 5) -> str:
        text = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
        return " | ".join(text.strip().splitlines()[-lines:]) or f"nothing in {self.log_path.name}"


def end_with_parent(end_signal: signal.Signals) -> Callable[[], None] | None:
    """What the child does between fork and exec to be sent `end_signal` when its parent dies."""
    if _libc is None:
        return None
    prctl, parent = _libc.prctl, os.getpid()

    def ask_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, int(end_signal))
        if os.getppid() != parent:
            os._exit(1)  # the parent died between fork and prctl

    return ask_kernel


def free_port(preferred: int = 0) -> int:
    """A port of 127.0.0.1 that nobody listens on: `preferred` when it is free, else one the system picks."""
    for candidate in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StartError("no free port on 127.0.0.1")
