"""Erasing a client: its databases, connections, index and runs, and the files of its results."""

from basejump_common.bus import Context
from basejump_common.contracts.common import ByClient
from basejump_common.contracts.erasing import Erased
from basejump_common.storage.database import Database
from basejump_common.storage.erasure import erase_rows
from basejump_connection_indexer.adapters.customer_pools import CustomerPools
from basejump_connection_indexer.adapters.result_store import ResultStore


class Erasing:
    """A statement that runs is canceled when its row is gone; its file, written meanwhile, goes in the next call."""

    def __init__(self, database: Database, pools: CustomerPools, store: ResultStore) -> None:
        self._database = database
        self._pools = pools
        self._store = store

    async def erase(self, _context: Context, request: ByClient) -> Erased:
        """Raises Unavailable."""
        async with self._database.tenant(request.client_uuid) as tx:
            conn_uuids = [row["conn_uuid"] for row in await tx.fetch("select conn_uuid from connection")]
            rows = await erase_rows(tx, request.client_uuid)
        for conn_uuid in conn_uuids:
            await self._pools.forget(conn_uuid)
        return Erased(count=rows + await self._store.forget(request.client_uuid))
