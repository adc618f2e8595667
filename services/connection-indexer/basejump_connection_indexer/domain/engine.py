"""What is particular to an engine before anything is connected to."""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from basejump_common.contracts.connection import DatabaseType, Schema
from basejump_connection_indexer.domain.schema_names import schema_names

_SESSION_ATTRIBUTES = ("any", "read-write", "read-only", "primary", "standby", "prefer-standby")
_LONGEST_WAIT = 15


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """`dialect` is sqlguard's word; `options` are those that `query` may set, each with what makes a value good.

    `folds_names`: a bare name means the one in lower case.

    `default_schema` is None where a schema is a database: then it is the one that is logged in to, and meant when no
    other is named.
    """

    dialect: str
    default_port: int
    default_schema: str | None
    folds_names: bool
    options: Mapping[str, Callable[[str], bool]]


class Described(Protocol):
    """A database as a request or a row says it."""

    @property
    def database_type(self) -> DatabaseType: ...
    @property
    def database_name(self) -> str: ...
    @property
    def schemas(self) -> tuple[Schema, ...]: ...
    @property
    def include_default_schema(self) -> bool: ...


def schemas_of(described: Described) -> tuple[str, ...]:
    """The names of the schemas to index, the default one last. Raises InvalidInput naming the field."""
    default = ENGINES[described.database_type].default_schema
    if default is None:
        default, is_meant = described.database_name, described.include_default_schema or not described.schemas
    else:
        is_meant = described.include_default_schema
    return schema_names(described.schemas, default=default if is_meant else None)


def _is_application_name(value: str) -> bool:
    return 0 < len(value) <= 63 and value.isascii() and value.isprintable()


def _is_connect_timeout(value: str) -> bool:
    return value.isdecimal() and 1 <= int(value) <= _LONGEST_WAIT


_MYSQL = Engine(
    dialect="mysql",
    default_port=3306,
    default_schema=None,
    folds_names=False,
    options={"application_name": _is_application_name, "connect_timeout": _is_connect_timeout},
)
ENGINES: Mapping[DatabaseType, Engine] = {
    DatabaseType.POSTGRES: Engine(
        dialect="postgres",
        default_port=5432,
        default_schema="public",
        folds_names=True,
        options={
            "application_name": _is_application_name,
            "connect_timeout": _is_connect_timeout,
            "target_session_attrs": _SESSION_ATTRIBUTES.__contains__,
        },
    ),
    DatabaseType.MYSQL: _MYSQL,
    # The server says which of the two it is.
    DatabaseType.MARIADB: _MYSQL,
}
