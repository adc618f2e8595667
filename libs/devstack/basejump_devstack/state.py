"""What the dev stack keeps in `.basejump/`: secrets made up once, ports that stay the same, one lock.

The folder and its files are closed to others. `kept.json` is written as a whole, so a kill never leaves half.
"""

import base64
import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from basejump_devstack.child import StartError, free_port
from basejump_devstack.files import write_private


class Kept(msgspec.Struct, kw_only=True):
    """Everything that a later start needs to find what an earlier one left. Secrets and ports are by name."""

    secrets: dict[str, str] = {}
    ports: dict[str, int] = {}
    api_key: str | None = None


class State:
    """The folder of one stack. `path` is where its parts keep their own files."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)
        self._file = self.path / "kept.json"
        self._kept = msgspec.json.decode(self._file.read_bytes(), type=Kept) if self._file.exists() else Kept()

    def secret(self, name: str) -> str:
        """The secret called `name`: 32 random bytes, made up when first asked for."""
        if name not in self._kept.secrets:
            self._kept.secrets[name] = secrets.token_urlsafe(32)
            self._save()
        return self._kept.secrets[name]

    def master_keys(self) -> str:
        """The envelope keys as services read them, `id:base64`, with one key of 256 bits."""
        if "master" not in self._kept.secrets:
            self._kept.secrets["master"] = base64.b64encode(secrets.token_bytes(32)).decode()
            self._save()
        return f"dev1:{self._kept.secrets['master']}"

    def port(self, name: str) -> int:
        """The port that `name` had last time when it is free, else a new one, which is kept from now on."""
        found = free_port(self._kept.ports.get(name, 0))
        if found != self._kept.ports.get(name):
            self._kept.ports[name] = found
            self._save()
        return found

    def kept_port(self, name: str) -> int:
        """The port that `name` had last time; 0 when it never had one."""
        return self._kept.ports.get(name, 0)

    @property
    def api_key(self) -> str | None:
        """The first client's OWNER secret, once there is one."""
        return self._kept.api_key

    @api_key.setter
    def api_key(self, value: str | None) -> None:
        self._kept.api_key = value
        self._save()

    def write_environment(self, values: Mapping[str, str]) -> Path:
        """Write `dev.env`, one NAME=value per line, for scripts and shells to read."""
        path = self.path / "dev.env"
        write_private(path, "".join(f"{name}={value}\n" for name, value in values.items()).encode())
        return path

    def _save(self) -> None:
        write_private(self._file, msgspec.json.format(msgspec.json.encode(self._kept)))


@contextmanager
def sole_owner(path: Path) -> Iterator[None]:
    """Hold the folder's lock; StartError names the process that has it. The system frees it however we end."""
    path.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = file.read().strip() or "unknown"
            raise StartError(f"the stack of {path} is already running (process {owner})") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def is_running(path: Path) -> bool:
    """Does a process hold the folder's lock?"""
    try:
        with (path / "lock").open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def read_environment(path: Path) -> dict[str, str]:
    """The values of a `dev.env` file."""
    lines = path.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
