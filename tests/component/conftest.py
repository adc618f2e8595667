"""One installation for all component tests; each test makes its own client, so none sees another's rows."""

from collections.abc import AsyncIterator

import pytest

from basejump_devstack.postgres import EmbeddedPostgres
from connection_house import Desk
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
