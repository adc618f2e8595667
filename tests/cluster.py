"""Services as processes of their own, several of one kind, so that one can be ended under load."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx

from basejump_devstack import hr_demo, services
from basejump_devstack.child import free_port
from basejump_devstack.postgres import EmbeddedPostgres
from basejump_devstack.tls_front import TlsFront
from installation import Installation

READY_SECONDS = 60


class Replica:
    """One process of a service."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.port = port

    async def wait_ready(self) -> None:
        """Return once it says that it is ready."""
        async with httpx.AsyncClient() as client, asyncio.timeout(READY_SECONDS):
            while self.process.returncode is None:
                try:
                    if (await client.get(f"http://127.0.0.1:{self.port}/health/ready")).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)
        raise AssertionError("the replica ended")

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and wait for the end; the exit status."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await self.process.wait()


class Cluster:
    """An installation whose services are processes."""

    def __init__(self, installation: Installation, stack: AsyncExitStack, log: Path) -> None:
        self.installation = installation
        self.log = log
        """All that the services wrote."""
        self.demo: dict[str, str] = {}
        self.replicas: dict[str, list[Replica]] = {}
        self._stack = stack
        self._folders = 0

    @property
    def base_url(self) -> str:
        """Where the first gateway answers."""
        return f"http://127.0.0.1:{self.replicas['gateway'][0].port}/api/v1"

    async def start(self, name: str, count: int = 1, settings: Mapping[str, str] | None = None) -> list[Replica]:
        """That many more processes of a service, ready; `settings` are more BASEJUMP_ variables."""
        started = [await self._spawn(name, settings or {}) for _ in range(count)]
        await asyncio.gather(*(replica.wait_ready() for replica in started))
        self.replicas.setdefault(name, []).extend(started)
        return started

    async def _spawn(self, name: str, settings: Mapping[str, str]) -> Replica:
        environment = services.settings(name, self.installation.around)
        environment |= {f"BASEJUMP_{field.upper()}": value for field, value in settings.items()}
        if name == "connection-indexer" and "results_url" not in settings:
            # A folder serves one replica: the rows of results are read by the one that has written them.
            self._folders += 1
            folder = self.log.parent / f"results-{self._folders}"
            environment["BASEJUMP_RESULTS_URL"] = folder.as_uri()
        port = free_port(0)
        environment["BASEJUMP_PORT" if name == services.GATEWAY else "BASEJUMP_HEALTH_PORT"] = str(port)
        with self.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", services.module(name), env=environment, stdout=log, stderr=log
            )
        replica = Replica(process, port)
        self._stack.push_async_callback(replica.end)
        return replica


@asynccontextmanager
async def demo_database(installation: Installation) -> AsyncIterator[dict[str, str]]:
    """The demo database behind TLS; the variables of dev.env that say where."""
    server, state = installation.around.postgres, installation.around.state
    await hr_demo.load_hr_demo(server.dsn(), server.dsn(database=hr_demo.DATABASE), state.secret("hr demo"))
    async with TlsFront(state.path / "tls", (server.host, server.port)) as front:
        yield {
            "HR_DEMO_DB_USER": hr_demo.READER,
            "HR_DEMO_DB_PASSWORD": state.secret("hr demo"),
            "HR_DEMO_DB_NAME": hr_demo.DATABASE,
            "DEMO_DB_HOST": front.host,
            "DEMO_DB_PORT": str(front.port),
        }


@asynccontextmanager
async def open_cluster(folder: Path) -> AsyncIterator[Cluster]:
    """An installation with the demo database; no process of any service yet."""
    async with AsyncExitStack() as stack:
        postgres = await stack.enter_async_context(EmbeddedPostgres(folder / "postgres", durable=False))
        installation = await stack.enter_async_context(Installation.open(postgres, folder / "installation"))
        cluster = Cluster(installation, stack, folder / "services.log")
        cluster.demo = await stack.enter_async_context(demo_database(installation))
        yield cluster
