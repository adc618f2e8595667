"""Wakes the prompts that wait for an index."""

import asyncio

from basejump_common.bus import Event
from basejump_common.contracts.connection import DatabaseIndexed, DatabaseIndexFailed
from basejump_common.storage.database import Transaction


class IndexNews:
    """Take `next()` before looking, so that news between looking and waiting isn't missed."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def next(self) -> asyncio.Event:
        """Set when an indexing ends after now. Only one replica hears of each: don't wait for it alone."""
        return self._next

    async def tell(self, _tx: Transaction, _event: Event[DatabaseIndexed] | Event[DatabaseIndexFailed]) -> None:
        """The reaction to `database.indexed` and `database.index-failed`."""
        self._next.set()
        self._next = asyncio.Event()
