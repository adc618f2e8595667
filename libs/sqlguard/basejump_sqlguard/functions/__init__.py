"""Functions known to be pure, by dialect: they read their arguments and nothing else, and change nothing.

Each module here is a table: NAMES (scalar, aggregate and window functions) and TABLES (table functions with the
names of the columns they give; "" stands for the alias). What isn't listed is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import msgspec


class Functions(msgspec.Struct, frozen=True, kw_only=True):
    """`names` and the keys of `tables` are lower case."""

    names: frozenset[str]
    tables: Mapping[str, tuple[str, ...] | None]

    def knows(self, name: str) -> bool:
        return name in self.names or name in self.tables


def functions_of(dialect: str) -> Functions:
    """The allow-list of a dialect; ImportError when it has none."""
    module = import_module(f"basejump_sqlguard.functions.{dialect}")
    return Functions(names=frozenset(module.NAMES.split()), tables=module.TABLES)
