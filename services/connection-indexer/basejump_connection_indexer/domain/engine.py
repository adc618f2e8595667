"""What is particular to an engine before anything is connected to."""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from basejump_common.contracts.connection import DatabaseType, Schema, SchemaMap
from basejump_common.errors import InvalidInput
from basejump_connection_indexer.domain.schema_names import NamedSchema, logical_name, named_schemas

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
    def schema_maps(self) -> tuple[SchemaMap, ...]: ...
    @property
    def include_default_schema(self) -> bool: ...


class Choosing(Protocol):
    """A login as a request or a row says it: None is what its database says."""

    @property
    def schemas(self) -> tuple[Schema, ...] | None: ...
    @property
    def schema_maps(self) -> tuple[SchemaMap, ...] | None: ...


def schemas_of(described: Described, login: Choosing | None = None) -> tuple[NamedSchema, ...]:
    """The schemas to index, the default one last, as the login's database knows them.

    A login that names schemas reads those alone, which are some of the database's, with the values that it gives.
    Raises InvalidInput naming the field.
    """
    whole = named_schemas(described.schemas, described.schema_maps, default=_default(described))
    if login is None or (login.schemas is None and login.schema_maps is None):
        return whole
    schemas = described.schemas if login.schemas is None else _chosen(described, login.schemas)
    # The maps of the database are about its own values.
    maps = login.schema_maps or (described.schema_maps if login.schemas is None else ())
    found = named_schemas(schemas, maps, default=_default(described))
    others = {one.logical for one in whole} - {one.logical for one in found}
    if taken := others & {one.physical for one in found if one.physical != one.logical}:
        raise InvalidInput.field("schemas", f"{taken.pop()} is the name of another schema of the database")
    return found


def _default(described: Described) -> str | None:
    default = ENGINES[described.database_type].default_schema
    if default is None:
        is_meant = described.include_default_schema or not described.schemas
        return described.database_name if is_meant else None
    return default if described.include_default_schema else None


def _chosen(described: Described, chosen: tuple[Schema, ...]) -> tuple[Schema, ...]:
    known = {logical_name(schema.schema_nm, "schemas") for schema in described.schemas}
    for place, schema in enumerate(chosen):
        if logical_name(schema.schema_nm, f"schemas[{place}]") not in known:
            raise InvalidInput.field(f"schemas[{place}].schema_nm", "is none of the database's schemas")
    return chosen


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
