"""Looking at databases again on a schedule: each has a job of its own, spread evenly over time.

Time is cut into slots as long as the setting; in each one a database's job runs at an offset that comes from its name.
Every job, and every indexing, sees to the next slot's: adding it again adds nothing.
"""

from datetime import UTC, datetime
from uuid import UUID, uuid5

import msgspec

from basejump_common.bus import Event
from basejump_common.contracts.connection import IndexState, SchemaChanged
from basejump_common.storage import jobs
from basejump_common.storage.database import Transaction
from basejump_connection_indexer.adapters import database_rows

JOB = "check"
BUSY = (IndexState.QUEUED, IndexState.STARTED, IndexState.SCHEDULED)
"""It is being indexed, or will be."""


class CheckDatabase(msgspec.Struct, frozen=True, kw_only=True):
    """The job's payload."""

    db_uuid: UUID


class Schedule:
    """`every` seconds; 0: never."""

    def __init__(self, every: float) -> None:
        self._every = every

    async def plan(self, tx: Transaction, client_uuid: UUID, db_uuid: UUID) -> None:
        """See to the next look at the database."""
        if not self._every:
            return
        slot, when = next_look(db_uuid, self._every, datetime.now(UTC))
        payload = CheckDatabase(db_uuid=db_uuid)
        await jobs.enqueue(tx, JOB, payload, client_uuid, job_uuid=uuid5(db_uuid, str(slot)), run_after=when)


def next_look(db_uuid: UUID, every: float, now: datetime) -> tuple[str, datetime]:
    """The name of the slot, and the first moment after `now` at which it is the database's turn."""
    offset = every * (db_uuid.int % 10_007) / 10_007
    slot = int((now.timestamp() - offset) // every) + 1
    return f"{every:g} {slot}", datetime.fromtimestamp(slot * every + offset, UTC)


async def schema_changed(tx: Transaction, event: Event[SchemaChanged]) -> None:
    """Somebody says that a schema has changed: look now."""
    if await database_rows.find(tx, event.data.db_uuid) is not None:
        payload = CheckDatabase(db_uuid=event.data.db_uuid)
        await jobs.enqueue(tx, JOB, payload, event.client_uuid, job_uuid=event.id)
