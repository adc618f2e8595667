"""A whole installation inside the test process: real PostgreSQL and NATS, real permissions, real services.

async with Installation.open(postgres, folder) as installation:
    async with installation.running("auth", "account"):
        ...
"""

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg

from basejump_cli.operator import OperatorSettings, create_client
from basejump_common.bus import Bus
from basejump_common.bus.permissions import OPERATOR
from basejump_common.bus.topology import declare
from basejump_common.contracts.account import CreateClient, CreatedClient
from basejump_common.contracts.operation import SERVICES
from basejump_common.runtime import Service
from basejump_common.security.secret import Secret
from basejump_common.settings import parse
from basejump_common.storage.database import Database
from basejump_common.storage.migrations import ServiceRole, migrate, provision
from basejump_devstack import services
from basejump_devstack.child import free_port
from basejump_devstack.nats import EmbeddedNats
from basejump_devstack.postgres import EmbeddedPostgres
from basejump_devstack.state import State

ROOT = Path(__file__).parent.parent


class Installation:
    """Migrated and declared; start the services you need with `running`."""

    def __init__(self, around: services.Surroundings) -> None:
        self.around = around

    @classmethod
    @asynccontextmanager
    async def open(cls, postgres: EmbeddedPostgres, folder: Path) -> AsyncIterator["Installation"]:
        """A fresh set of schemas in the given cluster and a NATS server of its own, dropped at the end."""
        state = State(folder)
        async with EmbeddedNats(folder / "nats", users=services.nats_users(state)) as nats:
            around = services.Surroundings(state=state, postgres=postgres, nats=nats, port=free_port(0))
            installation = cls(around)
            await installation._prepare()
            yield installation

    async def _prepare(self) -> None:
        admin = await asyncpg.connect(self.around.postgres.dsn())
        try:
            await admin.execute(f"drop database if exists {services.APP_DATABASE} with (force)")
            await admin.execute(f"create database {services.APP_DATABASE}")
        finally:
            await admin.close()
        await asyncio.to_thread(self._migrate)
        async with self.bus(OPERATOR) as bus:
            await declare(bus.jetstream)

    def _migrate(self) -> None:
        dsn = self.around.postgres.dsn(database=services.APP_DATABASE)
        roles = [
            ServiceRole(
                schema=services.schema(name),
                login=services.module(name),
                password=Secret(self.around.state.secret(f"database {name}")),
            )
            for name in services.STATEFUL
        ]
        provision(dsn, roles)
        for name in services.STATEFUL:
            migrate(dsn, services.schema(name), ROOT / "services" / name / "migrations")

    @asynccontextmanager
    async def bus(self, user: str) -> AsyncIterator[Bus]:
        """A connection as one of the NATS users."""
        bus = await Bus.connect(self.around.nats.url, user, Secret(self.around.state.secret(f"nats {user}")))
        try:
            yield bus
        finally:
            await bus.close()

    async def database(self, service: str | None = None) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection as a service's login, or as the superuser."""
        if service is None:
            return await asyncpg.connect(self.around.postgres.dsn(database=services.APP_DATABASE))
        return await asyncpg.connect(services.settings(service, self.around)["BASEJUMP_DATABASE_DSN"])

    @asynccontextmanager
    async def storage(self, service: str) -> AsyncIterator[Database]:
        """A service's schema as the service itself sees it."""
        dsn = services.settings(service, self.around)["BASEJUMP_DATABASE_DSN"]
        database = await Database.connect(dsn, schema=service.replace("-", "_"), application_name="test")
        try:
            yield database
        finally:
            await database.close()

    @asynccontextmanager
    async def running(self, *names: str, **settings: str) -> AsyncIterator[dict[str, Service]]:
        """Start services (by default all) in this process; `settings` are more BASEJUMP_ variables for all of them."""
        async with contextlib.AsyncExitStack() as stack:
            started = {}
            for name in names or SERVICES:
                started[name] = await stack.enter_async_context(self.serving(name, settings))
            for service in started.values():
                await ready(service)
            yield started

    @asynccontextmanager
    async def serving(self, name: str, settings: Mapping[str, str], **parts: Any) -> AsyncIterator[Service]:
        """One service, perhaps not ready yet; `parts` go to its bootstrap."""
        package = services.module(name)
        kind: Any = importlib.import_module(f"{package}.settings").Settings
        bootstrap: Any = importlib.import_module(f"{package}.bootstrap").bootstrap
        environment = services.settings(name, self.around) | {"BASEJUMP_HEALTH_PORT": "0"}
        environment |= {f"BASEJUMP_{field.upper()}": value for field, value in settings.items()}
        async with bootstrap(parse(kind, environment), **parts) as service, service.serving():
            yield service


async def ready(service: Service) -> None:
    """Wait until it serves."""
    async with asyncio.timeout(20):
        while not service.ready:  # noqa: ASYNC110 (readiness is a state of several parts)
            await asyncio.sleep(0.01)


def unique(name: str) -> str:
    """A name that no other test uses."""
    return f"{name}-{uuid4().hex[:8]}"


def operator_settings(installation: Installation) -> OperatorSettings:
    """What the operator's commands read from their environment."""
    state, auth = installation.around.state, services.settings("auth", installation.around)
    return OperatorSettings(
        auth_database_dsn=Secret(auth["BASEJUMP_DATABASE_DSN"]),
        secret_pepper=Secret(auth["BASEJUMP_SECRET_PEPPER"]),
        environment=auth["BASEJUMP_ENVIRONMENT"],
        nats_url=installation.around.nats.url,
        nats_password=Secret(state.secret("nats cli")),
    )


async def new_client(installation: Installation, name: str = "tests") -> CreatedClient:
    """A client of its own, made as the operator's command makes one."""
    return await create_client(operator_settings(installation), CreateClient(client_name=unique(name)))
