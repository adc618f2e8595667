"""Facts that another service owns: asked for, and remembered for at most five seconds.

    known = Remembered[UUID, ClientChoices](stale_seconds=300)
    choices = await known.get(client_uuid, lambda: bus.call(...))

While the other service is away (Unavailable, DeadlineExceeded), what was last known serves for `stale_seconds` since
it was asked; with 0, the default, and for what was never known, the error is raised: nothing is ever made up.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from basejump_common.errors import DeadlineExceeded, Unavailable

K = TypeVar("K")
V = TypeVar("V")

REMEMBER_SECONDS = 5.0
MOST_REMEMBERED = 10_000


class Remembered(Generic[K, V]):
    """The `most` facts that were asked for last."""

    def __init__(
        self, *, seconds: float = REMEMBER_SECONDS, stale_seconds: float = 0.0, most: int = MOST_REMEMBERED
    ) -> None:
        self._seconds = seconds
        self._stale_seconds = stale_seconds
        self._most = most
        self._known: OrderedDict[K, tuple[float, float, V]] = OrderedDict()

    def forget(self) -> None:
        """Everything will be asked again; what is known still serves while nobody answers."""
        self._known = OrderedDict((key, (0.0, until, fact)) for key, (_, until, fact) in self._known.items())

    async def get(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        """From memory, or what `ask` gives. Raises what `ask` raises."""
        now = asyncio.get_running_loop().time()
        known = self._known.get(key)
        if known is not None and now < known[0]:
            return known[2]
        try:
            fact = await ask()
        except (Unavailable, DeadlineExceeded):
            if known is None or now >= known[1]:
                raise
            # It isn't asked again for a while: not everybody waits for a service that is away.
            _, until, fact = known
            self._known[key] = (min(now + self._seconds, until), until, fact)
            return fact
        self._known[key] = (now + self._seconds, now + self._stale_seconds, fact)
        self._known.move_to_end(key)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return fact
