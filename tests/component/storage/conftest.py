"""A service's schema with one table of tenants' content, as `basejump migrate` would leave it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from basejump_common.security.secret import Secret
from basejump_common.storage.database import Database
from basejump_common.storage.migrations import ServiceRole, migrate, provision
from basejump_devstack.postgres import EmbeddedPostgres

NOTES = """
create table note (
    note_uuid uuid primary key default gen_random_uuid(),
    client_uuid uuid not null,
    text text not null,
    details jsonb,
    created_at timestamptz not null default now()
);
call protect_tenant_table('note');
"""


@pytest.fixture(scope="module")
def notes_role() -> ServiceRole:
    """The service's login is this module's alone, since roles belong to the whole cluster."""
    return ServiceRole(schema="notes", login=f"notes_{uuid4().hex[:12]}", password=Secret("a password's 100% own"))


@pytest.fixture(scope="module")
async def notes_admin_dsn(
    postgres: EmbeddedPostgres, notes_role: ServiceRole, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """The superuser's way to a database of its own where the service `notes` is migrated."""
    name = notes_role.login
    await run_as_admin(postgres.dsn(), f"create database {name}")
    dsn = postgres.dsn(database=name)
    directory: Path = tmp_path_factory.mktemp("migrations")
    (directory / "0001_note.sql").write_text(NOTES)
    await asyncio.to_thread(provision, dsn, [notes_role])
    await asyncio.to_thread(migrate, dsn, "notes", directory)
    yield dsn
    await run_as_admin(postgres.dsn(), f"drop database {name} with (force)", f"drop role {name}")


@pytest.fixture(scope="module")
def notes_dsn(postgres: EmbeddedPostgres, notes_role: ServiceRole, notes_admin_dsn: str) -> str:
    """The service's own way there."""
    return postgres.dsn(notes_role.login, notes_role.password.reveal(), notes_role.login)


@pytest.fixture
async def notes(notes_dsn: str, notes_admin_dsn: str) -> AsyncIterator[Database]:
    """The service's database with all tables empty."""
    await run_as_admin(notes_admin_dsn, "truncate notes.note, notes.job, notes.outbox, notes.inbox")
    database = await Database.connect(notes_dsn, schema="notes", application_name="notes")
    yield database
    await database.close()


async def run_as_admin(dsn: str, *statements: str) -> None:
    """Each statement on its own, outside a transaction."""
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
