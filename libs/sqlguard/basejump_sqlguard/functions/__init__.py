"""Functions known to be pure, by dialect: they read their arguments and nothing else, and change nothing.

Each module here is a table: NAMES (scalar, aggregate and window functions) and TABLES (table functions with the
names of the columns they give; "" stands for the alias). What isn't listed is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import msgspec


class Functions(msgspec.Struct, frozen=True, kw_only=True):
    """`names` and the keys of `tables` are lower case; a name may have the dialect's own prefix (`net.host`).
    `types`: types of the database that sqlglot has no name for."""

    names: frozenset[str]
    tables: Mapping[str, tuple[str, ...] | None]
    types: frozenset[str] = frozenset()
    last_words: frozenset[str] = frozenset()

    def knows(self, word: str) -> bool:
        """Whether a listed function is called by this word, perhaps after a prefix."""
        return word in self.names or word in self.tables or word in self.last_words


def functions_of(dialect: str) -> Functions:
    """The allow-list of a dialect; ImportError when it has none."""
    module = import_module(f"basejump_sqlguard.functions.{dialect}")
    names = frozenset(module.NAMES.split())
    return Functions(
        names=names,
        tables=module.TABLES,
        types=frozenset(getattr(module, "TYPES", "").split()),
        last_words=frozenset(name.rpartition(".")[2] for name in names if "." in name),
    )
