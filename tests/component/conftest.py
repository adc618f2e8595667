"""One installation for all component tests; each test makes its own client, so none sees another's rows."""

from collections.abc import AsyncIterator

import pytest

from basejump_common.security.tokens import Signer
from basejump_devstack.postgres import EmbeddedPostgres
from chatting import new_signer
from connection_house import Desk, Office, connected
from customers import Customers, MariadbCustomers, PostgresCustomers
from installation import Installation


@pytest.fixture(scope="session")
async def installation(
    postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """Real PostgreSQL and NATS with real permissions, migrated, no service started yet."""
    async with Installation.open(postgres, tmp_path_factory.mktemp("installation")) as opened:
        yield opened


@pytest.fixture(scope="module", params=["postgres", pytest.param("mariadb", marks=pytest.mark.mariadb)])
def customers(request: pytest.FixtureRequest, desk: Desk) -> Customers:
    """Each engine in turn; the module says how its `desk` runs."""
    if request.param == "postgres":
        return PostgresCustomers(desk)
    return MariadbCustomers(request.getfixturevalue("mariadb"))


@pytest.fixture(scope="module")
async def signer(installation: Installation) -> Signer:
    """A key of our own beside auth's, to make tokens of any kind."""
    return await new_signer(installation)


@pytest.fixture(scope="module")
async def desk(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """connection-indexer and what it needs, results kept in a folder; tests with other settings have their own."""
    folder = tmp_path_factory.mktemp("desk")
    async with connected(installation, folder / "tls", results_url=(folder / "results").as_uri()) as opened:
        yield opened


@pytest.fixture(scope="module")
async def office(desk: Desk) -> Office:
    """A client of the module's own."""
    return await desk.office()
