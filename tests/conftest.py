"""Real servers for every test, started once per run on free ports."""

import os
from collections.abc import AsyncIterator

import pytest

import mariadb_sources
from basejump_devstack.nats import EmbeddedNats
from basejump_devstack.postgres import EmbeddedPostgres
from mariadb import MariaDB

MARIADB = pytest.StashKey[mariadb_sources.Found]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "soak: has a full form for `make soak` (tests/soaking.py)")
    config.addinivalue_line("markers", "mariadb: needs a MariaDB; a test that names the fixture needs no marker")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Look for a MariaDB only when a test needs one; without one leave those tests out and say so, in CI fail."""
    needing = [item for item in items if _needs_mariadb(item)]
    if not needing:
        return
    found = config.stash[MARIADB] = mariadb_sources.find()
    if found.running is None:
        if os.environ.get("CI"):
            raise pytest.UsageError(f"CI tests MariaDB, and there is none: {found.words}")
        config.hook.pytest_deselected(items=needing)
        items[:] = [item for item in items if item not in needing]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash.get(MARIADB, None)
    if found is not None:
        missing = "NOT TESTED, there is none here: " if found.running is None else ""
        terminalreporter.write_line(f"MariaDB: {missing}{found.words}")


def _needs_mariadb(item: pytest.Item) -> bool:
    return item.get_closest_marker("mariadb") is not None or "mariadb" in getattr(item, "fixturenames", ())


@pytest.fixture(scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedPostgres]:
    """A PostgreSQL cluster; `postgres.dsn()` is its superuser's. Make a database of your own in it."""
    async with EmbeddedPostgres(tmp_path_factory.mktemp("postgres") / "data", durable=False) as server:
        yield server


@pytest.fixture(scope="session")
async def mariadb(pytestconfig: pytest.Config) -> AsyncIterator[MariaDB]:
    """A MariaDB with TLS; make a database of your own in it (`mariadb.customer`)."""
    running = pytestconfig.stash[MARIADB].running
    assert running is not None
    async with running() as server:
        yield server


@pytest.fixture(scope="session")
async def nats_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedNats]:
    """A NATS server with JetStream that lets anybody do anything; for permissions start one with users."""
    async with EmbeddedNats(tmp_path_factory.mktemp("nats")) as server:
        yield server
