"""What may be queried: the tables and columns that the index knows and that are granted to the caller."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec


class CatalogColumn(msgspec.Struct, frozen=True, kw_only=True, array_like=False, gc=False):
    """A column as the database spells it; `type` is the database's own name for it ("" when unknown)."""

    name: str
    type: str = ""
    ignored: bool = False


class CatalogKey(msgspec.Struct, frozen=True, kw_only=True):
    """A foreign key; both column lists have one order. `written`: by an admin, and not declared in the database."""

    columns: tuple[str, ...]
    references_schema: str
    references_table: str
    references_columns: tuple[str, ...]
    written: bool = False


class CatalogTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table or view as the database spells it; `schema` is "" where the database has none."""

    schema: str
    name: str
    columns: tuple[CatalogColumn, ...]
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[CatalogKey, ...] = ()
    ignored: bool = False


class PreparedTable:
    """A table with its columns ready for lookup; made once, when a query first names the table."""

    __slots__ = ("by_fold", "by_name", "table", "unique")

    def __init__(self, table: CatalogTable, unique: Iterable[frozenset[str]]) -> None:
        self.table = table
        self.by_name = {column.name: column for column in table.columns}
        self.by_fold: dict[str, list[CatalogColumn]] = {}
        for column in table.columns:
            self.by_fold.setdefault(column.name.lower(), []).append(column)
        own = [frozenset(table.primary_key)] if table.primary_key else []
        self.unique = tuple({*own, *unique})

    @property
    def permitted(self) -> tuple[CatalogColumn, ...]:
        return tuple(column for column in self.table.columns if not column.ignored)


class Catalog:
    """Tables prepared for lookup by any spelling: built once, then shared by many proofs (also across threads).

    Unqualified names are looked for in `default_schemas`, in order; without default schemas in all of them.
    """

    __slots__ = ("_by_name", "_prepared", "_referenced", "default_schemas")

    def __init__(self, tables: Sequence[CatalogTable], default_schemas: Sequence[str] = ()) -> None:
        self.default_schemas = tuple(default_schemas)
        self._by_name: dict[str, tuple[CatalogTable, ...]] = {}
        self._referenced: dict[tuple[str, str], list[frozenset[str]]] = {}
        self._prepared: dict[tuple[str, str], PreparedTable] = {}
        for table in tables:
            fold = table.name.lower()
            self._by_name[fold] = (*self._by_name.get(fold, ()), table)
            for key in table.foreign_keys:
                # A database only lets a key reference columns that are unique; what an admin wrote nobody has checked.
                if not key.written:
                    target = (key.references_schema, key.references_table)
                    self._referenced.setdefault(target, []).append(frozenset(key.references_columns))

    def named(self, name: str) -> tuple[CatalogTable, ...]:
        """The tables of that name in any schema and any case, ignored ones too."""
        return self._by_name.get(name.lower(), ())

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

    def permitted_names(self) -> list[str]:
        """The names of all tables that aren't ignored, for suggestions."""
        return [table.name for table in self.tables() if not table.ignored]
