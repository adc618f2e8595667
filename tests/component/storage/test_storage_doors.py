"""The two doors to a service's tables: who sees what, what is committed, and what failures mean."""

import asyncio
import enum
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from basejump_common.errors import DeadlineExceeded, InvalidInput, Unavailable
from basejump_common.storage import database as database_module
from basejump_common.storage.catalogue import PLATFORM_TABLES, tables_without_row_security
from basejump_common.storage.database import Database, Transaction
from basejump_devstack.postgres import EmbeddedPostgres

ADD = "insert into note (client_uuid, text) values ($1, $2)"
A, B = UUID(int=0xA), UUID(int=0xB)


class Shade(enum.StrEnum):
    DARK = "dark"


class Details(msgspec.Struct, frozen=True):
    shade: Shade
    owner: UUID


class Note(msgspec.Struct, frozen=True, kw_only=True):
    note_uuid: UUID
    text: str
    details: Details | None = None


async def add(database: Database, client_uuid: UUID, text: str) -> None:
    async with database.tenant(client_uuid) as tx:
        await tx.execute(ADD, client_uuid, text)


async def texts(tx: Transaction) -> list[str]:
    return [row["text"] for row in await tx.fetch("select text from note order by text")]


@asynccontextmanager
async def connected(dsn: str, **options: int) -> AsyncIterator[Database]:
    database = await Database.connect(dsn, schema="notes", application_name="one", **options)
    try:
        yield database
    finally:
        await database.close()


async def test_a_tenant_sees_its_own_rows_alone(notes: Database) -> None:
    await add(notes, A, "of A")
    await add(notes, B, "of B")
    async with notes.tenant(A) as tx:
        assert await texts(tx) == ["of A"]
        assert await tx.execute("update note set text = 'stolen'") == 1
        assert await tx.execute("delete from note where client_uuid = $1", B) == 0
    async with notes.tenant(B) as tx:
        assert await texts(tx) == ["of B"]


async def test_a_tenant_cannot_write_rows_of_another(notes: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with notes.tenant(A) as tx:
            await tx.execute(ADD, B, "planted")
    await add(notes, A, "of A")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with notes.tenant(A) as tx:
            await tx.execute("update note set client_uuid = $1", B)


async def test_without_a_tenant_nothing_is_seen_and_nothing_written(notes: Database) -> None:
    await add(notes, A, "of A")
    async with notes.platform() as tx:
        assert await texts(tx) == []
        assert await tx.execute("delete from note") == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with notes.platform() as tx:
            await tx.execute(ADD, A, "nobody's")


async def test_a_tenant_does_not_stay_on_its_connection(notes_dsn: str, notes: Database) -> None:
    await add(notes, A, "of A")
    async with connected(notes_dsn, size=1) as database:
        async with database.tenant(A) as tx:
            assert await texts(tx) == ["of A"]
            backend = await tx.fetchval("select pg_backend_pid()")
        async with database.platform() as tx:
            assert await tx.fetchval("select pg_backend_pid()") == backend
            assert await texts(tx) == []


async def test_only_a_uuid_opens_the_tenants_door(notes: Database) -> None:
    with pytest.raises(AttributeError):
        async with notes.tenant("' ; drop table note; --"):  # type: ignore[arg-type]
            pass


async def test_the_service_cannot_switch_the_policies_off(notes: Database) -> None:
    for forbidden in (
        "alter table note disable row level security",
        "drop policy tenant on note",
        "set local role basejump_migrator",
        "create table mine (id int)",
        "truncate note",
        "create schema other",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with notes.platform() as tx:
                await tx.execute(forbidden)


async def test_the_platforms_tables_are_these_and_no_others(notes: Database, notes_admin_dsn: str) -> None:
    async with notes.platform() as tx:
        assert await tables_without_row_security(tx, "notes") == sorted(PLATFORM_TABLES)
    admin = await Database.connect(notes_admin_dsn, schema="notes", application_name="admin")
    with pytest.raises(InterruptedError):
        async with admin.platform() as tx:
            await tx.execute("alter table note no force row level security")
            await tx.execute("create table forgotten (client_uuid uuid)")
            assert await tables_without_row_security(tx, "notes") == sorted([*PLATFORM_TABLES, "forgotten", "note"])
            raise InterruptedError
    await admin.close()


async def test_a_block_that_raises_leaves_nothing(notes: Database) -> None:
    with pytest.raises(LookupError):
        async with notes.tenant(A) as tx:
            await tx.execute(ADD, A, "undone")
            raise LookupError
    async with notes.tenant(A) as tx:
        assert await texts(tx) == []


async def test_a_swallowed_failure_is_no_silent_rollback(notes: Database) -> None:
    with pytest.raises(RuntimeError, match="nothing was committed"):
        async with notes.tenant(A) as tx:
            await tx.execute(ADD, A, "lost")
            with pytest.raises(asyncpg.DivisionByZeroError):
                await tx.fetchval("select 1 / 0")


async def test_a_savepoint_undoes_what_failed_inside_it(notes: Database) -> None:
    async with notes.tenant(A) as tx:
        await tx.execute(ADD, A, "kept")
        with pytest.raises(asyncpg.UniqueViolationError):
            async with tx.savepoint():
                await tx.execute(ADD, A, "undone")
                for _ in range(2):
                    await tx.execute("insert into note values ($1, $2, 'twice')", UUID(int=1), A)
        async with tx.savepoint():
            await tx.execute(ADD, A, "kept too")
    async with notes.tenant(A) as tx:
        assert await texts(tx) == ["kept", "kept too"]


@pytest.mark.parametrize("statement_cache_size", [100, 0])
async def test_rows_are_structs(notes_dsn: str, notes: Database, statement_cache_size: int) -> None:
    details = Details(Shade.DARK, uuid4())
    async with connected(notes_dsn, statement_cache_size=statement_cache_size) as database:
        async with database.tenant(A) as tx:
            note = await tx.row(
                Note, "insert into note (client_uuid, text, details) values ($1, 'a', $2) returning *", A, details
            )
            await tx.execute(ADD, A, "b")
        assert note is not None
        assert note.details == details
        async with database.tenant(A) as tx:
            first, second = await tx.rows(Note, "select * from note order by text")
            assert (first, second.details) == (note, None)
            assert await tx.row(Note, "select * from note where text = 'c'") is None


async def test_many_rows_are_inserted_at_once(notes: Database) -> None:
    records = [(A, f"note {number}", {"number": number}) for number in range(1000)]
    async with notes.tenant(A) as tx:
        await tx.insert_records("note", ("client_uuid", "text", "details"), records)
        assert await tx.fetchval("select sum((details->>'number')::int) from note") == 499_500
        with pytest.raises(ValueError, match="identifier"):
            await tx.insert_records("note (text) select '1'; --", ("text",), [])


async def test_a_bell_rings_after_the_commit_and_only_then(notes: Database) -> None:
    bell = notes.bell("news")
    async with notes.platform() as tx:
        tx.ring("news")
        assert not bell.is_set()
    assert bell.is_set()
    bell.clear()
    with pytest.raises(LookupError):
        async with notes.platform() as tx:
            tx.ring("news")
            raise LookupError
    assert not bell.is_set()


async def test_a_slow_statement_is_a_missed_deadline(notes: Database) -> None:
    with pytest.raises(DeadlineExceeded):
        async with notes.platform() as tx:
            await tx.execute("set local statement_timeout = 20")
            await tx.fetchval("select pg_sleep(5)")


async def test_a_statement_slower_than_the_client_waits_is_a_missed_deadline(
    notes_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "QUERY_SECONDS", 0.05)
    async with connected(notes_dsn, size=1) as database:
        with pytest.raises(DeadlineExceeded):
            async with database.platform() as tx:
                await tx.fetchval("select pg_sleep(5)")
        async with database.platform() as tx:
            assert await tx.fetchval("select 1") == 1


async def test_a_full_pool_is_unavailable_and_soon(notes_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "ACQUIRE_SECONDS", 0.05)
    async with connected(notes_dsn, size=1) as database:
        async with database.platform():
            with pytest.raises(Unavailable, match="busy"):
                async with database.platform():
                    pass
        async with database.platform() as tx:
            assert await tx.fetchval("select 1") == 1


@pytest.mark.parametrize(("column", "value"), [("text", "a\0b"), ("details", {"a": "\0"})])
async def test_text_with_nul_is_invalid_input(notes: Database, column: str, value: object) -> None:
    with pytest.raises(InvalidInput, match="NUL"):
        async with notes.tenant(A) as tx:
            await tx.insert_records("note", ("client_uuid", column), [(A, value)])


async def test_a_canceled_block_is_rolled_back_and_its_connection_usable(notes_dsn: str, notes: Database) -> None:
    async with connected(notes_dsn, size=1) as database:
        inside = asyncio.Event()

        async def interrupted() -> None:
            async with database.tenant(A) as tx:
                await tx.execute(ADD, A, "undone")
                inside.set()
                await tx.fetchval("select pg_sleep(10)")

        task = asyncio.create_task(interrupted())
        await inside.wait()
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with database.tenant(A) as tx:
            assert await texts(tx) == []


async def test_a_connection_that_is_cut_is_unavailable_and_the_next_one_works(notes: Database) -> None:
    with pytest.raises(Unavailable):
        async with notes.platform() as tx:
            await tx.execute("select pg_terminate_backend(pg_backend_pid())")
    async with notes.platform() as tx:
        assert await tx.fetchval("select 1") == 1


async def test_a_server_that_is_away_is_unavailable_until_it_is_back(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "data", durable=False)
    await server.start()
    database = await Database.connect(server.dsn(), schema="public", application_name="away")
    with pytest.raises(Unavailable):
        async with database.platform():
            await server.stop()
    with pytest.raises(Unavailable):
        async with database.platform():
            pass
    with pytest.raises(Unavailable):
        await Database.connect(server.dsn(), schema="public", application_name="away")
    await server.start()
    async with database.platform() as tx:
        assert await tx.fetchval("select 1") == 1
    await database.close()
    await server.stop()
