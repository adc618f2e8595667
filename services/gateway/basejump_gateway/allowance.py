"""So many calls a minute, over all gateways: allowance is leased in batches from shared counters and spent locally.

A counter is a subject of the JetStream stream CALLS, which adds up atomically and answers with the sum: one round trip
for a hundredth of the limit, so gateways together give out at most the limit, and at least it but for the last batch
of each. While the counters are away each gateway goes on counting for itself: calls are let in, at most the limit at
each gateway (fails open, with a bound).
"""

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import msgspec

from basejump_common.errors import Unavailable

log = logging.getLogger("basejump.gateway")

WINDOW = 60
BATCHES = 100
AWAY_SECONDS = 2.0
"""Counters that did not answer are left alone for so long: no call waits for them."""

MOST = 20_000

Count = Callable[[str, int, int], Awaitable[int]]
"""Adds to the counter of a name in a window; the sum. Raises Unavailable."""


class Standing(msgspec.Struct, frozen=True):
    """After a call was let in or refused: how many are left, and in how many seconds all of them are."""

    let_in: bool
    remaining: int
    seconds: int


class _Bucket(msgspec.Struct):
    name: str
    offset: int
    lock: asyncio.Lock
    window: int = 0
    leased: int = 0
    total: int = 0


class Allowances:
    """What was leased and not spent yet, for the names that were seen last."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._away_until = 0.0

    async def spend(self, name: str, limit: int) -> Standing:
        """One call of `name`, which may make `limit` in a minute."""
        bucket = self._bucket(name)
        now = time.time() + bucket.offset
        window = int(now // WINDOW)
        if bucket.window != window:
            bucket.window, bucket.leased, bucket.total = window, 0, 0
        if not bucket.leased and bucket.total < limit:
            await self._lease(bucket, window, limit)
        let_in = bucket.leased > 0
        bucket.leased -= let_in
        return Standing(let_in, bucket.leased + max(0, limit - bucket.total), WINDOW - int(now % WINDOW))

    def _bucket(self, name: str) -> _Bucket:
        bucket = self._buckets.get(name)
        if bucket is None:
            digest = hashlib.sha256(name.encode()).hexdigest()[:32]
            # Windows begin at different seconds, so that not everybody comes back at the same one.
            bucket = self._buckets[name] = _Bucket(digest, int(digest[:8], 16) % WINDOW, asyncio.Lock())
            if len(self._buckets) > MOST:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(name)
        return bucket

    async def _lease(self, bucket: _Bucket, window: int, limit: int) -> None:
        async with bucket.lock:
            if bucket.leased or bucket.total >= limit or bucket.window != window:
                return
            batch = max(1, limit // BATCHES)
            total = await self._counted(bucket, window, batch)
            if bucket.window == window:
                bucket.total = total
                bucket.leased = max(0, batch - max(0, total - limit))

    async def _counted(self, bucket: _Bucket, window: int, batch: int) -> int:
        if time.monotonic() >= self._away_until:
            try:
                return await self._count(bucket.name, window, batch)
            except Unavailable:
                self._away_until = time.monotonic() + AWAY_SECONDS
                log.warning("the counters of calls are away: this gateway counts by itself")
        return bucket.total + batch
