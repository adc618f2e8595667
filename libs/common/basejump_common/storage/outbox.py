"""Events leave in the transaction that causes them: a row here, published by the relay after the commit.

Events about one object are published in order if each is added after the object's row was written in the same
transaction (the row's lock orders the transactions). Each is published at least once; its id de-duplicates it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from basejump_common.errors import DeadlineExceeded, Unavailable
from basejump_common.storage.bells import wait_for_bell
from basejump_common.storage.database import Database, Transaction

BELL = "outbox"
MAX_BYTES = 512 * 1024  # half of what NATS carries: one event too large would hold up all that follow
BATCH = 100
POLL_SECONDS = 1.0
PAUSE_SECONDS = 0.05
"""What is added so soon after a batch leaves with the next one: an event at a time costs a transaction each."""
PUBLISH_SECONDS = 5.0

log = logging.getLogger(__name__)

Publish = Callable[[str, UUID, bytes], Awaitable[None]]


class OutboxMessage(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it goes on the wire."""

    id: UUID
    subject: str
    payload: bytes


async def add(tx: Transaction, *messages: OutboxMessage) -> None:
    """Publish `messages`, in their order, once `tx` is committed. ValueError when one has more than 512 KiB."""
    for message in messages:
        if len(message.payload) > MAX_BYTES:
            raise ValueError(f"an event of {len(message.payload)} bytes: at most {MAX_BYTES}")
    await tx.insert_records("outbox", _COLUMNS, [(one.id, one.subject, one.payload) for one in messages])
    tx.ring(BELL)


async def replay(tx: Transaction, since: datetime) -> int:
    """Publish again what was published since: to rebuild a stream that was lost. How many events."""
    tx.ring(BELL)
    return await tx.execute("update outbox set published_at = null where published_at >= $1", since)


async def forget_published(tx: Transaction, older_than: timedelta) -> int:
    """Delete what was published long ago; how many."""
    return await tx.execute("delete from outbox where published_at < now() - $1::interval", older_than)


async def waiting_of_client(tx: Transaction, client_uuid: UUID) -> int:
    """How many events of a client aren't published yet."""
    count: int = await tx.fetchval(
        "select count(*) from outbox where published_at is null and subject like $1", _subjects(client_uuid)
    )
    return count


async def forget_client(tx: Transaction, client_uuid: UUID) -> int:
    """Delete the events of a client, published or not; how many."""
    return await tx.execute("delete from outbox where subject like $1", _subjects(client_uuid))


def _subjects(client_uuid: UUID) -> str:
    return f"%.{client_uuid}.%"


class Relay:
    """Publishes the outbox of one service, in order. Run one in every replica: one at a time is active.

    `publish(subject, event_id, payload)` returns once the broker has the event, and raises otherwise; then the rest
    waits for the next try. `wake` defaults to the commits of this process.
    """

    def __init__(self, database: Database, publish: Publish, *, wake: asyncio.Event | None = None) -> None:
        self._database = database
        self._publish = publish
        self._wake = wake or database.bell(BELL)

    async def run(self) -> None:
        """Publish until canceled. What is being published then may be published again."""
        while True:
            while await self._turn() == BATCH:
                pass
            await asyncio.sleep(PAUSE_SECONDS)
            await wait_for_bell(self._wake, POLL_SECONDS)

    async def publish_batch(self) -> int:
        """Publish what waits, at most 100 events; how many the broker took."""
        async with self._database.platform(first=_ONE_AT_A_TIME) as tx:
            waiting = await tx.rows(OutboxMessage, _WAITING, BATCH)
            taken = await self._publish_in_order(waiting)
            await tx.execute("update outbox set published_at = statement_timestamp() where event_id = any($1)", taken)
        return len(taken)

    async def _turn(self) -> int:
        try:
            return await self.publish_batch()
        except (Unavailable, DeadlineExceeded) as error:
            log.warning("can't read the outbox: %s", error)
            return 0

    async def _publish_in_order(self, waiting: Sequence[OutboxMessage]) -> list[UUID]:
        taken = []
        for message in waiting:
            try:
                async with asyncio.timeout(PUBLISH_SECONDS):
                    await self._publish(message.subject, message.id, message.payload)
            except Exception as error:  # noqa: BLE001 - however the broker fails, what it took must be marked
                log.warning("the broker didn't take event %s: %r", message.id, error)
                break
            taken.append(message.id)
        return taken


_ONE_AT_A_TIME = "select pg_advisory_xact_lock(hashtextextended(current_schema() || ' outbox', 0))"
_COLUMNS = ("event_id", "subject", "payload")
_WAITING = """
    select event_id as id, subject, payload from outbox where published_at is null order by position limit $1
"""
