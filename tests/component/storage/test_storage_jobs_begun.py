"""Jobs that the worker of the process that adds them begins itself: only those that it would have claimed next."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from basejump_common.storage import job_rows, jobs
from basejump_common.storage.database import Database, Transaction
from basejump_common.storage.job_rows import NewJob
from basejump_common.storage.job_worker import JobWorker
from basejump_common.storage.jobs import Job, JobKind
from identity import within

A, B = UUID(int=0xA), UUID(int=0xB)


class Task(msgspec.Struct, frozen=True):
    number: int = 0


class Desk:
    """A worker whose jobs wait until `open`."""

    def __init__(self, database: Database, **options: Any) -> None:
        self.database = database
        self.open = asyncio.Event()
        self.started: list[Job[Task]] = []
        self.worker = JobWorker(database, {"task": JobKind(self._work, Task)}, **options)

    async def _work(self, job: Job[Task]) -> None:
        self.started.append(job)
        await self.open.wait()

    @asynccontextmanager
    async def working(self) -> AsyncIterator["Desk"]:
        running = asyncio.create_task(self.worker.run())
        await asyncio.sleep(0)
        try:
            yield self
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    async def add(self, tx: Transaction, client_uuid: UUID = A, at_once: int | None = None) -> bool:
        new = NewJob(job_uuid=uuid4(), client_uuid=client_uuid, kind="task", payload=Task(), at_once=at_once)
        return await self.worker.enqueue(tx, new)

    async def begun(self, client_uuid: UUID = A, at_once: int | None = None) -> bool:
        """Whether one is begun as it is added: again where the worker looks for work at that very moment."""
        return await within(5, lambda: self._begun_as_added(client_uuid, at_once))

    async def _begun_as_added(self, client_uuid: UUID, at_once: int | None) -> bool:
        async with self.database.platform() as tx:
            begun = await self.add(tx, client_uuid, at_once)
            if not begun:
                await tx.execute("delete from job where state = 'queued'")
        return begun

    async def added(self, client_uuid: UUID = A, at_once: int | None = None) -> bool:
        async with self.database.platform() as tx:
            begun = await self.add(tx, client_uuid, at_once)
        assert await _count(self.database, "queued") == (0 if begun else 1)
        return begun


async def test_it_begins_with_the_commit_and_ends_as_any_other(notes: Database) -> None:
    async with Desk(notes).working() as desk:
        assert await desk.begun()
        await asyncio.sleep(0)
        assert [(job.attempt, job.payload) for job in desk.started] == [(1, Task())]
        desk.open.set()
        assert await within(5, lambda: _counted(notes, "finished", 1))


async def test_it_does_not_begin_before_the_commit(notes: Database) -> None:
    async with Desk(notes).working() as desk, notes.platform() as tx:
        await desk.add(tx)
        await asyncio.sleep(0.1)
        assert desk.started == []


async def test_what_is_rolled_back_is_never_begun_and_keeps_no_place(notes: Database) -> None:
    async with Desk(notes, concurrency=1).working() as desk:
        with pytest.raises(LookupError):
            async with notes.platform() as tx:
                await desk.add(tx)
                raise LookupError
        assert desk.started == []
        assert await desk.begun()


async def test_it_waits_where_its_client_the_job_itself_or_the_worker_allows_no_more(notes: Database) -> None:
    async with Desk(notes, concurrency=3, per_client=2).working() as desk:
        assert await desk.begun(A, at_once=1)
        assert not await desk.added(A, at_once=1)
        assert await desk.begun(A)
        assert not await desk.added(A)
        assert await desk.begun(B)
        assert not await desk.added(B)


async def test_places_are_kept_for_jobs_that_are_being_added(notes: Database) -> None:
    async with Desk(notes, concurrency=1).working() as desk:

        async def the_only_place_is_kept() -> bool:
            async with notes.platform() as one, notes.platform() as other:
                begun = await desk.add(one)
                if begun:
                    assert not await desk.add(other, B)
                else:  # the worker looked for work at that very moment
                    await one.execute("delete from job where state = 'queued'")
            return begun

        assert await within(5, the_only_place_is_kept)


async def test_it_takes_nobodys_turn(notes: Database) -> None:
    async with notes.platform() as tx:
        await jobs.enqueue(tx, "task", Task(1), B)
    async with notes.platform() as tx:
        assert await job_rows.begin(tx, _new(), ["task"], worker="w", per_client=9) is None
        await tx.execute("update job set run_after = now() + interval '1 hour'")
        assert await job_rows.begin(tx, _new(), ["task"], worker="w", per_client=9) is not None
        await tx.execute("update job set lease_until = now() - interval '1 second' where state = 'running'")
        assert await job_rows.begin(tx, _new(), ["task"], worker="w", per_client=9) is None


async def test_a_worker_that_does_not_run_begins_nothing(notes: Database) -> None:
    desk = Desk(notes)
    assert not await desk.added()
    assert await _count(notes, "queued") == 1


async def test_two_processes_never_count_the_same_place(notes: Database) -> None:
    async with notes.platform() as one, notes.platform() as other:
        assert await job_rows.begin(one, _new(), ["task"], worker="one", per_client=1) is not None
        assert await job_rows.begin(other, _new(), ["task"], worker="other", per_client=1) is None
    async with notes.platform() as tx:
        assert await job_rows.begin(tx, _new(), ["task"], worker="other", per_client=1) is None


def _new() -> NewJob:
    return NewJob(job_uuid=uuid4(), client_uuid=A, kind="task", payload=Task())


async def _counted(database: Database, state: str, number: int) -> bool:
    return await _count(database, state) == number


async def _count(database: Database, state: str) -> int:
    async with database.platform() as tx:
        count: int = await tx.fetchval("select count(*) from job where state = $1", state)
    return count
