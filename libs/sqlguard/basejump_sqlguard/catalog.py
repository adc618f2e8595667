"""What may be queried: the tables and columns that the index knows and that are granted to the caller."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from heapq import nsmallest

import msgspec

_MOST_COMPARED = 400


class CatalogColumn(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A column as the database spells it; `type` is the database's own name for it ("" when unknown)."""

    name: str
    type: str = ""
    ignored: bool = False


class CatalogKey(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A foreign key; both column lists have one order. `written`: by an admin, and not declared in the database."""

    columns: tuple[str, ...]
    references_schema: str
    references_table: str
    references_columns: tuple[str, ...]
    written: bool = False


class CatalogTable(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A table or view as the database spells it; `schema` is "" where the database has none."""

    schema: str
    name: str
    columns: tuple[CatalogColumn, ...]
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[CatalogKey, ...] = ()
    ignored: bool = False


class PreparedTable:
    """A table with its columns ready for lookup; made once, when a query first names the table."""

    __slots__ = ("_by_fold", "_by_name", "table", "unique")

    def __init__(self, table: CatalogTable, unique: Iterable[frozenset[str]]) -> None:
        self.table = table
        self._by_name: dict[str, CatalogColumn | None] = {column.name: column for column in table.columns}
        by_fold: dict[str, CatalogColumn | None] = {}
        for column in table.columns:
            fold = column.name.lower()
            by_fold[fold] = None if fold in by_fold else column
        self._by_fold = self._by_name if by_fold == self._by_name else by_fold
        own = [frozenset(table.primary_key)] if table.primary_key else []
        self.unique = tuple({*own, *unique})

    def column(self, name: str) -> CatalogColumn | None:
        """The column of exactly this name, else the only one that differs in case alone."""
        return self._by_name.get(name) or self._by_fold.get(name.lower())

    @property
    def permitted(self) -> tuple[CatalogColumn, ...]:
        return tuple(column for column in self.table.columns if not column.ignored)


class Catalog:
    """Tables prepared for lookup by any spelling: built once, then shared by many proofs (also across threads).

    Unqualified names are looked for in `default_schemas`, in order; without default schemas in all of them.
    """

    __slots__ = ("_by_name", "_by_place", "_prepared", "_referenced", "default_schemas")

    def __init__(self, tables: Sequence[CatalogTable], default_schemas: Sequence[str] = ()) -> None:
        self.default_schemas = tuple(default_schemas)
        self._by_name: dict[str, list[CatalogTable]] = {}
        self._by_place: dict[tuple[str, str], list[CatalogTable]] = {}
        self._referenced: dict[tuple[str, str], list[frozenset[str]]] = {}
        self._prepared: dict[tuple[str, str], PreparedTable] = {}
        for table in tables:
            fold = table.name.lower()
            self._by_name.setdefault(fold, []).append(table)
            self._by_place.setdefault((_last_part(table.schema), fold), []).append(table)
            for key in table.foreign_keys:
                # A database only lets a key reference columns that are unique; what an admin wrote nobody has checked.
                if not key.written:
                    target = (key.references_schema, key.references_table)
                    self._referenced.setdefault(target, []).append(frozenset(key.references_columns))

    def named(self, name: str, schema: str | None = None) -> Sequence[CatalogTable]:
        """The tables of that name in any case, ignored ones too; in any schema, or in those whose name ends so."""
        fold = name.lower()
        if schema is None:
            return self._by_name.get(fold, ())
        written = schema.lower()
        same = self._by_place.get((_last_part(written), fold), ())
        return [table for table in same if f".{table.schema}".lower().endswith(f".{written}")]

    def prepared(self, table: CatalogTable) -> PreparedTable:
        """The table ready for column lookup."""
        key = (table.schema, table.name)
        found = self._prepared.get(key)
        if found is None:
            found = self._prepared[key] = PreparedTable(table, self._referenced.get(key, ()))
        return found

    def tables(self) -> list[CatalogTable]:
        """All tables, ignored ones too."""
        return [table for group in self._by_name.values() for table in group]

    def near(self, name: str) -> tuple[str, ...]:
        """Names of tables that aren't ignored and were perhaps meant, at most three.

        Comparing letter by letter takes 10 µs a name, so only those are compared that begin or end as a word of the
        name does, or as many as are nearest to its length."""
        names = [table.name for table in self.tables() if not table.ignored]
        if len(names) > _MOST_COMPARED:
            ends = {end for word in name.lower().split("_") for end in (word[:3], word[-3:]) if len(end) == 3}
            names = [known for known in names if not ends or any(end in known.lower() for end in ends)]
            names = nsmallest(_MOST_COMPARED, names, key=lambda known: abs(len(known) - len(name)))
        return tuple(get_close_matches(name, names, n=3, cutoff=0.5))


def _last_part(schema: str) -> str:
    return schema.rpartition(".")[2].lower()
