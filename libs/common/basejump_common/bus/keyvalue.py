"""A KV bucket held in memory: the whole of it, then every change."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError
from nats.js.kv import KV_DEL, KV_PURGE, KeyValue

from basejump_common.bus.connection import Bus
from basejump_common.bus.ending import end

log = logging.getLogger("basejump.bus")

RETRY_SECONDS = 0.2
STOP_SECONDS = 1.0


class KeyValueMirror:
    """`entries` is the bucket's content; `fresh` is False while it may be behind (not yet read, or NATS was away).

    After a server restart a watch resumes only after many seconds by itself: on every reconnection it is made anew,
    and until its snapshot is complete the mirror is not fresh.
    """

    def __init__(self, bus: Bus, bucket: str) -> None:
        self._bus = bus
        self._bucket = bucket
        self._entries: dict[str, bytes] = {}
        self._snapshot = asyncio.Event()
        self._again = asyncio.Event()
        bus.on_reconnect(self._reconnected)

    @property
    def entries(self) -> Mapping[str, bytes]:
        """Key to value, as far as known."""
        return self._entries

    @property
    def fresh(self) -> bool:
        """True when every change made while connected has been seen."""
        return self._snapshot.is_set() and self._bus.connected

    async def wait_fresh(self) -> None:
        """Return once the snapshot is complete."""
        await self._snapshot.wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["KeyValueMirror"]:
        """Mirror the bucket for as long as the block lasts."""
        task = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            await end(task)

    def _reconnected(self) -> None:
        self._snapshot.clear()
        self._again.set()

    async def _run(self) -> None:
        while True:
            self._again.clear()
            try:
                await self._watch()
            except (TimeoutError, NatsError, JetStreamError, OSError) as error:
                log.warning("the bucket can't be watched", extra={"bucket": self._bucket, "error": repr(error)})
                await asyncio.sleep(RETRY_SECONDS)

    async def _watch(self) -> None:
        """Follow one watch until NATS has been away."""
        bucket = await self._bus.jetstream.key_value(self._bucket)
        watcher = await bucket.watchall()
        lost = asyncio.create_task(self._lost())
        follow = asyncio.create_task(self._follow(bucket, watcher))
        try:
            done, _ = await asyncio.wait({lost, follow}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._snapshot.clear()
            await end(lost, follow)
            with contextlib.suppress(NatsError, JetStreamError, OSError, TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await watcher.stop()  # type: ignore[no-untyped-call]

    async def _lost(self) -> None:
        await self._again.wait()

    async def _follow(self, bucket: KeyValue, watcher: KeyValue.KeyWatcher) -> None:
        """Raises NatsError when the watch says that the bucket is empty and it isn't: nats-py does so when the server's
        count of what is still to come arrives before what has been sent."""
        snapshot: dict[str, bytes] = {}
        empty = True
        async for entry in watcher:
            if entry is None:
                if empty and (await bucket.status()).values:
                    raise NatsError("a watch of what is in the bucket began at its end")
                self._entries = snapshot
                self._snapshot.set()
                continue
            empty = False
            if entry.operation in (KV_DEL, KV_PURGE):
                snapshot.pop(entry.key, None)
            else:
                snapshot[entry.key] = entry.value or b""
