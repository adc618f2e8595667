"""The demo database: a small company's HR data, and a login that may read it and do nothing else."""

import importlib.resources

import asyncpg

DATABASE = "hr_demo"
SCHEMA = "hr_demo_db"
READER = "hr_demo_reader"


async def load_hr_demo(admin_dsn: str, hr_dsn: str, reader_password: str) -> None:
    """Make sure that database, data and reader exist; what is there already stays as it is.

    `admin_dsn` leads a superuser to any database of the cluster, `hr_dsn` the same to the demo database.
    `reader_password` becomes the reader's, whatever it was.
    """
    admin = await asyncpg.connect(admin_dsn)
    try:
        await _create_reader(admin, reader_password)
        if not await admin.fetchval("select 1 from pg_database where datname = $1", DATABASE):
            await admin.execute(f"create database {DATABASE}")
    finally:
        await admin.close()
    owner = await asyncpg.connect(hr_dsn)
    try:
        async with owner.transaction():
            if not await owner.fetchval("select 1 from pg_namespace where nspname = $1", SCHEMA):
                await owner.execute(_script())
            await _allow_reading_only(owner)
    finally:
        await owner.close()


def _script() -> str:
    return importlib.resources.files(__package__).joinpath("hr_demo.sql").read_text()


async def _create_reader(admin: "asyncpg.Connection[asyncpg.Record]", password: str) -> None:
    if not await admin.fetchval("select 1 from pg_roles where rolname = $1", READER):
        await admin.execute(f"create role {READER} login nosuperuser nocreatedb nocreaterole noinherit")
    quoted = await admin.fetchval("select quote_literal($1::text)", password)
    await admin.execute(f"alter role {READER} password {quoted}")


async def _allow_reading_only(owner: "asyncpg.Connection[asyncpg.Record]") -> None:
    await owner.execute(
        f"""
        revoke all on database {DATABASE} from public;
        grant connect on database {DATABASE} to {READER};
        grant usage on schema {SCHEMA} to {READER};
        grant select on all tables in schema {SCHEMA} to {READER};
        alter role {READER} in database {DATABASE} set default_transaction_read_only = on;
        """
    )
