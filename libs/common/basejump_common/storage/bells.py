"""Bells: events that say *look now*, to those who would look every second anyway."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager


class Bells:
    """The bells of one process. `tell` carries some to the service's other replicas, once `told_by` has said how."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[asyncio.Event]] = {}
        self._tell: Callable[[Collection[str]], Awaitable[None]] | None = None

    def listen(self, *names: str) -> asyncio.Event:
        """An event of the caller's own, set whenever one of `names` rings: clearing it takes nothing from others."""
        event = asyncio.Event()
        for name in names:
            self._listeners.setdefault(name, []).append(event)
        return event

    @contextmanager
    def listening(self, *names: str) -> Iterator[asyncio.Event]:
        """One event for several bells, for as long as the block lasts."""
        event = asyncio.Event()
        for name in names:
            self._listeners.setdefault(name, []).append(event)
        try:
            yield event
        finally:
            for name in names:
                self._listeners[name].remove(event)
                if not self._listeners[name]:
                    del self._listeners[name]

    def ring(self, name: str) -> None:
        """Ring in this process."""
        for event in self._listeners.get(name, ()):
            event.set()

    def told_by(self, tell: Callable[[Collection[str]], Awaitable[None]]) -> None:
        """How other replicas hear of bells. It must not raise: a bell that is missed is only slower."""
        self._tell = tell

    async def tell(self, names: Collection[str]) -> None:
        """Ring in the other replicas."""
        if self._tell is not None:
            await self._tell(names)


async def wait_for_bell(bell: asyncio.Event, seconds: float) -> bool:
    """Wait until it rings, at most `seconds`; whether it rang. It is silent again afterwards."""
    try:
        # Not asyncio.wait_for: before Python 3.12 it loses a cancellation that comes together with the bell.
        async with asyncio.timeout(seconds):
            await bell.wait()
    except TimeoutError:
        return False
    bell.clear()
    return True
