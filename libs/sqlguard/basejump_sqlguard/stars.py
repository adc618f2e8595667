"""`*` becomes the columns that are permitted, in the order of the tables."""

from __future__ import annotations

from sqlglot import exp

from basejump_sqlguard.columns import ColumnResolver
from basejump_sqlguard.proof import Refused
from basejump_sqlguard.sources import Field, Scope, Source


def expand_stars(node: exp.Select, scope: Scope, columns: ColumnResolver) -> None:
    """Replaces each star of a select list in place; one over columns that can't be known stays."""
    if not any(item.is_star for item in node.expressions):
        return
    expanded: list[exp.Expr] = []
    for item in node.expressions:
        expanded += _Expansion(item, scope, columns).checked_items() if item.is_star else [item]
    if not expanded:
        raise Refused("no_columns", "None of the columns that * stands for may be queried.", where="*")
    node.set("expressions", expanded)


class _Expansion:
    def __init__(self, item: exp.Expr, scope: Scope, columns: ColumnResolver) -> None:
        self._item = item
        self._scope = scope
        self._columns = columns
        star = item.this if isinstance(item, exp.Column) else item
        if star.args.get("ilike") is not None and not all(source.open for source in scope.sources):
            raise Refused("unsupported_syntax", "* ILIKE can't be proved; name the columns.", where="*")
        self._except = {_name(e).lower() for e in star.args.get("except_") or ()}
        self._replace = {e.alias.lower(): e for e in star.args.get("replace") or ()}
        self._changed: set[str] = set()
        self._rename = {_name(e.this).lower(): e for e in star.args.get("rename") or ()}

    def checked_items(self) -> list[exp.Expr]:
        """What the star stands for; raises Refused where it changes a column that it doesn't have."""
        items = self.items()
        if any(item.is_star for item in items):
            return items
        unknown = ({*self._replace, *self._rename} - self._changed) or None
        if unknown is not None:
            name = min(unknown)
            raise Refused("unknown_column", f"* has no column {name} to change.", where=name)
        return items

    def items(self) -> list[exp.Expr]:
        qualifier = self._item.args.get("table") if isinstance(self._item, exp.Column) else None
        if qualifier is not None:
            return self._of_one(qualifier)
        if not self._scope.sources:
            raise Refused("no_columns", "* needs a FROM.", where="*")
        if all(source.open for source in self._scope.sources):
            return [self._item]
        merged = [self._column(None, found) for found in self._scope.merged.values()]
        merging = bool(self._scope.merged)
        rest = [item for source in self._scope.sources for item in self._of_source(source, merged=merging)]
        return [item for item in (*merged, *rest) if item is not None]

    def _of_one(self, qualifier: exp.Expr) -> list[exp.Expr]:
        source = self._scope.source(self._columns.rules.key(qualifier))
        if source is None:
            raise Refused("unknown_alias", f"{qualifier.name}.* names no table of this query.", qualifier.name)
        if source.open:
            return [self._item]
        return self._of_source(source, merged=False)

    def _of_source(self, source: Source, *, merged: bool) -> list[exp.Expr]:
        if source.open or (self._unnamed(source) and not merged):
            return [self._open_star(source)]
        if self._unnamed(source):
            raise Refused("unsupported_syntax", "* needs a name for every column here; write AS.", where="*")
        skip = self._scope.merged if merged else {}
        items = (self._column(source, found) for found in source.visible() if found.name not in skip)
        return [item for item in items if item is not None]

    def _unnamed(self, source: Source) -> bool:
        return source.prepared is None and any(not found.name for found in source.output.fields)

    def _open_star(self, source: Source) -> exp.Expr:
        if not source.alias:
            raise Refused("unsupported_syntax", "* needs a name for every relation here.", where="*")
        star = exp.Column(this=exp.Star(), table=self._columns.rules.identifier(source.alias))
        self._columns.settle(star)
        return star

    def _column(self, source: Source | None, found: Field) -> exp.Expr | None:
        lower = found.name.lower()
        if lower in self._except:
            return None
        self._changed.add(lower)
        replacement: exp.Expr | None = self._replace.get(lower)
        if replacement is not None:
            return replacement
        column = exp.Column(this=self._columns.rules.identifier(found.name))
        self._columns.bind(column, source, found)
        if lower in self._rename:
            return exp.Alias(this=column, alias=self._rename[lower].args["alias"])
        return column


def _name(item: exp.Expr) -> str:
    return item.name
