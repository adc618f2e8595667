"""The commands. Each imports what it needs when it is called, so that none waits for the others' libraries.

What goes wrong is one line on standard error and exit code 1; wrong usage and wrong settings are 2.
"""

import asyncio
import logging
import sys
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import UUID

import msgspec
from cyclopts import App, Parameter

from basejump_cli.failure import CommandError
from basejump_common.contracts import wire
from basejump_common.contracts.account import CreateClient
from basejump_common.settings import load, parse

S = TypeVar("S", bound=msgspec.Struct)

app = App(
    name="basejump",
    help="Chat with databases: run, operate and try Basejump.",
    result_action="return_int_as_exit_code_else_zero",
)
client_app = App(name="client", help="Clients (tenants) of an installation.")
app.command(client_app)
secret_app = App(name="internal-secret", help="INTERNAL secrets: the operator's own, which no API call can make.")
app.command(secret_app)
sql_app = App(name="sql", help="Proofs of SQL, without an installation.")
app.command(sql_app)
catalog_app = App(name="catalog", help="Catalogs of databases as files, for `basejump sql check`.")
app.command(catalog_app)

StateFolder = Annotated[Path, Parameter(help="Where the local stack keeps its state.")]
_STATE = Path(".basejump")


@app.command
def run(*, port: Annotated[int, Parameter(env_var="PORT")] = 8000, state: StateFolder = _STATE) -> int:
    """Serve everything on this machine, with embedded PostgreSQL and NATS, until Ctrl-C.

    Parameters
    ----------
    port
        Where the API listens on 127.0.0.1.
    """
    from basejump_cli import local

    return asyncio.run(local.serve(state, port))


@app.command
def demo(*, port: Annotated[int, Parameter(env_var="PORT")] = 8000, state: StateFolder = _STATE) -> int:
    """Run the quickstart against the local stack, or against one that is started for it, and print the talk.

    Parameters
    ----------
    port
        Where the API listens when the stack has to be started.
    """
    from basejump_cli import local

    return asyncio.run(local.demo(state, port))


@app.command
def status(*, state: StateFolder = _STATE) -> int:
    """Say which parts of the local stack are ready; exit code 0 when all of them are."""
    from basejump_cli import local

    return asyncio.run(local.status(state))


@app.command(name="model-server")
def model_server(*, script: list[Path] | None = None, port: int = 8100) -> int:
    """Serve a language model that plays scripts, to develop without one, until Ctrl-C.

    It speaks OpenAI's and Anthropic's HTTP protocols and answers to any model name and API key.
    GET /control/requests shows what it was sent.

    Parameters
    ----------
    script
        A script in TOML; more than one are tried in this order. By default that of the quickstart.
    port
        Where it listens on 127.0.0.1.
    """
    from basejump_cli import scripted

    return asyncio.run(scripted.serve(script or [], port))


@app.command
def migrate() -> None:
    """Create roles and schemas, apply migrations, declare streams. Run it before the services of a new version.

    Reads BASEJUMP_ADMIN_DSN, BASEJUMP_<SERVICE>_DATABASE_PASSWORD for each service with tables, and
    BASEJUMP_NATS_URL, _USER and _PASSWORD of the NATS user `operator`.
    """
    from basejump_cli.migrate import MigrationSettings, migrate_all

    for line in asyncio.run(migrate_all(load(MigrationSettings))):
        print(line)


@client_app.command(name="create")
def client_create(name: str, *, description: str = "", state: StateFolder | None = None) -> None:
    """Create a client with its OWNER user, and show its first client secret, once.

    Reads BASEJUMP_NATS_URL and the password of the NATS user `cli`, BASEJUMP_NATS_PASSWORD; and what auth has:
    BASEJUMP_AUTH_DATABASE_DSN, BASEJUMP_SECRET_PEPPER, BASEJUMP_ENVIRONMENT. With --state, those of the local stack.

    Parameters
    ----------
    name
        What the client is called.
    """
    from basejump_cli import operator

    settings = _settings(operator.OperatorSettings, state)
    created = asyncio.run(operator.create_client(settings, CreateClient(client_name=name, description=description)))
    _show(created)


@secret_app.command(name="create")
def secret_create(*, description: str = "", state: StateFolder | None = None) -> None:
    """Make an INTERNAL secret, good until it is revoked, and show it, once.

    Reads what auth has: BASEJUMP_AUTH_DATABASE_DSN, BASEJUMP_SECRET_PEPPER, BASEJUMP_ENVIRONMENT. With --state,
    those of the local stack.
    """
    from basejump_cli import operator

    settings = _settings(operator.SecretSettings, state)
    _show(asyncio.run(operator.create_internal(settings, description)))


@secret_app.command(name="list")
def secret_list(*, state: StateFolder | None = None) -> None:
    """List the INTERNAL secrets that aren't revoked, newest first, without their values.

    Reads what `create` reads.
    """
    from basejump_cli import operator

    _show(asyncio.run(operator.list_internal(_settings(operator.SecretSettings, state))))


@secret_app.command(name="revoke")
def secret_revoke(client_secret_uuid: UUID, *, state: StateFolder | None = None) -> None:
    """Revoke an INTERNAL secret; it and its tokens end within seconds.

    Reads what `create` reads.

    Parameters
    ----------
    client_secret_uuid
        As `create` and `list` show it.
    """
    from basejump_cli import operator

    asyncio.run(operator.revoke_internal(_settings(operator.SecretSettings, state), client_secret_uuid))


@sql_app.command(name="check")
def sql_check(*, dialect: str, catalog: Path | None = None, policy: Path | None = None, strict: bool = False) -> int:
    """Prove statements: reads JSON lines with `sql` from standard input, writes a JSON line for each, in order.

    A line says `ok`, `code`, `detail` and `proof`. Without a catalog only what needs none is proved: that it is one
    query and nothing else, and its functions. The exit code is 0 when every line was answered.

    Parameters
    ----------
    dialect
        postgres, redshift, mysql, tsql, snowflake, bigquery, duckdb or sqlite.
    catalog
        A file as `basejump catalog dump` writes it: the tables that may be queried.
    policy
        A JSON file with `row_limit` and `functions`, a list of functions to be allowed beyond the dialect's own.
    strict
        End with exit code 1 when any statement was refused.
    """
    from basejump_cli.sql_check import Checker

    refused = 0
    for verdict in Checker.of(dialect, catalog, policy).verdicts(sys.stdin.buffer):
        refused += not verdict.ok
        sys.stdout.buffer.write(msgspec.json.encode(verdict) + b"\n")
        sys.stdout.buffer.flush()
    return 1 if strict and refused else 0


@catalog_app.command(name="dump")
def catalog_dump(
    *,
    database_url: Annotated[str, Parameter(env_var="DATABASE_URL")],
    schema: tuple[str, ...] = (),
) -> None:
    """Write the catalog of a database as JSON: the tables and columns that the login may read, with their keys.

    Parameters
    ----------
    database_url
        postgresql://user:password@host:port/database; better given as DATABASE_URL than on the command line.
    schema
        Schemas to read, repeated; without any all but the system's.
    """
    from basejump_cli.catalog_dump import dump

    file = asyncio.run(dump(database_url, schema))
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n")


def _settings(kind: type[S], state: Path | None) -> S:
    """From the environment, or those of the local stack in `state`."""
    if state is None:
        return load(kind)
    from basejump_cli import local

    return parse(kind, local.operator_environment(state))


def _show(made: msgspec.Struct) -> None:
    """JSON: a person can read it, and so can a script."""
    print(msgspec.json.format(wire.encode(made)).decode())


def main() -> None:
    """The console script."""
    logging.getLogger("basejump").setLevel(logging.CRITICAL)  # a command says itself what went wrong, once
    try:
        raise SystemExit(app())
    except CommandError as failure:
        sys.stderr.write(f"basejump: {failure}\n")
        raise SystemExit(1) from None
