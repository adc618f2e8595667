"""Rows that no result refers to any more are forgotten where they are kept, however long connection-indexer is away."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from basejump_chat_agent.adapters import result_rows
from basejump_common.bus import Bus, Context
from basejump_common.contracts.connection import FORGET_RUNS, ForgetRuns
from basejump_common.errors import DeadlineExceeded, Unavailable
from basejump_common.storage import jobs
from basejump_common.storage.database import Database, Transaction
from basejump_common.storage.jobs import Job, JobKind

FORGET = "forget"
AGAIN = timedelta(minutes=5)
_AT_ONCE = 500


class Unused(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of the job."""

    run_uuids: tuple[UUID, ...]


async def forget_later(tx: Transaction, client_uuid: UUID, run_uuids: Sequence[UUID]) -> None:
    """Forget the rows of these runs, but for those that a result refers to by then."""
    for place in range(0, len(run_uuids), _AT_ONCE):
        unused = Unused(run_uuids=tuple(run_uuids[place : place + _AT_ONCE]))
        await jobs.enqueue(tx, FORGET, unused, client_uuid)


class Forgetting:
    """Carries out `forget` jobs."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus

    def kind(self) -> JobKind[Unused]:
        """For the worker."""
        return JobKind(self.forget, Unused)

    async def forget(self, job: Job[Unused]) -> None:
        """Doing it twice is no harm. While connection-indexer is away it is put off."""
        async with self._database.tenant(job.client_uuid) as tx:
            unused = await result_rows.unused(tx, job.payload.run_uuids)
        done = await self._asked(job.client_uuid, unused)
        async with self._database.tenant(job.client_uuid) as tx:
            await job.finish(tx)
            if not done:
                await jobs.enqueue(tx, FORGET, job.payload, job.client_uuid, run_after=datetime.now(UTC) + AGAIN)

    async def _asked(self, client_uuid: UUID, run_uuids: tuple[UUID, ...]) -> bool:
        request = ForgetRuns(client_uuid=client_uuid, run_uuids=run_uuids)
        try:
            if run_uuids:
                await self._bus.call(FORGET_RUNS, request, Context.new(seconds=FORGET_RUNS.timeout))
        except (Unavailable, DeadlineExceeded):
            return False
        return True
