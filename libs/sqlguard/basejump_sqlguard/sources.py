"""What a query reads from: sources with their fields, and the scopes that see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from basejump_sqlguard.catalog import CatalogColumn, CatalogTable, PreparedTable


@dataclass(slots=True)
class Field:
    """A column of a source; `origin` is the catalog column it passes on unchanged, if it does."""

    name: str
    origin: tuple[CatalogTable, CatalogColumn] | None = None

    @property
    def ignored(self) -> bool:
        return self.origin is not None and self.origin[1].ignored


@dataclass(slots=True)
class Output:
    """What a query gives to the one around it. `unique`: sets of field names that no two rows share; the
    empty set means at most one row. `open`: the columns can't be known."""

    fields: list[Field]
    unique: tuple[frozenset[str], ...] = ()
    open: bool = False


@dataclass(slots=True, eq=False)
class Source:
    """One relation of a FROM clause under the name its columns are taken from ("" when it has none)."""

    alias: str
    output: Output
    prepared: PreparedTable | None = None

    @property
    def table(self) -> CatalogTable | None:
        return self.prepared.table if self.prepared else None

    @property
    def open(self) -> bool:
        return self.output.open

    @property
    def unique(self) -> tuple[frozenset[str], ...]:
        return self.prepared.unique if self.prepared else self.output.unique

    def find(self, name: str) -> Field | None:
        """The field of exactly this name, else the only one that differs in case alone."""
        if self.prepared is not None:
            column = self.prepared.column(name)
            return None if column is None else Field(column.name, (self.prepared.table, column))
        lower = name.lower()
        similar = [item for item in self.output.fields if item.name.lower() == lower]
        exact = [item for item in similar if item.name == name]
        if exact:
            return exact[0]
        return similar[0] if len(similar) == 1 else None

    def visible(self) -> list[Field]:
        """What `*` gives: every permitted column, in order."""
        if self.prepared is None:
            return self.output.fields
        table = self.prepared.table
        return [Field(column.name, (table, column)) for column in self.prepared.permitted]


@dataclass(slots=True, eq=False)
class JoinStep:
    """One relation joined to those before it: by condition, by columns of the same name, or by nothing."""

    source: Source
    kind: str
    condition: exp.Expr | None = None
    using: tuple[str, ...] = ()
    lateral: bool = False


@dataclass(slots=True, eq=False)
class Scope:
    """One SELECT: what it reads (`sources` in order), and the scope around it."""

    node: exp.Expr
    parent: Scope | None
    sources: list[Source] = field(default_factory=list)
    joins: list[JoinStep] = field(default_factory=list)
    merged: dict[str, Field] = field(default_factory=dict)
    aliases: dict[str, exp.Expr] = field(default_factory=dict)

    def chain(self) -> Iterator[Scope]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def source(self, alias: str) -> Source | None:
        """The source of that name here, ignoring case when only one fits."""
        exact = [item for item in self.sources if item.alias == alias]
        if exact:
            return exact[0]
        lower = alias.lower()
        similar = [item for item in self.sources if item.alias.lower() == lower]
        return similar[0] if len(similar) == 1 else None


@dataclass(slots=True, eq=False)
class Findings:
    """What resolving the names of one query found; the passes after it only read this.

    `bound` is by node identity; `settled` has the identity of every column and table node that was looked at, whatever
    it turned out to be (a name the query gives, a parameter of a lambda). `tables`: schema, name, alias to whether the
    catalog has it. `columns`: schema, table, column to its type."""

    scopes: list[Scope] = field(default_factory=list)
    bound: dict[int, tuple[Source | None, Field]] = field(default_factory=dict)
    settled: set[int] = field(default_factory=set)
    tables: dict[tuple[str, str, str], bool] = field(default_factory=dict)
    columns: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def origin(self, column: exp.Expr) -> tuple[CatalogTable, CatalogColumn] | None:
        """The catalog column that a column node stands for, if it is one."""
        entry = self.bound.get(id(column))
        return entry[1].origin if entry else None
