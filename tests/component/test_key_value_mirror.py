"""The mirror of a KV bucket over a real NATS: it is fresh once it holds the whole bucket, and not before."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from nats.js.kv import KeyValue

from basejump_common.bus import KEYS, KeyValueMirror
from basejump_common.bus.permissions import OPERATOR
from installation import Installation

WatchAll = Callable[[KeyValue], Awaitable[KeyValue.KeyWatcher]]


async def test_a_mirror_has_what_is_there_and_every_change(installation: Installation) -> None:
    kept, gone = str(uuid4()), str(uuid4())
    async with installation.bus(OPERATOR) as bus:
        bucket = await bus.jetstream.key_value(KEYS)
        await bucket.put(kept, b"1")
        await bucket.put(gone, b"2")
        async with KeyValueMirror(bus, KEYS).running() as mirror:
            await mirror.wait_fresh()
            assert (mirror.entries[kept], mirror.entries[gone]) == (b"1", b"2")
            await bucket.put(kept, b"3")
            await bucket.purge(gone)
            async with asyncio.timeout(10):
                while gone in mirror.entries:  # noqa: ASYNC110 - a mirror tells nobody of changes
                    await asyncio.sleep(0.01)
            assert mirror.entries[kept] == b"3"
        await bucket.purge(kept)


async def test_a_watch_that_says_it_is_complete_before_it_began_is_not_believed(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """nats-py counts what is to come and what has come, and may see the first as 0 before the second is 1."""
    key, watches = str(uuid4()), 0
    watch_all: WatchAll = KeyValue.watchall

    async def hasty(bucket: KeyValue) -> KeyValue.KeyWatcher:
        nonlocal watches
        watches += 1
        watcher = await watch_all(bucket)
        if watches == 1:
            await _say_complete_first(watcher)
        return watcher

    monkeypatch.setattr(KeyValue, "watchall", hasty)
    async with installation.bus(OPERATOR) as bus:
        bucket = await bus.jetstream.key_value(KEYS)
        await bucket.put(key, b"there")
        async with KeyValueMirror(bus, KEYS).running() as mirror:
            await mirror.wait_fresh()
            assert mirror.entries.get(key) == b"there"
        await bucket.purge(key)
    assert watches == 2


async def _say_complete_first(watcher: KeyValue.KeyWatcher) -> None:
    """Take what came and leave only the mark after it."""
    while await watcher.updates() is not None:  # type: ignore[no-untyped-call]
        pass
    watcher._updates.put_nowait(None)
