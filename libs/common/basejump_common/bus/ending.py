"""Ending tasks that use NATS."""

import asyncio
from typing import Any

AGAIN_SECONDS = 0.2


async def end(*tasks: "asyncio.Task[Any]", again: float = AGAIN_SECONDS) -> None:
    """Cancel until they have ended; `again` (seconds) leaves them time to clean up in between.

    Once isn't enough: nats-py swallows a cancellation that meets a flush of its buffer, and the task goes on.
    """
    waiting = {task for task in tasks if not task.done()}
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=again)
