"""How a service lives: settings, logs, connections, readiness, and an end that loses nothing.

    def main() -> None:
        run("auth", Settings, bootstrap)

A service starts when NATS and PostgreSQL are there (it waits for them), is ready once it serves and can check
credentials, and on SIGTERM takes no new requests, finishes those in flight, stops its background work and closes.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import uvloop

from basejump_common.bus import bells
from basejump_common.bus.connection import Bus
from basejump_common.bus.ending import end
from basejump_common.bus.events import Consumer, Reaction, relay
from basejump_common.bus.keyvalue import KeyValueMirror
from basejump_common.bus.server import Endpoint, Server
from basejump_common.bus.topology import KEYS, REVOCATIONS
from basejump_common.errors import Unavailable
from basejump_common.health import serve_health
from basejump_common.security.envelope import Envelope
from basejump_common.security.tokens import Verifier
from basejump_common.settings import BusSettings, ServiceSettings, SettingsError, end_with, load
from basejump_common.storage.database import Database
from basejump_common.storage.housekeeping import housekeeping
from basejump_common.storage.idempotency import Idempotency
from basejump_common.telemetry import configure_logging

log = logging.getLogger("basejump.runtime")
S = TypeVar("S", bound=BusSettings)
T = TypeVar("T")

Background = Callable[[], Awaitable[None]]

RETRY_SECONDS = 0.5
RESTART_SECONDS = 1.0
CLEAN_UP_SECONDS = 6.0  # more than a job worker takes to hand its jobs back


class Service:
    """A composed service: what it answers and what it does in the background."""

    def __init__(self, base: "Base", server: Server | None, background: Sequence[Background]) -> None:
        self._base = base
        self._server = server
        self._background = background
        self._serving = False

    @property
    def ready(self) -> bool:
        """True while it serves, NATS is there and credentials can be checked."""
        return self._serving and self._base.bus.connected and self._base.verifier.ready

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Service"]:
        """Serve for as long as the block lasts; on leaving it, drain, then end the background work."""
        tasks = [asyncio.create_task(_keep_running(work)) for work in self._background]
        try:
            if self._server is not None:
                await self._server.start()
            self._serving = True
            yield self
        finally:
            self._serving = False
            if self._server is not None:
                await self._server.drain()
            await end(*tasks, again=CLEAN_UP_SECONDS)


@dataclass(frozen=True, slots=True)
class Storage:
    """What a service with tables has besides: its schema, and the keys that it seals with."""

    database: Database
    envelope: Envelope
    idempotency: Idempotency


class Base:
    """What every service is composed on."""

    def __init__(self, name: str, bus: Bus, verifier: Verifier, storage: Storage | None) -> None:
        self.name = name
        self.bus = bus
        self.verifier = verifier
        self._storage = storage

    @property
    def database(self) -> Database:
        """The service's own schema."""
        assert self._storage is not None, f"{self.name} has no database"
        return self._storage.database

    @property
    def envelope(self) -> Envelope:
        """Seals what the service keeps secret."""
        assert self._storage is not None, f"{self.name} keeps no secrets"
        return self._storage.envelope

    def service(
        self,
        *,
        endpoints: Sequence[Endpoint[Any, Any]] = (),
        reactions: Sequence[Reaction[Any]] = (),
        background: Sequence[Background] = (),
    ) -> Service:
        """Compose: the endpoints, the reactions to events, and background work that runs until canceled."""
        work = list(background)
        if self._storage is not None:
            work += [relay(self.bus, self.database).run, housekeeping(self.database)]
        if reactions:
            work.append(Consumer(self.bus, self.database, self.name, reactions).run)
        idempotency = self._storage.idempotency if self._storage is not None else None
        server = Server(self.bus, self.name, endpoints, self.verifier, idempotency) if endpoints else None
        return Service(self, server, work)


@asynccontextmanager
async def foundation(settings: BusSettings, name: str) -> AsyncIterator[Base]:
    """Bus, verifier and (with ServiceSettings) database, open for as long as the block lasts; waits for both."""
    async with contextlib.AsyncExitStack() as stack:
        storage = None
        if isinstance(settings, ServiceSettings):
            envelope = Envelope.from_text(settings.master_keys.reveal())
            database = await _patiently(lambda: _open_database(settings, name))
            stack.push_async_callback(database.close)
            # Half of the pool: what has no key always finds a connection.
            storage = Storage(database, envelope, Idempotency(database, envelope, max(1, settings.database_pool // 2)))
        bus = await _patiently(lambda: Bus.connect(settings.nats_url, settings.nats_user, settings.nats_password))
        stack.push_async_callback(bus.close)
        if storage is not None:
            await stack.enter_async_context(bells.shared(storage.database.bells, bus, name))
        keys = await stack.enter_async_context(KeyValueMirror(bus, KEYS).running())
        revocations = await stack.enter_async_context(KeyValueMirror(bus, REVOCATIONS).running())
        yield Base(name, bus, Verifier(keys, revocations), storage)


def _open_database(settings: ServiceSettings, name: str) -> Awaitable[Database]:
    return Database.connect(
        settings.database_dsn.reveal(),
        schema=name.replace("-", "_"),
        size=settings.database_pool,
        application_name=f"basejump-{name}",
        statement_cache_size=settings.database_statement_cache,
    )


async def _patiently(connect: Callable[[], Awaitable[T]]) -> T:
    while True:
        try:
            return await connect()
        except Unavailable as error:
            log.warning("waiting: %s", error.message)
            await asyncio.sleep(RETRY_SECONDS)


async def _keep_running(work: Background) -> None:
    """Background work that fails is logged and begun again: nothing it does may depend on its memory."""
    while True:
        try:
            await work()
            return
        except Exception:
            # A defect or an outage of one loop must not end the service; the log says what it was.
            log.exception("background work failed; it begins again")
            await asyncio.sleep(RESTART_SECONDS)


Bootstrap = Callable[[S], AbstractAsyncContextManager[Service]]


async def serve(
    settings: S, bootstrap: Bootstrap[S], stopping: asyncio.Event, started: asyncio.Event | None = None
) -> None:
    """Bootstrap and serve until `stopping`; `started` is set once it serves.

    Health is answered from the beginning: live before it is ready.
    """
    services: list[Service] = []
    async with serve_health(
        settings.health_host, settings.health_port, lambda: any(service.ready for service in services)
    ):
        async with bootstrap(settings) as service, service.serving():
            services.append(service)
            if started is not None:
                started.set()
            log.info("ready")
            await stopping.wait()
            log.info("draining")
        log.info("stopped")


def run(name: str, settings_type: type[S], bootstrap: Bootstrap[S]) -> None:
    """The whole life of a service's process."""
    settings = load(settings_type)
    configure_logging(name, settings.log_level, settings.log_format)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(_main(settings, bootstrap))
        except SettingsError as error:  # what a setting names is not to be had
            end_with(error)


async def _main(settings: S, bootstrap: Bootstrap[S]) -> None:
    stopping, started = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(serve(settings, bootstrap, stopping, started))

    def stop() -> None:
        """The first signal drains, or ends a start that still waits for its dependencies; a second ends at once."""
        if stopping.is_set() or not started.is_set():
            serving.cancel()
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    with contextlib.suppress(asyncio.CancelledError):
        await serving
    # What nats-py leaves behind when its server goes at the same moment: asyncio would cancel it once, then wait.
    await end(*asyncio.all_tasks() - {asyncio.current_task()})
