"""One installation for all component tests; each test makes its own client, so none sees another's rows."""

from collections.abc import AsyncIterator

import pytest

from basejump_devstack.postgres import EmbeddedPostgres
from installation import Installation


@pytest.fixture(scope="session")
async def installation(
    postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """Real PostgreSQL and NATS with real permissions, migrated, no service started yet."""
    async with Installation.open(postgres, tmp_path_factory.mktemp("installation")) as opened:
        yield opened
