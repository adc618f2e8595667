"""Waiting for a bell: an event that says *look now*, to those who would look every second anyway."""

import asyncio


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
