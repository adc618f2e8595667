"""Indexing, as a job: read what every login of a database sees, and write what has changed.

One kind of job indexes what an admin added or changed, and the state of the database says so; the other looks on
schedule whether the database has changed by itself.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from basejump_common.bus import publish
from basejump_common.contracts.connection import (
    DATABASE_INDEX_FAILED,
    DATABASE_INDEXED,
    SCHEMA_DRIFTED,
    DatabaseFields,
    DatabaseIndexed,
    DatabaseIndexFailed,
    IndexState,
    IndexStatus,
    SchemaDrifted,
)
from basejump_common.errors import DatabaseUnreachable, InvalidInput, Unavailable
from basejump_common.storage import jobs
from basejump_common.storage.database import Database, Transaction
from basejump_common.storage.jobs import AnyKind, Job, JobKind
from basejump_connection_indexer import checking
from basejump_connection_indexer.adapters import database_rows, index_rows, login_rows
from basejump_connection_indexer.adapters.database_rows import DatabaseRow
from basejump_connection_indexer.adapters.login_rows import ConnectionRow
from basejump_connection_indexer.adapters.vault import Vault
from basejump_connection_indexer.checking import BUSY, CheckDatabase, Schedule
from basejump_connection_indexer.domain.definition import ColumnDefinition, SeenTable
from basejump_connection_indexer.domain.engine import schemas_of
from basejump_connection_indexer.domain.schema_names import differing, physical_names
from basejump_connection_indexer.domain.session import BrokeOff, CatalogRequest, Connect
from basejump_connection_indexer.domain.union import narrowed, union
from basejump_connection_indexer.side_by_side import side_by_side

JOB = "index"
_LOOKED, _READ = 0.1, 0.6
_MOST_TOLD = 3
AT_ONCE = 4
"""So many logins of a database read its catalog at a time."""

Columns = tuple[ColumnDefinition, ...]
Seen = dict[UUID, list[SeenTable]]
"""By connection."""

log = logging.getLogger(__name__)


class IndexDatabase(msgspec.Struct, frozen=True, kw_only=True):
    """The job's payload."""

    db_uuid: UUID


async def enqueue_indexing(tx: Transaction, client_uuid: UUID, payload: IndexDatabase) -> None:
    """Index once `tx` is committed; until then the database is queued."""
    await jobs.enqueue(tx, JOB, payload, client_uuid)
    await database_rows.set_index_state(tx, _status(payload.db_uuid, IndexState.QUEUED, 0.0, await _count(tx, payload)))


class Indexing:
    """Runs the jobs."""

    def __init__(self, database: Database, connect: Connect, vault: Vault, schedule: Schedule) -> None:
        self._database = database
        self._connect = connect
        self._vault = vault
        self._schedule = schedule

    def kinds(self) -> Mapping[str, AnyKind]:
        """For the worker."""
        return {
            JOB: JobKind(self.index, IndexDatabase, on_failure=self._failed),
            checking.JOB: JobKind(self.check, CheckDatabase, on_failure=_check_failed),
        }

    async def index(self, job: Job[IndexDatabase]) -> None:
        """Raises Unavailable when the customer's database is away, which is tried again, and what connecting raises."""
        async with job.writing(self._database) as tx:
            row = await database_rows.find(tx, job.payload.db_uuid)
            logins = await login_rows.of_database(tx, job.payload.db_uuid)
            started = _status(job.payload.db_uuid, IndexState.STARTED, _LOOKED, await _count(tx, job.payload))
            await database_rows.set_index_state(tx, msgspec.structs.replace(started, started_at=datetime.now(UTC)))
        if row is None:
            return
        scan = await self._scanned(row, logins)
        await self._progress(job, _READ)
        await self._write(job, scan)

    async def check(self, job: Job[CheckDatabase]) -> None:
        """Look whether the database has changed by itself; one that is being indexed is looked at anyway. Raises as
        `index` does."""
        async with job.writing(self._database) as tx:
            row = await database_rows.find(tx, job.payload.db_uuid)
            logins = await login_rows.of_database(tx, job.payload.db_uuid)
            if row is not None:
                await self._schedule.plan(tx, job.client_uuid, row.db_uuid)
        if row is not None and row.index_status not in BUSY:
            await self._write(job, await self._scanned(row, logins))

    async def _scanned(self, row: DatabaseRow, logins: list[ConnectionRow]) -> "_Scan":
        """What each login sees, in the names of the index; equal columns of the schemas of a template are kept once.

        One that is refused doesn't keep the others from being indexed. Raises what was raised when none could be read.
        """
        once: dict[Columns, Columns] = {}

        async def read(login: ConnectionRow) -> list[SeenTable] | InvalidInput:
            try:
                return [_kept_once(table, once) for table in await self._read(row, login)]
            except InvalidInput as error:
                return error

        read_all = await side_by_side((partial(read, login) for login in logins), AT_ONCE)
        found = {login.conn_uuid: outcome for login, outcome in zip(logins, read_all, strict=True)}
        seen = {conn_uuid: tables for conn_uuid, tables in found.items() if not isinstance(tables, InvalidInput)}
        refused = {conn_uuid: error for conn_uuid, error in found.items() if isinstance(error, InvalidInput)}
        if refused and not seen:
            raise next(iter(refused.values()))
        return _Scan(row, logins, seen, refused)

    async def _read(self, row: DatabaseRow, login: ConnectionRow) -> list[SeenTable]:
        schemas = schemas_of(row, login)
        try:
            session = await self._connect(self._vault.target(row, login))
        except DatabaseUnreachable as error:
            raise Unavailable(error.message) from error
        try:
            tables = await session.catalog(catalog_request(row, physical_names(schemas)))
        except BrokeOff as error:
            raise Unavailable(f"the database broke off while its catalog was read: {error}") from error
        finally:
            await session.close()
        logical = {physical: name for name, physical in differing(schemas).items()}
        return [_in_schemas(table, logical) for table in tables] if logical else tables

    async def _progress(self, job: Job[IndexDatabase], progress: float) -> None:
        async with job.writing(self._database) as tx:
            count = await _count(tx, job.payload)
            status = _status(job.payload.db_uuid, IndexState.STARTED, progress, count)
            await database_rows.set_index_state(tx, status)

    async def _write(self, job: Job[Any], scan: "_Scan") -> None:
        """The whole index in one transaction: whoever reads meanwhile sees the old one."""
        client_uuid, db_uuid = job.client_uuid, scan.row.db_uuid
        async with self._database.tenant(client_uuid) as tx:
            row = await database_rows.find(tx, db_uuid, lock=True)
            if row is None:
                return
            if row.scanned != scan.row.scanned or await login_rows.of_database(tx, db_uuid) != scan.logins:
                raise Unavailable("the database, or a login, was changed while it was read")
            as_before = {conn_uuid: await _seen_before(tx, conn_uuid) for conn_uuid in scan.refused}
            written = await write_index(tx, client_uuid, db_uuid, scan.seen | as_before)
            if written.is_other or not row.index_version:
                await database_rows.next_index_version(tx, db_uuid)
            done = _status(db_uuid, IndexState.FINISHED, 1.0, written.tables, scan.error)
            await database_rows.set_index_state(tx, msgspec.structs.replace(done, finished_at=datetime.now(UTC)))
            await _publish_news(tx, job, row, written)
            await self._schedule.plan(tx, client_uuid, db_uuid)
            await job.finish(tx)
        log.info(
            "indexed", extra={"db_uuid": str(db_uuid), "tables": written.tables, "changed": written.change.changed}
        )

    async def _failed(self, tx: Transaction, job: Job[IndexDatabase], error: str) -> None:
        db_uuid = job.payload.db_uuid
        status = _status(db_uuid, IndexState.FAILED, 0.0, await _count(tx, job.payload), error)
        await database_rows.set_index_state(tx, msgspec.structs.replace(status, finished_at=datetime.now(UTC)))
        news = DatabaseIndexFailed(db_uuid=db_uuid, error=error)
        await publish(tx, DATABASE_INDEX_FAILED, job.client_uuid, db_uuid, news)
        await self._schedule.plan(tx, job.client_uuid, db_uuid)


@dataclass(frozen=True)
class _Scan:
    """What was found, and what it was asked by."""

    row: DatabaseRow
    logins: list[ConnectionRow]
    seen: Seen
    refused: Mapping[UUID, InvalidInput]

    @property
    def error(self) -> str | None:
        """Which logins could not be read, the first few."""
        told = [f"connection {conn_uuid}: {error.message}" for conn_uuid, error in self.refused.items()]
        more = [f"and {len(told) - _MOST_TOLD} more"] if len(told) > _MOST_TOLD else []
        return "; ".join(told[:_MOST_TOLD] + more) or None


@dataclass(frozen=True)
class Written:
    """What became of an index; `is_other`: somebody sees something else than before."""

    tables: int
    change: index_rows.Change
    is_other: bool


async def write_index(tx: Transaction, client_uuid: UUID, db_uuid: UUID, seen: Seen) -> Written:
    """What the connections see becomes the index; the first of them says what a column is."""
    whole = union(seen)
    change = await index_rows.write(tx, client_uuid, db_uuid, whole)
    sights_changed = 0
    for conn_uuid, tables in seen.items():
        named = {(table.definition.schema, table.definition.name): table for table in tables}
        sights = {change.tables[name]: narrowed(table, whole[name]) for name, table in named.items()}
        sights_changed += await index_rows.write_sights(tx, client_uuid, conn_uuid, sights)
    return Written(len(whole), change, bool(change.changed or sights_changed))


async def _seen_before(tx: Transaction, conn_uuid: UUID) -> list[SeenTable]:
    """What a connection saw when it was read last."""
    return [
        SeenTable(definition=table.definition, visible=None if table.visible is None else tuple(table.visible))
        async for page in index_rows.seen_by(tx, conn_uuid)
        for table in page
    ]


async def _publish_news(tx: Transaction, job: Job[Any], row: DatabaseRow, written: Written) -> None:
    """That it is indexed, unless nobody asked and nothing changed; and how it differs from what it was."""
    change = written.change
    if job.kind == JOB or written.is_other:
        news = DatabaseIndexed(db_uuid=row.db_uuid, tables=written.tables, changed=change.changed)
        await publish(tx, DATABASE_INDEXED, job.client_uuid, row.db_uuid, news)
    if row.index_version and change.drift:
        drifted = SchemaDrifted(db_uuid=row.db_uuid, tables=change.drift, more=change.more)
        await publish(tx, SCHEMA_DRIFTED, job.client_uuid, row.db_uuid, drifted)


async def _check_failed(tx: Transaction, job: Job[CheckDatabase], error: str) -> None:
    """Questions go on with the index as it is; admins see why it isn't brought up to date."""
    await database_rows.set_index_error(tx, job.payload.db_uuid, f"the last look at the database failed: {error}")


async def _count(tx: Transaction, payload: IndexDatabase) -> int:
    return await index_rows.count(tx, payload.db_uuid)


def _in_schemas(table: SeenTable, names: Mapping[str, str]) -> SeenTable:
    return msgspec.structs.replace(table, definition=table.definition.in_schemas(names))


def _kept_once(table: SeenTable, once: dict[Columns, Columns]) -> SeenTable:
    columns = once.setdefault(table.definition.columns, table.definition.columns)
    return msgspec.structs.replace(table, definition=msgspec.structs.replace(table.definition, columns=columns))


def _status(db_uuid: UUID, state: IndexState, progress: float, tables: int, error: str | None = None) -> IndexStatus:
    return IndexStatus(db_uuid=db_uuid, status=state, progress=progress, tables=tables, error=error)


def catalog_request(row: DatabaseRow | DatabaseFields, schemas: tuple[str, ...]) -> CatalogRequest:
    """What of a database's schemas is indexed."""
    return CatalogRequest(
        schemas=schemas,
        table_filter_string=row.table_filter_string,
        include_views=row.include_views,
        include_materialized_views=row.include_materialized_views,
        include_partitioned_tables=row.include_partitioned_tables,
    )
