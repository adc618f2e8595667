"""Moving a client's results from where they are to where they belong, as a job: object by object, checked, resumable.

An object is copied under a name that nothing had before, read back and compared; then the run's row says where it is,
and that alone decides. What no row refers to is deleted at the end, once readers that had just found it are through.
A name is used once and looked for before it is made sure that this migration is still the last one: so nothing that
another one copies is taken for left over.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec

from basejump_common.contracts.storage import MigrationState
from basejump_common.errors import NotFound, StorageAway
from basejump_common.storage import jobs
from basejump_common.storage.database import Database, Transaction
from basejump_common.storage.jobs import AnyKind, Job, JobKind
from basejump_connection_indexer.adapters import migration_rows, storage_rows
from basejump_connection_indexer.adapters.migration_rows import Migration
from basejump_connection_indexer.adapters.result_store import Place, ResultStore, copy_key, run_of
from basejump_connection_indexer.adapters.run_rows import Kept

JOB = "move-results"
AT_ONCE = 4
_BATCH = 16
_LOOK_SECONDS = 1.0
_FIRST_WAIT, _LONGEST_WAIT = 2.0, 300.0
_MOST_SWEEPS = 10
_FIRST = UUID(int=0)

log = logging.getLogger(__name__)


class MoveResults(msgspec.Struct, frozen=True, kw_only=True):
    """The job's payload; `tries` counts how often in a row a storage was away."""

    migration_uuid: UUID
    tries: int = 0


class _Pass(msgspec.Struct, kw_only=True):
    """What came of looking at every result once: how many moved, and why others didn't."""

    moved: int = 0
    failures: list[str] = []


class _Superseded(Exception):
    """Another migration has begun: this one ends."""


async def migrate_to(tx: Transaction, client_uuid: UUID, storage_uuid: UUID | None) -> None:
    """Move all results of the client there once `tx` is committed; a migration that goes on ends."""
    migration_uuid = uuid4()
    await migration_rows.begin(tx, client_uuid, migration_uuid, storage_uuid)
    await jobs.enqueue(tx, JOB, MoveResults(migration_uuid=migration_uuid), client_uuid)


class Migrating:
    """Runs the jobs. `readers_seconds`: how long who has just found a file may take to read it where it was."""

    def __init__(self, database: Database, store: ResultStore, readers_seconds: float) -> None:
        self._database = database
        self._store = store
        self._readers_seconds = readers_seconds
        self._free = asyncio.Semaphore(AT_ONCE)

    def kinds(self) -> dict[str, AnyKind]:
        """For the worker."""
        return {JOB: JobKind(self.move, MoveResults, on_failure=_again)}

    async def move(self, job: Job[MoveResults]) -> None:
        """Until nothing is elsewhere. While a storage is away this job ends, and another one is to come."""
        with suppress(_Superseded):
            async with job.writing(self._database) as tx:
                migration = await _last(tx, job)
                await migration_rows.set_state(tx, migration.migration_uuid, MigrationState.STARTED)
            done = await self._move_all(job, migration)
            if done.failures:
                await self._wait(job, done)
                return
            if done.moved or migration.done:
                await asyncio.sleep(self._readers_seconds)
            left = await self._sweep_all(job)
            if left and job.payload.tries < _MOST_SWEEPS:
                await self._wait(job, _Pass(failures=left))
                return
            await self._finish(job, left)

    async def _move_all(self, job: Job[MoveResults], migration: Migration) -> _Pass:
        done, after = _Pass(failures=[]), _FIRST
        while True:
            async with job.writing(self._database) as tx:
                await _last(tx, job)
                writing = await migration_rows.still_writing(tx, migration.storage_uuid)
                batch = await migration_rows.elsewhere(tx, migration.storage_uuid, after, _BATCH)
            if batch:
                failed = await self._move_batch(job, migration, batch)
                done.failures += failed
                done.moved += len(batch) - len(failed)
                after = batch[-1].run_uuid
            if len(done.failures) >= _BATCH or (not batch and done.failures):
                return done
            if not batch and after == _FIRST and not writing:
                return done
            if not batch:
                after = _FIRST  # once more: runs that began before may have ended meanwhile
                await asyncio.sleep(_LOOK_SECONDS if writing else 0)

    async def _move_batch(self, job: Job[MoveResults], migration: Migration, batch: Sequence[Kept]) -> list[str]:
        """Why some of them couldn't be moved."""
        ends = await asyncio.gather(*(self._moved(job, migration, kept) for kept in batch))
        return [end for end in ends if end is not None]

    async def _moved(self, job: Job[MoveResults], migration: Migration, kept: Kept) -> str | None:
        async with self._free:
            try:
                source = await self._store.place(job.client_uuid, kept.storage_uuid)
                target = await self._store.place(job.client_uuid, migration.storage_uuid)
                key = copy_key(kept.object_key)
                await _copy(source, kept.object_key, target, key)
            except FileNotFoundError:
                log.warning("the file of a result was gone before it was moved", extra={"run": str(kept.run_uuid)})
                async with job.writing(self._database) as tx:
                    await migration_rows.lost(tx, kept)
                return None
            except (StorageAway, NotFound) as error:
                return error.message
            async with job.writing(self._database) as tx:
                await migration_rows.moved(tx, await _last(tx, job), kept, key)
            return None

    async def _sweep_all(self, job: Job[MoveResults]) -> list[str]:
        """Delete what no run refers to, wherever the client has files; why that couldn't be done somewhere."""
        async with self._database.tenant(job.client_uuid) as tx:
            storages = await storage_rows.every(tx)
        left = []
        for storage_uuid, name in (
            (None, "the installation's storage"),
            *((s.storage_uuid, s.alias) for s in storages),
        ):
            try:
                await self._sweep(job, storage_uuid)
            except (StorageAway, NotFound) as error:
                left.append(f"files that have moved may be left in {name}: {error.message}")
        return left

    async def _sweep(self, job: Job[MoveResults], storage_uuid: UUID | None) -> None:
        place = await self._store.place(job.client_uuid, storage_uuid)
        async for keys in place.keys(job.client_uuid):
            runs = {key: run for key in keys if (run := run_of(key)) is not None}
            async with job.writing(self._database) as tx:
                await _last(tx, job)
                referred = await storage_rows.referred(tx, list(runs), list(runs.values()))
            for key in runs.keys() - referred:
                await place.delete(key)

    async def _wait(self, job: Job[MoveResults], done: _Pass) -> None:
        """End, to go on later."""
        tries = 1 if done.moved else job.payload.tries + 1
        seconds = min(_FIRST_WAIT * 2.0 ** min(tries - 1, 20), _LONGEST_WAIT)
        async with job.writing(self._database) as tx:
            migration = await _last(tx, job)
            uuid, failed = migration.migration_uuid, len(done.failures)
            await migration_rows.set_state(tx, uuid, MigrationState.WAITING, failed, done.failures[0])
            await _enqueue(tx, job, tries, seconds)
            await job.finish(tx)

    async def _finish(self, job: Job[MoveResults], left: Sequence[str]) -> None:
        async with job.writing(self._database) as tx:
            migration = await _last(tx, job)
            error = left[0] if left else None
            await migration_rows.set_state(tx, migration.migration_uuid, MigrationState.FINISHED, error=error)
            await job.finish(tx)


async def _last(tx: Transaction, job: Job[MoveResults]) -> Migration:
    """The job's migration. Raises _Superseded when it isn't the last any more."""
    migration = await migration_rows.find(tx)
    if migration is None or migration.migration_uuid != job.payload.migration_uuid:
        raise _Superseded
    return migration


async def _copy(source: Place, old: str, target: Place, new: str) -> None:
    """Copy and compare. Raises FileNotFoundError for the source, and StorageAway."""
    given = hashlib.sha256()
    async with target.create(new) as file:
        async for part in source.parts(old):
            await asyncio.to_thread(given.update, part)
            await file.write(part)
        await file.close()
    try:
        kept = await _digest(target.parts(new))
    except FileNotFoundError as error:
        raise StorageAway("the storage of results doesn't keep what is written to it") from error
    if kept != given.digest():
        raise StorageAway("the storage of results gives back something else than was written to it")


async def _digest(parts: AsyncIterator[bytes]) -> bytes:
    digest = hashlib.sha256()
    async for part in parts:
        await asyncio.to_thread(digest.update, part)
    return digest.digest()


async def _again(tx: Transaction, job: Job[MoveResults], error: str) -> None:
    """Our own tables were away for too long: results must not stay half moved for that."""
    uuid = job.payload.migration_uuid
    await migration_rows.set_state(tx, uuid, MigrationState.WAITING, error=error)
    await _enqueue(tx, job, job.payload.tries + 1, _LONGEST_WAIT)


async def _enqueue(tx: Transaction, job: Job[MoveResults], tries: int, seconds: float) -> None:
    payload = MoveResults(migration_uuid=job.payload.migration_uuid, tries=tries)
    run_after = datetime.now(UTC) + timedelta(seconds=seconds)
    await jobs.enqueue(tx, JOB, payload, job.client_uuid, run_after=run_after)
