"""Which events were acted on already: a row in the same transaction as the act, so that each acts once."""

from datetime import timedelta
from uuid import UUID

from basejump_common.storage.database import Transaction

_FIRST = "insert into inbox (consumer, event_id) values ($1, $2) on conflict do nothing"


async def first_time(tx: Transaction, event_id: UUID | str, consumer: str) -> bool:
    """Whether `consumer` sees the event for the first time; if so it is noted, and undone if `tx` is.

    While another transaction is acting on the same event, waits for how that one ends.
    """
    return await tx.execute(_FIRST, consumer, str(event_id)) == 1


async def forget(tx: Transaction, older_than: timedelta) -> int:
    """Delete notes older than any event can come again (streams keep events 30 days); how many."""
    return await tx.execute("delete from inbox where received_at < now() - $1::interval", older_than)
