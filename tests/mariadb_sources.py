"""Where the tests find a MariaDB: an environment URL, this machine's binary, Debian's package, Docker; in that order.

`find` is asked once, when tests that need a MariaDB are collected, and says of each place why it has none. The URL
`none` looks nowhere.
"""

import asyncio
import io
import os
import secrets
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncmy
import docker  # type: ignore[import-untyped]
from docker.errors import DockerException, ImageNotFound  # type: ignore[import-untyped]

from basejump_devstack.certificates import LocalCertificate, local_certificate
from mariadb import MariaDB
from mariadb_embedded import embedded

URL_VARIABLE = "BASEJUMP_TEST_MARIADB_URL"
NONE = "none"
DEBIAN_PACKAGE = "mariadb-server-core"  # the server alone: no service that starts itself, no account, no client
DOCKER_IMAGE = "mariadb:11.4"
_INSTALL_SECONDS = 240
_DOCKER_SECONDS = 240
_START_SECONDS = 60

Running = Callable[[], AbstractAsyncContextManager[MariaDB]]


@dataclass(frozen=True)
class Found:
    """`running` starts the server, or connects to it; None when there is none, and `words` says why."""

    words: str
    running: Running | None


class NotHere(Exception):
    """This place has no MariaDB; the message says why."""


def find(environment: Mapping[str, str] | None = None) -> Found:
    """The first place that has one. May install Debian's package or pull an image: bounded in time.

    `environment` is by default this process's, with the folders of servers on its PATH.
    """
    environment = environment or {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/libexec"}
    if environment.get(URL_VARIABLE) == NONE:
        return Found(f"{URL_VARIABLE} is {NONE}", None)
    reasons = []
    for place in (_from_url, _from_binary, _from_debian, _from_docker):
        try:
            return place(environment)
        except NotHere as reason:
            reasons.append(str(reason))
    return Found("; ".join(reasons), None)


def _from_url(environment: Mapping[str, str]) -> Found:
    """`mysql://user:password@host:port/?ca=/path/of/ca.pem`: an account that may create databases and users."""
    url = environment.get(URL_VARIABLE)
    if not url:
        raise NotHere(f"{URL_VARIABLE} isn't set")
    parts = urlsplit(url)
    ca = parse_qs(parts.query).get("ca", [None])[0]
    server = MariaDB(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 3306,
        user=unquote(parts.username or "root"),
        password=unquote(parts.password or ""),
        ca_pem=Path(ca).read_text() if ca else None,
        origin=URL_VARIABLE,
    )

    @asynccontextmanager
    async def running() -> AsyncIterator[MariaDB]:
        yield server

    return Found(f"at {server.host}:{server.port}, by {URL_VARIABLE}", running)


def _from_binary(environment: Mapping[str, str]) -> Found:
    binary = shutil.which("mariadbd", path=environment.get("PATH"))
    if binary is None:
        raise NotHere("no mariadbd on this machine")
    return Found(binary, lambda: embedded(Path(binary)))


def _from_debian(environment: Mapping[str, str]) -> Found:
    if os.geteuid() != 0 or shutil.which("apt-get", path=environment.get("PATH")) is None:
        raise NotHere("Debian's package can't be installed without root and apt-get")
    quiet = {**environment, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", DEBIAN_PACKAGE]
    failed = _run(install, quiet)
    if failed:  # the package lists may be missing or old
        failed = _run(["apt-get", "update"], quiet) or _run(install, quiet)
    if failed:
        raise NotHere(f"Debian's package {DEBIAN_PACKAGE} can't be installed: {failed}")
    return _from_binary(environment)


def _run(command: list[str], environment: Mapping[str, str]) -> str:
    """Why it failed; empty when it didn't."""
    try:
        done = subprocess.run(
            command, env=dict(environment), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=_INSTALL_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"{' '.join(command[:2])} took more than {_INSTALL_SECONDS} s"
    last = (done.stderr or done.stdout).strip().splitlines()[-1:]
    return "" if done.returncode == 0 else " ".join(last) or f"exit code {done.returncode}"


def _from_docker(environment: Mapping[str, str]) -> Found:
    try:
        engine = docker.from_env(environment=dict(environment), timeout=_DOCKER_SECONDS)
        _fetch_image(engine)
    except DockerException as error:
        raise NotHere(f"Docker can't give one: {str(error)[:120]}") from error
    return Found(f"Docker's {DOCKER_IMAGE}", lambda: _container(engine))


def _fetch_image(engine: Any) -> None:
    try:
        engine.images.get(DOCKER_IMAGE)
    except ImageNotFound:
        engine.images.pull(DOCKER_IMAGE)


@asynccontextmanager
async def _container(engine: Any) -> AsyncIterator[MariaDB]:
    """A container with a certificate of ours on a port of 127.0.0.1, removed at the end."""
    password = secrets.token_urlsafe(16)
    with tempfile.TemporaryDirectory() as folder:
        certificate = local_certificate(Path(folder))
        container = await asyncio.to_thread(_create, engine, password, certificate)
        try:
            await asyncio.to_thread(container.start)
            await asyncio.to_thread(container.reload)
            port = int(container.ports["3306/tcp"][0]["HostPort"])
            server = MariaDB(
                host="127.0.0.1", port=port, user="root", password=password,
                ca_pem=certificate.authority.read_text(), origin=DOCKER_IMAGE,
            )  # fmt: skip
            await _answers(server)
            yield server
        finally:
            await asyncio.to_thread(container.remove, force=True, v=True)


def _create(engine: Any, password: str, certificate: LocalCertificate) -> Any:
    files = io.BytesIO()
    with tarfile.open(fileobj=files, mode="w") as archive:
        for path in (certificate.chain, certificate.authority):
            entry = tarfile.TarInfo(path.name)
            entry.size, entry.mode = path.stat().st_size, 0o644  # the server's account in the container reads it
            archive.addfile(entry, io.BytesIO(path.read_bytes()))
    container = engine.containers.create(
        DOCKER_IMAGE,
        ["--ssl-cert=/etc/server.pem", "--ssl-key=/etc/server.pem", "--ssl-ca=/etc/ca.pem"],
        environment={"MARIADB_ROOT_PASSWORD": password},
        ports={"3306/tcp": ("127.0.0.1", None)},
    )
    container.put_archive("/etc", files.getvalue())
    return container


async def _answers(server: MariaDB) -> None:
    """Wait for the first login: the image starts the server twice, and only the second listens on TCP."""
    async with asyncio.timeout(_START_SECONDS):
        while True:
            try:
                async with server.session():
                    return
            except (asyncmy.Error, OSError):
                await asyncio.sleep(0.2)
