"""Results don't stay for ever: a job of each client and day deletes those that are old, or lost what they rest on, with
their rows. Nothing that is saved or verified expires."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid5

import msgspec

from basejump_chat_agent.adapters import expiry_rows
from basejump_chat_agent.forgetting import forget_later
from basejump_common.bus import Context, Event, publish
from basejump_common.bus.client_settings import SettingsOfClients
from basejump_common.contracts.connection import ConnectionChanged
from basejump_common.contracts.result import RESULT_DELETED, ResultChanged, ResultOrphanType
from basejump_common.errors import DeadlineExceeded, NotFound, Unavailable
from basejump_common.storage import jobs
from basejump_common.storage.database import Database, Transaction
from basejump_common.storage.jobs import Job, JobKind

EXPIRE = "expire"
_SPREAD = 6 * 3_600
"""Seconds of a night over which the clients are spread."""


class Expire(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of the job: the client is the job's."""


async def expire_later(tx: Transaction, client_uuid: UUID) -> None:
    """Look tomorrow (UTC) for results to expire, once however often this is asked for."""
    day = datetime.now(UTC).date() + timedelta(days=1)
    run_after = datetime.combine(day, time(), UTC) + timedelta(seconds=client_uuid.int % _SPREAD)
    job_uuid = uuid5(client_uuid, f"expire {day}")
    await jobs.enqueue(tx, EXPIRE, Expire(), client_uuid, job_uuid=job_uuid, run_after=run_after)


class Expiring:
    """`days`: how long the installation keeps results, 0 for ever; a client may keep them for less."""

    def __init__(self, database: Database, clients: SettingsOfClients, days: int) -> None:
        self._database = database
        self._clients = clients
        self._days = days

    def kind(self) -> JobKind[Expire]:
        """For the worker."""
        return JobKind(self.expire, Expire, on_failure=_tomorrow)

    async def expire(self, job: Job[Expire]) -> None:
        """Batch by batch, then again tomorrow while there is anything left. While nobody can say how long the client
        keeps results it is put off until then."""
        try:
            choices = await self._clients.choices(job.client_uuid, Context.new(seconds=10))
            days = kept_days(self._days, choices.settings.result_days)
            while await self._batch(job, days):
                pass
        except (NotFound, Unavailable, DeadlineExceeded):
            pass
        async with self._database.tenant(job.client_uuid) as tx:
            await job.finish(tx)
            if await expiry_rows.any_left(tx):
                await expire_later(tx, job.client_uuid)

    async def _batch(self, job: Job[Expire], days: int | None) -> bool:
        async with job.writing(self._database) as tx:
            expired = await expiry_rows.expire(tx, days)
            await forget_later(tx, job.client_uuid, [one.run_uuid for one in expired])
            for one in expired:
                change = ResultChanged(result_uuid=one.result_uuid)
                await publish(tx, RESULT_DELETED, job.client_uuid, one.result_uuid, change)
        return bool(expired)


async def _tomorrow(tx: Transaction, job: Job[Expire], _error: str) -> None:
    """A night that failed is not the last one."""
    await expire_later(tx, job.client_uuid)


def kept_days(installation: int, client: int | None) -> int | None:
    """The fewer of both; None for ever."""
    return min((days for days in (installation, client) if days), default=None)


async def connection_deleted(tx: Transaction, event: Event[ConnectionChanged]) -> None:
    """Nobody can read what ran over it any more."""
    await expiry_rows.orphan(tx, ResultOrphanType.CONNECTION_DELETED, event.data.conn_uuid)
