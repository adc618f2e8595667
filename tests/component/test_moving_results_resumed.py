"""Moving results goes on in another replica where one ended in the middle."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from basejump_common.contracts import storage
from basejump_common.contracts.storage import ByStorage, MigrationState, MigrationStatus
from basejump_connection_indexer.adapters import migration_rows
from connection_house import connected
from installation import Installation
from own_bucket import Answer, ObjectServer

RESULTS = 30
SECONDS = 60.0


async def test_another_replica_goes_on_where_one_ended(installation: Installation, tmp_path: Path) -> None:
    settings = {"results_url": (tmp_path / "kept").as_uri(), "moved_results_seconds": "0.1"}
    with ObjectServer() as server:
        async with connected(installation, tmp_path / "tls", **settings) as desk:
            office = await desk.office()
            shop = await office.add(desk.fields(await desk.customer()))
            for most in range(RESULTS):
                await office.run(shop, f"select id from shop.purchase where id <= {most}")
            owner = await office.tenant.owner()
            added = await owner.call(storage.CREATE_STORAGE, server.fields(server.make_bucket()))
            server.spoil = slow
            await owner.call(storage.ACTIVATE_STORAGE, ByStorage(storage_uuid=added.storage_uuid))
            status = await _until(installation, office.tenant.client_uuid, lambda status: status.done >= 2)
        assert status.done < RESULTS
        server.spoil = None
        written = sum(method == "PUT" and path.endswith(".parquet") for method, path, _ in server.requests)
        async with connected(installation, tmp_path / "tls", **settings):
            status = await _until(
                installation, office.tenant.client_uuid, lambda status: status.state is MigrationState.FINISHED
            )
        assert (status.done, status.total, status.error) == (RESULTS, RESULTS, None)
        assert len(server.keys(added.bucket_name)) == RESULTS, "copies that came to nothing are gone"
        assert list((tmp_path / "kept").rglob("*.parquet")) == []
        all_written = sum(method == "PUT" and path.endswith(".parquet") for method, path, _ in server.requests)
        assert all_written - written <= RESULTS - 2, "what had moved isn't moved again"


def slow(environ: dict[str, Any]) -> Answer | None:
    """A bucket at the end of a thin line."""
    if environ["REQUEST_METHOD"] == "PUT":
        time.sleep(0.3)
    return None


async def _until(
    installation: Installation, client_uuid: UUID, holds: Callable[[MigrationStatus], bool]
) -> MigrationStatus:
    async with installation.storage("connection-indexer") as database, asyncio.timeout(SECONDS):
        while True:
            async with database.tenant(client_uuid) as tx:
                status = await migration_rows.status(tx)
            if holds(status):
                return status
            await asyncio.sleep(0.05)
