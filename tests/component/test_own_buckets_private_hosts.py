"""Clients' buckets while the operator forbids private addresses, which is the default, and plain HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from basejump_common.contracts import storage
from basejump_common.errors import HostForbidden, InvalidInput
from connection_house import Desk, connected
from installation import Installation
from own_bucket import ObjectServer


@pytest.fixture
async def strict(installation: Installation, tmp_path: Path) -> AsyncIterator[Desk]:
    """An operator who allows neither private addresses nor plain HTTP."""
    settings = {"allow_private_hosts": "false", "storage_plain_http": "false", "results_url": tmp_path.as_uri()}
    async with connected(installation, tmp_path / "tls", **settings) as opened:
        yield opened


async def test_an_operator_forbids_private_addresses_and_plain_http(strict: Desk) -> None:
    owner = await (await strict.house.tenant()).owner()
    with ObjectServer() as server:
        bucket = server.make_bucket()
        server.requests.clear()
        with pytest.raises(InvalidInput, match="https"):
            await owner.call(storage.CREATE_STORAGE, server.fields(bucket))
        for host in ("localhost", "127.0.0.1", "[::1]", "10.0.0.1"):
            with pytest.raises(HostForbidden):
                await owner.call(
                    storage.CREATE_STORAGE, server.fields(bucket, endpoint=f"https://{host}:{server.port}")
                )
        assert server.requests == []
