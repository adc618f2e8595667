"""How long a statement's customer's database was waited for."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import TypeVar

T = TypeVar("T")


class Waited:
    """Seconds so far; one thing is waited for at a time."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """The block waits for nothing else."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - started

    @asynccontextmanager
    async def around(self, asked: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
        """What is entered and left, but not what is done in between."""
        with self.waiting():
            given = await asked.__aenter__()
        try:
            yield given
        except BaseException as error:
            # As `async with` does: whatever it is, who was entered is told of it and may swallow it.
            with self.waiting():
                if not await asked.__aexit__(type(error), error, error.__traceback__):
                    raise
        else:
            with self.waiting():
                await asked.__aexit__(None, None, None)
