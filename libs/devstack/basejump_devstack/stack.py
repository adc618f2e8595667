"""The whole of Basejump on this machine: servers, demo database and services, started and stopped together.

    async with Stack(Path(".basejump"), port=8000, console=Console()) as stack:
        ...                              # stack.base_url serves

Stopping happens in the reverse order of starting: the gateway first, PostgreSQL last. What crashes meanwhile
is started again.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncpg

from basejump_common.bus.permissions import EXTERNAL
from basejump_common.contracts import wire
from basejump_common.contracts.account import CreatedClient
from basejump_devstack import hr_demo, services
from basejump_devstack.child import StartError, end_with_parent, free_port
from basejump_devstack.console import Console
from basejump_devstack.nats import EmbeddedNats
from basejump_devstack.postgres import EmbeddedPostgres
from basejump_devstack.service_process import ServiceProcess
from basejump_devstack.state import State, sole_owner
from basejump_devstack.tls_front import TlsFront

READY_SECONDS = 60.0
_GLANCE_SECONDS = 0.5


class Stack:
    """One stack, whose state is in `folder`. Starting raises StartError, also when another one runs there."""

    def __init__(self, folder: Path, *, port: int, console: Console) -> None:
        self.folder = folder.absolute()
        self.port = port
        self.console = console
        self.processes: dict[str, ServiceProcess] = {}
        self._running = AsyncExitStack()

    @property
    def base_url(self) -> str:
        """Where the API is."""
        return f"http://127.0.0.1:{self.port}/api/v1"

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._running.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._running.aclose()

    async def _start(self) -> None:
        self._running.enter_context(sole_owner(self.folder))
        if free_port(self.port) != self.port:
            raise StartError(f"port {self.port} is taken by something else: give another with PORT=…")
        state = State(self.folder)
        (self.folder / "dev.env").unlink(missing_ok=True)  # it names the ports of an earlier run
        around = await self._start_servers(state)
        await self._prepare_databases(around)
        front = await self._open_demo(around)
        for name in services.SERVICES:
            await self._start_service(name, around)
        await self._all_ready()
        state.api_key = state.api_key or await _create_first_client(state)
        self._write_environment(state, front)

    async def _start_servers(self, state: State) -> services.Surroundings:
        new = not (state.path / services.POSTGRES_FOLDER).exists()
        if new:
            state.api_key = None  # it was the key to a client of a database that is gone
        postgres = EmbeddedPostgres(state.path / services.POSTGRES_FOLDER, port=state.port(services.POSTGRES))
        await self._running.enter_async_context(postgres)
        self.console.say(f"PostgreSQL {'created and ' if new else ''}started on port {postgres.port}")
        nats = EmbeddedNats(state.path / "nats", users=services.nats_users(state), port=state.port(services.NATS))
        await self._running.enter_async_context(nats)
        self.console.say(f"NATS started on port {nats.port}")
        for server, name in ((postgres, services.POSTGRES), (nats, services.NATS)):
            await self._keep_alive(server, name)
        return services.Surroundings(state=state, postgres=postgres, nats=nats, port=self.port)

    async def _keep_alive(self, server: EmbeddedPostgres | EmbeddedNats, name: str) -> None:
        watch = asyncio.create_task(self._restart_when_dead(server, name))
        self._running.push_async_callback(_end, watch)

    async def _restart_when_dead(self, server: EmbeddedPostgres | EmbeddedNats, name: str) -> None:
        while True:
            await asyncio.sleep(_GLANCE_SECONDS)
            if server.alive:
                continue
            self.console.say(f"{name} has ended: starting it again", "ERROR")
            try:
                await server.start()
            except StartError as failure:
                self.console.say(str(failure), "ERROR")

    async def _prepare_databases(self, around: services.Surroundings) -> None:
        admin = await asyncpg.connect(around.postgres.dsn())
        try:
            if not await admin.fetchval("select 1 from pg_database where datname = $1", services.APP_DATABASE):
                await admin.execute(f"create database {services.APP_DATABASE}")
            await admin.execute("revoke all on database postgres from public")
        finally:
            await admin.close()
        await _migrate(around)
        self.console.say("migrated")

    async def _start_service(self, name: str, around: services.Surroundings) -> None:
        given = services.language_models(os.environ) if name == services.CHAT_AGENT else {}
        process = ServiceProcess(
            name=name,
            module=services.module(name),
            environment=services.settings(name, around) | given,
            health_port=services.health_port(name, around),
            console=self.console,
        )
        self.processes[name] = process
        self._running.push_async_callback(process.stop)
        process.start()

    async def _open_demo(self, around: services.Surroundings) -> TlsFront:
        server, state = around.postgres, around.state
        await hr_demo.load_hr_demo(server.dsn(), server.dsn(database=hr_demo.DATABASE), state.secret("hr demo"))
        front = TlsFront(state.path / "tls", (server.host, server.port), port=state.port("demo database"))
        return await self._running.enter_async_context(front)

    async def _all_ready(self) -> None:
        try:
            async with asyncio.TaskGroup() as waits:
                for process in self.processes.values():
                    waits.create_task(self._ready(process))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _ready(self, process: ServiceProcess) -> None:
        await process.wait_ready(READY_SECONDS)
        self.console.say(f"{process.name} is ready")

    def _write_environment(self, state: State, front: TlsFront) -> None:
        state.write_environment(
            {
                "BASE_URL": self.base_url,
                "API_KEY": state.api_key or "",
                "HR_DEMO_DB_USER": hr_demo.READER,
                "HR_DEMO_DB_PASSWORD": state.secret("hr demo"),
                "HR_DEMO_DB_NAME": hr_demo.DATABASE,
                "DEMO_DB_HOST": front.host,
                "DEMO_DB_PORT": str(front.port),
                "DEMO_DB_CA": str(front.authority),
                "NATS_URL": f"nats://127.0.0.1:{state.kept_port(services.NATS)}",
                "NATS_USER": EXTERNAL,
                "NATS_PASSWORD": state.secret(f"nats {EXTERNAL}"),
            }
        )


async def _migrate(around: services.Surroundings) -> None:
    await _basejump(["migrate"], services.migration_settings(around))


async def _create_first_client(state: State) -> str:
    """The OWNER secret of a new client."""
    command = ["client", "create", "Demo", "--description", "made by the local stack"]
    created = wire.decode(await _basejump(command, services.operator_settings(state)), CreatedClient)
    return created.client_secret.reveal()


async def _basejump(words: Sequence[str], settings: Mapping[str, str]) -> bytes:
    """What the `basejump` command prints: a process of its own, as an operator would run it, whose libraries (yoyo,
    psycopg, auth's) then go with it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "basejump_cli",
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **settings},
        preexec_fn=end_with_parent(signal.SIGTERM),
    )
    printed, complaint = await process.communicate()
    if process.returncode != 0:
        raise StartError(f"`basejump {words[0]}` failed: {complaint.decode(errors='replace').strip()}")
    return printed


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
