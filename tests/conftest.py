"""Real servers for every test, started once per run on free ports."""

from collections.abc import AsyncIterator

import pytest

from basejump_devstack.nats import EmbeddedNats
from basejump_devstack.postgres import EmbeddedPostgres


@pytest.fixture(scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedPostgres]:
    """A PostgreSQL cluster; `postgres.dsn()` is its superuser's. Make a database of your own in it."""
    async with EmbeddedPostgres(tmp_path_factory.mktemp("postgres") / "data", durable=False) as server:
        yield server


@pytest.fixture(scope="session")
async def nats_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedNats]:
    """A NATS server with JetStream that lets anybody do anything; for permissions start one with users."""
    async with EmbeddedNats(tmp_path_factory.mktemp("nats")) as server:
        yield server
