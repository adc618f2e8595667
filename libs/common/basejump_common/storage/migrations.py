"""Roles, schemas and migrations. Run by the operator's `basejump migrate`, never by a service.

A service's migrations are plain SQL files, `services/<name>/migrations/NNNN_what.sql`, applied in the order of their
names after those that all services share (`shared_migrations/`). Each file is one transaction together with the row
that says it was applied; both live in the service's own schema. Each must work with the version still running.

yoyo and psycopg come with the `basejump` command; services don't need them. Both calls block: use a thread.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import psycopg
from psycopg import sql
from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import parse_uri
from yoyo.migrations import Migration

from basejump_common.security.secret import Secret
from basejump_common.storage.database import check_identifier

MIGRATOR = "basejump_migrator"
SHARED = Path(__file__).with_name("shared_migrations")
# A migration that waits for a lock makes every later query wait behind it: give up soon, try again later.
LOCK_TIMEOUT = "5s"
LOCK_ATTEMPTS = 6
STATEMENT_TIMEOUT = "15min"
_OPTIONS = f"-c role={MIGRATOR} -c lock_timeout={LOCK_TIMEOUT} -c statement_timeout={STATEMENT_TIMEOUT}"
# yoyo keeps the migrations of a process in one dict by name, whatever the service.
_one_at_a_time = Lock()


@dataclass(frozen=True, kw_only=True)
class ServiceRole:
    """One service's schema and the login that may read and write there, and nowhere else."""

    schema: str
    login: str
    password: Secret

    def __post_init__(self) -> None:
        check_identifier(self.schema)
        check_identifier(self.login)


def provision(admin_dsn: str, services: Sequence[ServiceRole]) -> None:
    """Create or correct the migration role, and a schema and a login for each service.

    Idempotent, and safe when two run at once. The admin needs `createrole` and `create` on the database; no superuser.
    """
    with _exclusive(admin_dsn, "provision") as connection, connection.transaction():
        _close_to_the_public(connection)
        _create_role(connection, MIGRATOR)
        connection.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(MIGRATOR)))
        for service in services:
            _provision_schema(connection, service)
            _provision_login(connection, service)


def migrate(admin_dsn: str, schema: str, directory: Path) -> list[str]:
    """Apply what isn't applied yet to `schema`: the shared migrations, then those in `directory`.

    Returns the names of what was applied now. Safe when two run at once. Raises psycopg.Error; what a failed file
    did is undone, what came before it stays.
    """
    with _one_at_a_time, _exclusive(admin_dsn, f"migrate {schema}"), _backend(admin_dsn, schema) as backend:
        return [name for source in (SHARED, directory) for name in _apply_all(backend, source)]


@contextmanager
def _exclusive(admin_dsn: str, purpose: str) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """One process at a time for `purpose`; the lock ends with the connection, a crash included."""
    with psycopg.connect(admin_dsn, autocommit=True) as connection:
        connection.execute("set lock_timeout = '30min'")
        connection.execute("select pg_advisory_lock(hashtextextended(%s, 0))", [f"basejump {purpose}"])
        yield connection


def _close_to_the_public(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    database = sql.Identifier(connection.info.dbname)
    connection.execute("revoke all on schema public from public")
    connection.execute(sql.SQL("revoke all on database {} from public").format(database))


def _create_role(connection: "psycopg.Connection[tuple[object, ...]]", role: str) -> None:
    known = connection.execute("select rolsuper or rolbypassrls from pg_roles where rolname = %s", [role])
    row = known.fetchone()
    if row is None:
        connection.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
    elif row[0]:
        raise ValueError(f"the role {role} may pass by row-level security: take superuser and bypassrls away")


def _provision_schema(connection: "psycopg.Connection[tuple[object, ...]]", service: ServiceRole) -> None:
    names = {"schema": sql.Identifier(service.schema), "migrator": sql.Identifier(MIGRATOR)}
    connection.execute(sql.SQL("create schema if not exists {schema} authorization {migrator}").format(**names))
    connection.execute(sql.SQL("alter schema {schema} owner to {migrator}").format(**names))
    connection.execute(sql.SQL("revoke all on schema {schema} from public").format(**names))


def _provision_login(connection: "psycopg.Connection[tuple[object, ...]]", service: ServiceRole) -> None:
    _create_role(connection, service.login)
    # The server gets, and may log, a verifier; never the password.
    verifier = connection.pgconn.encrypt_password(
        service.password.reveal().encode(), service.login.encode(), b"scram-sha-256"
    ).decode()
    names = {
        "login": sql.Identifier(service.login),
        "schema": sql.Identifier(service.schema),
        "database": sql.Identifier(connection.info.dbname),
        "migrator": sql.Identifier(MIGRATOR),
        "verifier": sql.Literal(verifier),
    }
    for statement in (
        "alter role {login} login password {verifier}",
        "grant connect on database {database} to {login}",
        "alter role {login} in database {database} set search_path = {schema}",
        # A floor below the services' own timeouts.
        "alter role {login} in database {database} set statement_timeout = '120s'",
        "alter role {login} in database {database} set idle_in_transaction_session_timeout = '120s'",
        "grant usage on schema {schema} to {login}",
        "set local role {migrator}",
        "alter default privileges in schema {schema} grant select, insert, update, delete on tables to {login}",
        "alter default privileges in schema {schema} grant usage, select on sequences to {login}",
        "reset role",
    ):
        connection.execute(sql.SQL(statement).format(**names))


@contextmanager
def _backend(admin_dsn: str, schema: str) -> Iterator[PostgresqlPsycopgBackend]:
    """yoyo's connection, as the migration role, with its own tables in `schema` and not writable by the login."""
    uri = parse_uri(admin_dsn)
    given = uri.args.get("options", "")
    uri = uri._replace(args={**uri.args, "schema": check_identifier(schema), "options": f"{given} {_OPTIONS}".strip()})
    with PostgresqlPsycopgBackend(uri, "_yoyo_migration") as backend:
        backend.init_database()
        # Ours is the advisory lock; a row left by a process that was killed must not stop the next one.
        backend.break_lock()
        backend.ensure_internal_schema_updated()
        _keep_from_logins(backend, schema)
        yield backend


def _keep_from_logins(backend: PostgresqlPsycopgBackend, schema: str) -> None:
    """A login may read what was applied, and not write it."""
    backend.connection.execute(
        f"""
        do $$
        declare entry record;
        begin
            for entry in
                select distinct table_name, grantee from information_schema.role_table_grants
                where table_schema = '{schema}' and table_name ~ '^_?yoyo' and grantee <> '{MIGRATOR}'
            loop
                execute format('revoke insert, update, delete on %I from %I', entry.table_name, entry.grantee);
            end loop;
        end $$
        """  # noqa: S608 - both are checked identifiers, and a DO block takes no parameters
    )


def _apply_all(backend: PostgresqlPsycopgBackend, source: Path) -> list[str]:
    applied = []
    if not source.is_dir():
        raise FileNotFoundError(f"no migrations at {source}")
    for migration in backend.to_apply(read_migrations(str(source))):
        _apply_patiently(backend, migration)
        applied.append(migration.id)
    return applied


def _apply_patiently(backend: PostgresqlPsycopgBackend, migration: Migration) -> None:
    for attempt in range(1, LOCK_ATTEMPTS + 1):
        try:
            _apply(backend, migration)
        except psycopg.errors.LockNotAvailable:
            if attempt == LOCK_ATTEMPTS:
                raise
            time.sleep(attempt)
        else:
            return


def _apply(backend: PostgresqlPsycopgBackend, migration: Migration) -> None:
    """The file and its mark in one transaction: yoyo alone would mark it in a second one."""
    migration.load()
    # `-- transactional: false` is for `create index concurrently if not exists`.
    with backend.transaction() if migration.use_transactions else nullcontext():
        migration.process_steps(backend, "apply")
        backend.mark_one(migration, log=False)
