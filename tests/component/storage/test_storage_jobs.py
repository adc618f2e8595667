"""Job rows and their workers: fairness, retries, and every way in which a worker can go."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from basejump_common.errors import InvalidInput
from basejump_common.storage import job_rows, job_worker, jobs
from basejump_common.storage.database import Database, Transaction
from basejump_common.storage.job_worker import JobWorker
from basejump_common.storage.jobs import Job, JobKind, LeaseLost

A, B = UUID(int=0xA), UUID(int=0xB)


class Task(msgspec.Struct, frozen=True):
    number: int = 0


Function = Callable[[Job[Task]], Awaitable[None]]


def kind(function: Function, **options: Any) -> dict[str, JobKind[Task]]:
    return {"task": JobKind(function, Task, **{"retry_seconds": 0.01, **options})}


@asynccontextmanager
async def working(database: Database, kinds: dict[str, JobKind[Task]], **options: Any) -> AsyncIterator[JobWorker]:
    worker = JobWorker(database, kinds, **options)
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def enqueue(database: Database, *clients: UUID, **options: Any) -> UUID:
    async with database.platform() as tx:
        for number, client_uuid in enumerate(clients or (A,)):
            job_uuid = await jobs.enqueue(tx, "task", Task(number), client_uuid, **options)
    return job_uuid


async def row(database: Database, job_uuid: UUID) -> Any:
    async with database.platform() as tx:
        return await tx.fetchrow("select * from job where job_uuid = $1", job_uuid)


async def until_state(database: Database, job_uuid: UUID, state: str) -> Any:
    async with asyncio.timeout(5):
        while True:
            found = await row(database, job_uuid)
            if found["state"] == state:
                return found
            await asyncio.sleep(0.01)


async def claim_as_another(database: Database, job_uuid: UUID) -> None:
    """The lease runs out and another worker takes the job."""
    async with database.platform() as tx:
        await tx.execute("update job set lease_until = now() - interval '1 second' where job_uuid = $1", job_uuid)
    async with database.platform() as tx:
        (claimed,) = await job_rows.claim(tx, ["task"], worker="another", per_client=99, limit=1)
        assert claimed.job_uuid == job_uuid


class Gate:
    """A job function that waits until it is let through, and counts."""

    def __init__(self) -> None:
        self.started: list[Job[Task]] = []
        self.canceled = asyncio.Event()
        self.open = asyncio.Event()
        self._news = asyncio.Event()

    async def __call__(self, job: Job[Task]) -> None:
        self.started.append(job)
        self._news.set()
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.canceled.set()
            raise

    async def until_started(self, number: int) -> None:
        async with asyncio.timeout(5):
            while len(self.started) < number:
                self._news.clear()
                await self._news.wait()


async def test_a_committed_job_runs_at_once_and_finishes(notes: Database) -> None:
    gate = Gate()
    gate.open.set()
    async with working(notes, kind(gate)):
        await asyncio.sleep(0.1)
        before = asyncio.get_running_loop().time()
        job_uuid = await enqueue(notes)
        await gate.until_started(1)
        assert asyncio.get_running_loop().time() - before < job_worker.POLL_SECONDS / 2
        done = await until_state(notes, job_uuid, "finished")
    assert (done["attempt"], done["lease_until"], done["error"]) == (1, None, None)
    assert done["finished_at"] is not None
    assert gate.started[0].payload == Task(0)


async def test_a_job_whose_cause_is_rolled_back_never_runs(notes: Database) -> None:
    with pytest.raises(LookupError):
        async with notes.platform() as tx:
            job_uuid = await jobs.enqueue(tx, "task", Task(), A)
            raise LookupError
    assert await row(notes, job_uuid) is None


async def test_a_job_given_twice_under_one_id_runs_once(notes: Database) -> None:
    job_uuid = uuid4()
    for _ in range(2):
        assert await enqueue(notes, job_uuid=job_uuid) == job_uuid
    async with notes.platform() as tx:
        assert await tx.fetchval("select count(*) from job") == 1


async def test_a_job_for_later_waits(notes: Database) -> None:
    gate = Gate()
    later = datetime.now(UTC) + timedelta(seconds=0.4)
    async with working(notes, kind(gate)):
        await enqueue(notes, run_after=later)
        await gate.until_started(1)
        assert datetime.now(UTC) >= later


async def test_jobs_of_one_client_start_in_their_order(notes: Database) -> None:
    gate = Gate()
    gate.open.set()
    await enqueue(notes, *[A] * 10)
    async with working(notes, kind(gate), concurrency=1):
        await gate.until_started(10)
    assert [job.payload.number for job in gate.started] == list(range(10))


async def test_no_client_runs_more_than_its_cap_over_all_workers(notes: Database) -> None:
    gate = Gate()
    await enqueue(notes, *[A] * 8, *[B] * 1)
    options = {"concurrency": 4, "per_client": 2}
    async with working(notes, kind(gate), **options), working(notes, kind(gate), **options):
        await gate.until_started(3)
        await asyncio.sleep(0.2)
        assert Counter(job.client_uuid for job in gate.started) == {A: 2, B: 1}
        gate.open.set()
        await gate.until_started(9)
    assert len({job.job_uuid for job in gate.started}) == 9


async def test_claims_at_the_same_moment_respect_the_cap(notes: Database) -> None:
    await enqueue(notes, *[A] * 20, *[B] * 20)

    async def claim(worker: str) -> list[job_rows.JobRow]:
        async with notes.platform() as tx:
            return await job_rows.claim(tx, ["task"], worker=worker, per_client=3, limit=5)

    claimed = [found for rows in await asyncio.gather(*map(claim, "abcdef")) for found in rows]
    assert Counter(found.client_uuid for found in claimed) == {A: 3, B: 3}
    assert len({found.job_uuid for found in claimed}) == 6


async def test_jobs_may_say_themselves_how_many_of_their_client_run_at_once(notes: Database) -> None:
    await enqueue(notes, *[A] * 5, at_once=2)
    await enqueue(notes, *[B] * 5, at_once=99)

    async def claim() -> Counter[UUID]:
        async with notes.platform() as tx:
            rows = await job_rows.claim(tx, ["task"], worker="w", per_client=3, limit=20)
        return Counter(found.client_uuid for found in rows)

    assert await claim() == {A: 2, B: 3}
    assert await claim() == {}
    async with notes.platform() as tx:
        await tx.execute("update job set state = 'finished' where state = 'running'")
    assert await claim() == {A: 2, B: 2}


async def test_a_client_with_a_long_queue_does_not_delay_another(notes: Database) -> None:
    await enqueue(notes, *[A] * 50)
    await enqueue(notes, B)
    async with notes.platform() as tx:
        claimed = await job_rows.claim(tx, ["task"], worker="w", per_client=10, limit=2)
    assert {found.client_uuid for found in claimed} == {A, B}


async def test_a_job_that_raises_is_tried_again_until_it_works(notes: Database) -> None:
    async def third_time_lucky(job: Job[Task]) -> None:
        if job.attempt < 3:
            raise OSError

    async with working(notes, kind(third_time_lucky)):
        done = await until_state(notes, await enqueue(notes), "finished")
    assert done["attempt"] == 3


async def test_retries_come_after_ever_longer_pauses() -> None:
    delays = [job_worker._delay(JobKind(Gate(), Task), attempt) for attempt in (1, 3, 50)]
    assert 0.5 <= delays[0] <= 1
    assert 2 <= delays[1] <= 4
    assert 30 <= delays[2] <= 60


async def test_a_job_that_always_raises_fails_with_a_text_that_gives_nothing_away(notes: Database) -> None:
    told: list[tuple[int, str]] = []

    async def hopeless(job: Job[Task]) -> None:
        raise OSError("password=hunter2")

    async def tell(tx: Transaction, job: Job[Task], error: str) -> None:
        assert await tx.fetchval("select current_setting('app.client_uuid')") == str(A)
        told.append((job.attempt, error))

    async with working(notes, kind(hopeless, on_failure=tell)):
        done = await until_state(notes, await enqueue(notes), "failed")
    assert told == [(jobs.MAX_ATTEMPTS, "unexpected OSError")]
    assert done["error"] == "unexpected OSError"


async def test_an_error_that_can_only_come_again_fails_at_once(notes: Database) -> None:
    async def impossible(job: Job[Task]) -> None:
        raise InvalidInput("there is no such schema")

    async with working(notes, kind(impossible)):
        done = await until_state(notes, await enqueue(notes), "failed")
    assert (done["attempt"], done["error"]) == (1, "there is no such schema")


async def test_a_job_that_kills_its_workers_fails_in_the_end(notes: Database) -> None:
    gate, told = Gate(), []

    async def tell(tx: Transaction, job: Job[Task], error: str) -> None:
        told.append(error)

    job_uuid = await enqueue(notes)
    for _ in range(jobs.MAX_ATTEMPTS):
        await claim_as_another(notes, job_uuid)
    async with notes.platform() as tx:
        await tx.execute("update job set lease_until = now()")
    async with working(notes, kind(gate, on_failure=tell)):
        await until_state(notes, job_uuid, "failed")
    assert (gate.started, told) == ([], ["every worker that tried this job died"])


async def test_a_payload_that_nobody_can_read_fails_and_harms_no_other(
    notes: Database, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    gate.open.set()
    async with notes.platform() as tx:
        await tx.execute(
            "insert into job (job_uuid, client_uuid, kind, payload, max_attempts) values ($1, $2, 'task', $3, 1)",
            UUID(int=1),
            A,
            {"number": "x"},
        )
    async with working(notes, kind(gate)):
        done = await until_state(notes, UUID(int=1), "failed")
        await until_state(notes, await enqueue(notes), "finished")
    assert done["error"] == "unexpected ValidationError"


async def test_another_worker_takes_over_when_a_lease_runs_out_and_the_first_can_write_no_more(
    notes: Database,
) -> None:
    job_uuid = await enqueue(notes)
    async with notes.platform() as tx:
        (first,) = await job_rows.claim(tx, ["task"], worker="slow", per_client=1, limit=1)
    job = kind(Gate())["task"].job(first)
    async with job.writing(notes):
        pass
    await claim_as_another(notes, job_uuid)
    with pytest.raises(LeaseLost):
        async with job.writing(notes):
            pytest.fail("the job is another's")
    with pytest.raises(LeaseLost):
        async with notes.platform() as tx:
            await job.finish(tx)
    assert (await row(notes, job_uuid))["worker"] == "another"


async def test_nobody_takes_over_between_a_fence_and_its_commit(notes: Database) -> None:
    job_uuid = await enqueue(notes)
    async with notes.platform() as tx:
        (first,) = await job_rows.claim(tx, ["task"], worker="slow", per_client=1, limit=1)
        await tx.execute("update job set lease_until = now() - interval '1 second'")
    async with kind(Gate())["task"].job(first).writing(notes), notes.platform() as tx:
        assert await job_rows.claim(tx, ["task"], worker="other", per_client=9, limit=1) == []
        assert await job_rows.renew(tx, [(job_uuid, 1)]) == {job_uuid}
    async with notes.platform() as tx:
        assert len(await job_rows.claim(tx, ["task"], worker="other", per_client=9, limit=1)) == 1


async def test_a_job_that_finishes_itself_commits_its_end_with_its_writes(notes: Database) -> None:
    async def atomic(job: Job[Task]) -> None:
        async with notes.tenant(job.client_uuid) as tx:
            await job.finish(tx)
            await tx.execute("insert into note (client_uuid, text) values ($1, 'done')", job.client_uuid)

    async with working(notes, kind(atomic)):
        await until_state(notes, await enqueue(notes), "finished")
    async with notes.tenant(A) as tx:
        assert await tx.fetchval("select count(*) from note") == 1


async def test_a_long_job_keeps_its_lease(notes: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (job_rows, job_worker):
        monkeypatch.setattr(module, "LEASE_SECONDS", 0.3)
    monkeypatch.setattr(job_worker, "RENEW_SECONDS", 0.1)
    monkeypatch.setattr(job_worker, "POLL_SECONDS", 0.05)
    gate = Gate()
    async with working(notes, kind(gate)), working(notes, kind(gate)):
        job_uuid = await enqueue(notes)
        await gate.until_started(1)
        await asyncio.sleep(1)
        assert (len(gate.started), gate.canceled.is_set()) == (1, False)
        gate.open.set()
        assert (await until_state(notes, job_uuid, "finished"))["attempt"] == 1


async def test_a_job_keeps_its_lease_while_the_look_for_work_waits(
    notes: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_worker, "RENEW_SECONDS", 0.1)
    monkeypatch.setattr(job_worker, "POLL_SECONDS", 0.05)
    gate = Gate()
    async with working(notes, kind(gate)):
        job_uuid = await enqueue(notes)
        await gate.until_started(1)
        async with notes.platform() as another, asyncio.timeout(10):
            await job_rows.claim(another, ["task"], worker="another", per_client=1, limit=1)  # until this one ends
            first = (await row(notes, job_uuid))["lease_until"]
            while (await row(notes, job_uuid))["lease_until"] < first + timedelta(seconds=1):  # noqa: ASYNC110 - a row
                await asyncio.sleep(0.05)
        assert not gate.canceled.is_set()


async def test_a_worker_that_lost_its_job_stops_it(notes: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_worker, "RENEW_SECONDS", 0.1)
    monkeypatch.setattr(job_worker, "POLL_SECONDS", 0.05)
    gate = Gate()
    async with working(notes, kind(gate)):
        job_uuid = await enqueue(notes)
        await gate.until_started(1)
        async with notes.platform() as tx:
            await tx.execute("update job set attempt = attempt + 1, worker = 'another'")
        await asyncio.wait_for(gate.canceled.wait(), 5)
    assert (await row(notes, job_uuid))["worker"] == "another"


async def test_a_worker_that_cannot_renew_stops_its_job_before_another_may_start_it(
    notes: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (job_rows, job_worker):
        monkeypatch.setattr(module, "LEASE_SECONDS", 0.5)
    monkeypatch.setattr(job_worker, "RENEW_SECONDS", 0.1)
    monkeypatch.setattr(job_worker, "POLL_SECONDS", 0.05)
    gate = Gate()
    async with working(notes, kind(gate)):
        await enqueue(notes)
        await gate.until_started(1)
        await notes.close()
        await asyncio.wait_for(gate.canceled.wait(), 5)


async def test_a_canceled_job_is_stopped_at_once_and_stays_canceled(
    notes: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only when its lease is renewed."""
    monkeypatch.setattr(job_worker, "RENEW_SECONDS", 60.0)
    gate = Gate()
    async with working(notes, kind(gate)):
        job_uuid = await enqueue(notes)
        await gate.until_started(1)
        async with notes.platform() as tx:
            assert await jobs.cancel(tx, job_uuid)
        await asyncio.wait_for(gate.canceled.wait(), 5)
        async with notes.platform() as tx:
            assert not await jobs.cancel(tx, job_uuid)
    assert (await row(notes, job_uuid))["state"] == "canceled"


async def test_a_job_canceled_in_the_queue_never_runs(notes: Database) -> None:
    gate = Gate()
    gate.open.set()
    first = await enqueue(notes)
    async with notes.platform() as tx:
        assert await jobs.cancel(tx, first)
    async with working(notes, kind(gate)):
        await until_state(notes, await enqueue(notes), "finished")
    assert [job.job_uuid for job in gate.started] != [first]
    assert len(gate.started) == 1


async def test_a_worker_that_is_canceled_hands_its_job_to_another_at_once(notes: Database) -> None:
    first, second = Gate(), Gate()
    async with working(notes, kind(first)):
        job_uuid = await enqueue(notes)
        await first.until_started(1)
    handed = await row(notes, job_uuid)
    assert (first.canceled.is_set(), handed["state"], handed["max_attempts"]) == (True, "queued", jobs.MAX_ATTEMPTS + 1)
    second.open.set()
    async with working(notes, kind(second)):
        assert (await until_state(notes, job_uuid, "finished"))["attempt"] == 2


async def test_a_worker_that_stops_lets_its_job_end_and_takes_no_other(notes: Database) -> None:
    gate = Gate()
    async with working(notes, kind(gate), concurrency=1) as worker:
        running = await enqueue(notes)
        await gate.until_started(1)
        waiting = await enqueue(notes)
        stopping = asyncio.create_task(worker.stop(grace=5))
        await asyncio.sleep(0.05)
        gate.open.set()
        await asyncio.wait_for(stopping, 2)
        assert (await row(notes, running))["state"] == "finished"
        assert (await row(notes, waiting))["state"] == "queued"


async def test_a_worker_that_stops_hands_back_what_outlasts_its_grace(notes: Database) -> None:
    gate = Gate()
    async with working(notes, kind(gate)) as worker:
        job_uuid = await enqueue(notes)
        await gate.until_started(1)
        await asyncio.wait_for(worker.stop(grace=0.1), 2)
        assert (gate.canceled.is_set(), (await row(notes, job_uuid))["state"]) == (True, "queued")


async def test_a_worker_outlives_a_database_that_went_away(
    notes: Database, notes_admin_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    gate = Gate()
    gate.open.set()
    admin = await Database.connect(notes_admin_dsn, schema="notes", application_name="admin")
    async with working(notes, kind(gate)):
        for _ in range(40):
            async with admin.platform() as tx:
                await tx.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'notes'"
                )
            notes.bells.ring(jobs.bell("task"))
            await asyncio.sleep(0.005)
        async with admin.platform() as tx:
            job_uuid = await jobs.enqueue(tx, "task", Task(), A)
        await until_state(admin, job_uuid, "finished")
    await admin.close()


async def test_jobs_that_ended_long_ago_are_forgotten(notes: Database) -> None:
    job_uuid = await enqueue(notes)
    async with notes.platform() as tx:
        await jobs.cancel(tx, job_uuid)
        assert await jobs.forget_ended(tx, timedelta(days=1)) == 0
        assert await jobs.forget_ended(tx, timedelta(seconds=-1)) == 1
