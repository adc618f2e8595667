"""Several pieces of work on a customer's database, a few at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def side_by_side(works: Iterable[Callable[[], Awaitable[T]]], at_once: int) -> list[T]:
    """What each gives, in their order. The first that raises ends all others, and is raised."""
    places = asyncio.Semaphore(at_once)

    async def placed(work: Callable[[], Awaitable[T]]) -> T:
        async with places:
            return await work()

    tasks = [asyncio.create_task(placed(work)) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
