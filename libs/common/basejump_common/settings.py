"""Settings come from the environment, BASEJUMP_<FIELD>, into a frozen struct.

A wrong one stops the start with one line that names the variable.
"""

import os
import sys
from collections.abc import Mapping
from typing import Annotated, NoReturn, TypeVar

import msgspec
from msgspec import Meta

from basejump_common.contracts.wire import decode_custom
from basejump_common.security.secret import Secret

PREFIX = "BASEJUMP_"
S = TypeVar("S", bound=msgspec.Struct)


class BusSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What every service needs."""

    nats_url: Annotated[str, Meta(description="Where NATS listens, e.g. nats://nats:4222.")]
    nats_user: Annotated[str, Meta(description="The service's own NATS user.")]
    nats_password: Annotated[Secret, Meta(description="That user's password.")]
    health_port: Annotated[int, Meta(description="Port of /health/live and /health/ready; 0 serves neither.")] = 0
    health_host: Annotated[str, Meta(description="Address those listen on; probes come from outside a container.")] = (
        "0.0.0.0"  # noqa: S104 (as said)
    )
    log_level: Annotated[str, Meta(description="debug, info, warning or error.")] = "info"
    log_format: Annotated[str, Meta(description="json, or text for a person.")] = "json"


class ServiceSettings(BusSettings, frozen=True, kw_only=True):
    """What every service with tables needs."""

    database_dsn: Annotated[Secret, Meta(description="PostgreSQL DSN of the service's own login role.")]
    master_keys: Annotated[
        Secret,
        Meta(
            description="Keys that seal what the service keeps secret and the answers it keeps for a day, "
            "id:base64,id:base64 of 32 bytes; the first is current."
        ),
    ]
    database_pool: Annotated[int, Meta(description="Connections to PostgreSQL at most.", ge=1, le=200)] = 10
    database_statement_cache: Annotated[
        int, Meta(description="Prepared statements kept per connection; 0 behind a transaction pooler.", ge=0)
    ] = 100


class SettingsError(Exception):
    """One clear line that names the variable."""


def parse(kind: type[S], environment: Mapping[str, str]) -> S:
    """The struct from the environment. Raises SettingsError."""
    values = {}
    for field in msgspec.structs.fields(kind):
        variable = PREFIX + field.name.upper()
        if variable in environment:
            values[field.name] = _value(variable, environment[variable], field.type)
        elif field.required:
            raise SettingsError(f"{variable} is not set")
    return kind(**values)


def _value(variable: str, text: str, kind: object) -> object:
    try:
        return msgspec.convert(text, kind, strict=False, dec_hook=decode_custom)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{variable}: {error}") from error


def load(kind: type[S]) -> S:
    """`parse` of this process's environment; a wrong setting ends the process with status 2."""
    try:
        return parse(kind, os.environ)
    except SettingsError as error:
        end_with(error)


def end_with(error: SettingsError) -> NoReturn:
    """End the process with status 2 and that one line."""
    sys.stderr.write(f"{error}\n")
    raise SystemExit(2) from error
