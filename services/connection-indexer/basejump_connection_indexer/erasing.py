"""Erasing a client: its databases, connections, index and runs, and the files of its results, wherever they are."""

import logging
from datetime import UTC, datetime, timedelta
from uuid import UUID

from basejump_common.bus import Context
from basejump_common.contracts.common import ByClient
from basejump_common.contracts.erasing import Erased
from basejump_common.errors import StorageAway
from basejump_common.storage.database import Database
from basejump_common.storage.erasure import erase_rows
from basejump_connection_indexer.adapters import storage_rows
from basejump_connection_indexer.adapters.customer_pools import CustomerPools
from basejump_connection_indexer.adapters.result_store import ResultStore
from basejump_connection_indexer.adapters.storage_rows import StorageRow

WAIT_FOR_BUCKETS = timedelta(hours=1)
"""So long a client's own bucket that is away, or refuses us, holds up its erasure."""

log = logging.getLogger(__name__)


class Erasing:
    """A statement that runs is canceled when its row is gone; its file, written meanwhile, goes in the next call, or by
    the run itself where it is in the client's bucket."""

    def __init__(self, database: Database, pools: CustomerPools, store: ResultStore) -> None:
        self._database = database
        self._pools = pools
        self._store = store

    async def erase(self, _context: Context, request: ByClient) -> Erased:
        """Buckets first: the rows hold the keys to them. Raises Unavailable."""
        client_uuid = request.client_uuid
        async with self._database.tenant(client_uuid) as tx:
            storages = await storage_rows.every(tx)
        files = sum([await self._empty(storage) for storage in storages])
        async with self._database.tenant(client_uuid) as tx:
            conn_uuids = [row["conn_uuid"] for row in await tx.fetch("select conn_uuid from connection")]
            rows = await erase_rows(tx, client_uuid)
        for conn_uuid in conn_uuids:
            await self._pools.forget(conn_uuid)
        return Erased(count=rows + files + await self._store.own.forget(client_uuid))

    async def _empty(self, storage: StorageRow) -> int:
        """How many files of ours were in the client's bucket. Raises StorageAway, for an hour at most."""
        try:
            place = await self._store.place(storage.client_uuid, storage.storage_uuid)
            return await place.forget(storage.client_uuid)
        except StorageAway as away:
            if await self._waits(storage.client_uuid, storage.storage_uuid):
                raise
            log.warning("a client's bucket was away for too long: what we wrote is left in it: %s", away.message)
            return 0

    async def _waits(self, client_uuid: UUID, storage_uuid: UUID) -> bool:
        async with self._database.tenant(client_uuid) as tx:
            since = await storage_rows.erasing_since(tx, storage_uuid)
        return since is not None and datetime.now(UTC) - since < WAIT_FOR_BUCKETS
