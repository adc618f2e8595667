"""Functions that an admin allows for a database, beyond those that are known to be pure.

They are always called by their schema, also when the admin or a query leaves it out: what the server has built in
(`pg_read_file`, `load_file`, `sleep`) has none that could be named here, so nobody can allow it.
"""

import re
from collections.abc import Sequence
from typing import Protocol

from basejump_common.errors import InvalidInput
from basejump_connection_indexer.domain.engine import Described
from basejump_connection_indexer.domain.schema_names import NamedSchema, differing, physical_names

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?")
_OF_THE_SERVER = frozenset(
    # By the last three MariaDB calls what it has built in.
    ("information_schema", "mysql", "performance_schema", "sys", "mariadb_schema", "oracle_schema", "maxdb_schema")
)


class Allowing(Described, Protocol):
    """A database as a request or a row says it."""

    @property
    def functions(self) -> tuple[str, ...]: ...


def check_functions(functions: Sequence[str]) -> None:
    """Raises InvalidInput naming the one that is wrong."""
    for place, name in enumerate(functions):
        if not _NAME.fullmatch(name):
            raise InvalidInput.field(f"functions[{place}]", "write name or schema.name")
        schema = name.rpartition(".")[0].lower()
        if schema in _OF_THE_SERVER or schema.startswith("pg_"):
            raise InvalidInput.field(f"functions[{place}]", f"what belongs to the server ({schema}) can't be allowed")


def allowed_functions(database: Allowing, schemas: Sequence[NamedSchema]) -> frozenset[str]:
    """`schema.name` of each, as a login's database knows it; one that was written without a schema is meant in every
    indexed one."""
    renamed, found = differing(schemas), set[str]()
    for written in database.functions:
        schema, _, name = written.rpartition(".")
        among = (renamed.get(schema, schema),) if schema else physical_names(schemas)
        found.update(f"{one}.{name.lower()}" for one in among)
    return frozenset(found)
