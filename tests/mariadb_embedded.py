"""A MariaDB of our own on 127.0.0.1, from the binary of this machine: up in about half a second, gone with its parent.

It runs as `nobody` when we are root, speaks TCP only, with a certificate of ours, and keeps nothing: its folder lies
directly under the temporary directory (a path that `nobody` may enter) and is removed at the end.
"""

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from basejump_devstack.certificates import local_certificate
from basejump_devstack.child import Account, ChildProcess, StartError, free_port
from basejump_devstack.files import write_private
from basejump_devstack.pg_binaries import unprivileged_account
from mariadb import MariaDB

ADMIN = "admin"
_SYSTEM_TABLES = ("mysql_system_tables", "mysql_performance_tables", "mysql_system_tables_data")
_SCRIPTS = ("/usr/share/mysql", "/usr/share/mariadb")
# Small, and safe against nothing but a clean end: every file is made anew for each run of the tests.
_SMALL = (
    "--innodb-buffer-pool-size=16M",
    "--innodb-log-file-size=4M",
    "--innodb-data-file-path=ibdata1:4M:autoextend",
    "--innodb-temp-data-file-path=ibtmp1:4M:autoextend",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=0",
    "--innodb-use-native-aio=0",
    "--aria-pagecache-buffer-size=4M",
    "--key-buffer-size=1M",
    "--sync-frm=0",
    "--performance-schema=0",
    "--max-connections=100",
    "--table-open-cache=400",
    "--skip-name-resolve",
    "--default-time-zone=+00:00",
    "--log-warnings=1",
)


@asynccontextmanager
async def embedded(binary: Path, *options: str) -> AsyncIterator[MariaDB]:
    """Start it on a free port, with more options of its own. Raises StartError with the server's own words."""
    account = unprivileged_account()
    folder = Path(tempfile.mkdtemp(prefix="basejump-mariadb-"))
    try:
        password = secrets.token_urlsafe(16)
        await asyncio.to_thread(_initialise, binary, folder, account, password)
        child, port = _server(binary, folder, account, options)
        child.start()
        try:
            await child.wait_ready(lambda: "ready for connections" in child.log_tail(lines=40))
            authority = (folder / "tls" / "ca.pem").read_text()
            yield MariaDB(
                host="127.0.0.1", port=port, user=ADMIN, password=password, ca_pem=authority, origin=str(binary),
                pid=child.pid,
            )  # fmt: skip
        finally:
            await child.stop(signal.SIGTERM)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _server(binary: Path, folder: Path, account: Account | None, options: Sequence[str]) -> tuple[ChildProcess, int]:
    port = free_port()
    chain = folder / "data" / "server.pem"
    where = [f"--port={port}", "--bind-address=127.0.0.1", "--socket="]
    tls = [f"--ssl-cert={chain}", f"--ssl-key={chain}", f"--ssl-ca={folder / 'data' / 'ca.pem'}"]
    return ChildProcess(
        name="MariaDB",
        argv=[str(binary), *_common(folder), *where, *tls, *options],
        log_path=folder / "mariadb.log",
        end_signal=signal.SIGKILL,
        account=account,
    ), port


def _common(folder: Path) -> list[str]:
    return ["--no-defaults", f"--datadir={folder / 'data'}", f"--tmpdir={folder / 'data'}", *_SMALL]


def _initialise(binary: Path, folder: Path, account: Account | None, password: str) -> None:
    """Make the system tables, one administrator who comes over TCP, and the certificate."""
    folder.chmod(0o711)
    data = folder / "data"
    data.mkdir(mode=0o700)
    certificate = local_certificate(folder / "tls")
    for source in (certificate.chain, certificate.authority):
        write_private(data / source.name, source.read_bytes())
    if account:
        for path in (data, *data.iterdir()):
            os.chown(path, account.uid, account.gid)
    ids = {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}
    done = subprocess.run(  # type: ignore[call-overload]
        [str(binary), *_common(folder), "--bootstrap", "--enforce-storage-engine=", "--skip-grant-tables"],
        input=_bootstrap(password).encode(), capture_output=True, timeout=60, **ids,
    )  # fmt: skip
    if done.returncode != 0:
        raise StartError(f"MariaDB's tables can't be made: {done.stderr.decode(errors='replace')[-500:]}")


def _bootstrap(password: str) -> str:
    folder = next((path for path in map(Path, _SCRIPTS) if (path / f"{_SYSTEM_TABLES[0]}.sql").exists()), None)
    if folder is None:
        raise StartError(f"no {_SYSTEM_TABLES[0]}.sql in {' or '.join(_SCRIPTS)}")
    tables = [(folder / f"{name}.sql").read_text() for name in _SYSTEM_TABLES]
    return "\n".join(
        (
            "create database mysql;", "use mysql;", "set @auth_root_socket = null;", *tables,
            "delete from global_priv where user <> 'mariadb.sys';", "flush privileges;",
            f"create user {ADMIN}@'%' identified by '{password}';",
            f"grant all on *.* to {ADMIN}@'%' with grant option;",
        )
    )  # fmt: skip
