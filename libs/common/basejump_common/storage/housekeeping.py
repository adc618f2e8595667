"""What every service with tables does now and then: forget jobs, events, notes
and answers that nobody will ask for again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from basejump_common.errors import DeadlineExceeded, Unavailable
from basejump_common.storage import idempotency, inbox, jobs, outbox
from basejump_common.storage.database import Database, Transaction

EVERY_SECONDS = 60.0  # an answer that shows a secret is kept ten minutes
ENDED_JOBS = timedelta(days=7)
PUBLISHED_EVENTS = timedelta(days=30)
NOTES = timedelta(days=31)  # streams keep events 30 days: an older one can't come again

log = logging.getLogger(__name__)


def housekeeping(database: Database) -> Callable[[], Awaitable[None]]:
    """Background work of a service: every minute, until canceled."""

    async def run() -> None:
        while True:
            try:
                async with database.platform() as tx:
                    await clean(tx)
            except (Unavailable, DeadlineExceeded) as error:
                log.warning("housekeeping waits: %s", error)
            await asyncio.sleep(EVERY_SECONDS)

    return run


async def clean(tx: Transaction) -> int:
    """Delete what is old enough; how many rows."""
    forgotten = await jobs.forget_ended(tx, ENDED_JOBS)
    forgotten += await outbox.forget_published(tx, PUBLISHED_EVENTS)
    forgotten += await idempotency.forget(tx)
    return forgotten + await inbox.forget(tx, NOTES)
