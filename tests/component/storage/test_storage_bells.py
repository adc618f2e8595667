"""Bells between the replicas of a service: two pools, two connections to NATS, as two processes have them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
import pytest

from basejump_common.bus import Bus, bells
from basejump_common.security.secret import Secret
from basejump_common.storage import jobs
from basejump_common.storage.database import Database
from basejump_common.storage.job_worker import JobWorker
from basejump_common.storage.jobs import Job, JobKind
from basejump_devstack.nats import EmbeddedNats

CLIENT = UUID(int=0xC)


class Task(msgspec.Struct, frozen=True):
    pass


@pytest.fixture
async def other(notes: Database, notes_dsn: str, nats_server: EmbeddedNats) -> AsyncIterator[Database]:
    """Another replica's database; both replicas share their bells."""
    async with replica(nats_server, notes):
        database = await Database.connect(notes_dsn, schema="notes", application_name="other")
        async with replica(nats_server, database):
            yield database
        await database.close()


@asynccontextmanager
async def replica(server: EmbeddedNats, database: Database) -> AsyncIterator[None]:
    bus = await Bus.connect(server.url, "notes", Secret("any"))
    async with bells.shared(database.bells, bus, "notes"):
        await bus.settle()
        yield
    await bus.close()


async def rings(bell: asyncio.Event, seconds: float = 0.5) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await bell.wait()
    return bell.is_set()


async def test_a_bell_for_everybody_rings_in_other_replicas_once_committed(notes: Database, other: Database) -> None:
    here, there, quiet = notes.bell("news"), other.bell("news"), other.bell("local")
    async with notes.platform() as tx:
        tx.ring("news", everywhere=True)
        tx.ring("local")
        assert not await rings(there, 0.1)
    assert here.is_set()
    assert await rings(there)
    assert not quiet.is_set()


async def test_who_clears_a_bell_takes_nothing_from_others(notes: Database) -> None:
    one, two = notes.bell("news"), notes.bell("news")
    notes.bells.ring("news")
    one.clear()
    assert two.is_set()


@dataclass
class Hanging:
    """A job that hangs until it is stopped."""

    started: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, _job: Job[Task]) -> None:
        self.started.set()
        try:
            await asyncio.sleep(60)
        finally:
            self.stopped.set()


async def test_a_job_canceled_in_one_replica_stops_at_once_in_the_other(notes: Database, other: Database) -> None:
    work = Hanging()
    running = asyncio.create_task(JobWorker(other, {"task": JobKind(work, Task)}).run())
    async with notes.platform() as tx:
        job_uuid = await jobs.enqueue(tx, "task", Task(), CLIENT)
    async with asyncio.timeout(5):
        await work.started.wait()
    async with notes.platform() as tx:
        assert await jobs.cancel(tx, job_uuid)
    assert await rings(work.stopped, 0.5)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
