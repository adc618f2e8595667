"""A cluster of service processes to end some of."""

from collections.abc import AsyncIterator

import pytest

from basejump_devstack import services
from cluster import Cluster, open_cluster


@pytest.fixture(scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """Two processes of every service but one gateway, with the demo database."""
    async with open_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        for name in services.STATEFUL:
            await cluster.start(name, 2)
        await cluster.start(services.GATEWAY)
        yield cluster
