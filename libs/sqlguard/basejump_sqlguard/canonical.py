"""A description of a query that doesn't depend on how it was written: formatting, aliases, the order of what has
no order, and, when asked, literal values and filters."""

from __future__ import annotations

from hashlib import blake2b
from itertools import count

from sqlglot import exp

from basejump_sqlguard.equalities import conjuncts
from basejump_sqlguard.parse import parse

_VALUES = (exp.Literal, exp.Boolean, exp.RawString, exp.National, exp.ByteString, exp.HexString, exp.BitString)
_FILTERS = ("where", "having", "qualify")
_SYMMETRIC = (exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.Add, exp.Mul, exp.Or)
_MIRRORED = {"gt": "lt", "gte": "lte"}
# What the parser adds or drops without a change of meaning.
_SKIPPED = frozenset(
    {"quoted", "nulls_first", "nested", "over", "variant_extract", "requires_json", "only_json_types", "scalar_only"}
)

Names = dict[str, str]


def fingerprint(sql: str, dialect: str) -> str:
    """32 hexadecimal digits that stay the same under formatting, aliases and other literal values.

    Raises Refused when `sql` isn't one query."""
    return fingerprint_of(parse(sql, dialect).tree)


def fingerprint_of(tree: exp.Expr) -> str:
    """The fingerprint of a syntax tree, which isn't changed."""
    text = Description(values=False).of(tree)
    return blake2b(text.encode(), digest_size=16).hexdigest()


class Description:
    """Describes trees; `values`: literal values count; `filters`: WHERE, HAVING and QUALIFY count."""

    def __init__(self, *, values: bool = True, filters: bool = True) -> None:
        self._values = values
        self._filters = filters
        self._numbers = count()
        self._outputs: Names = {}

    def of(self, tree: exp.Expr) -> str:
        for alias in tree.find_all(exp.Alias, exp.TableAlias, bfs=False):
            named = [alias.args["alias"]] if isinstance(alias, exp.Alias) else alias.args.get("columns") or ()
            for item in named:
                self._outputs.setdefault(item.name.lower(), f"@{len(self._outputs)}")
        return self.part(tree, {})

    def part(self, node: exp.Expr, relations: Names) -> str:
        """One node and all below it; `relations` are the names that relations have around it."""
        if isinstance(node, _VALUES):
            return f"{node.key}:{node.this!r}" if self._values else "?"
        if isinstance(node, exp.Identifier):
            name = str(node.this).lower()
            return self._outputs.get(name, name)
        if isinstance(node, (exp.Paren, exp.Alias)):
            return self.part(node.this, relations)
        if isinstance(node, exp.TableAlias):
            return relations.get(node.name.lower(), "") + self._value(node.columns, relations, ordered=True)
        if isinstance(node, exp.Column):
            return self._column(node, relations)
        if isinstance(node, (exp.Any, exp.All)):
            return f"{node.key}({self.part(node.this.unnest(), relations)})"
        if isinstance(node, exp.And):
            return "and(" + ",".join(sorted(self.part(item, relations) for item in conjuncts(node))) + ")"
        if isinstance(node, exp.Query):
            relations = self._with_relations(node, relations)
        if isinstance(node, exp.Table):
            return self._table(node, relations)
        return self._node(node, relations)

    def _node(self, node: exp.Expr, relations: Names) -> str:
        # What is said by default: a frame that ends at the current row.
        omitted = "end" if isinstance(node, exp.WindowSpec) and node.args.get("end") == "CURRENT ROW" else ""
        parts = [
            f"{key}={self._value(value, relations, ordered=not _is_unordered(node, key))}"
            for key, value in sorted(node.args.items())
            if key not in _SKIPPED
            and key != omitted
            and value not in (None, False, [])
            and (self._filters or key not in _FILTERS)
        ]
        kind = node.key
        if isinstance(node, (exp.GT, exp.GTE)):
            kind, parts = _MIRRORED[kind], _swapped(parts)
        elif isinstance(node, _SYMMETRIC):
            parts = sorted(part.partition("=")[2] for part in parts)
        return f"{kind}({','.join(parts)})"

    def _value(self, value: object, relations: Names, *, ordered: bool) -> str:
        if isinstance(value, exp.Expr):
            return self.part(value, relations)
        if isinstance(value, list):
            items = [self._value(item, relations, ordered=True) for item in value]
            return f"[{','.join(items if ordered else sorted(items))}]"
        # Where a dialect has one text type, sqlglot calls it by either name.
        return "varchar" if value is exp.DType.TEXT else str(getattr(value, "value", value)).lower()

    def _column(self, node: exp.Column, relations: Names) -> str:
        name = self.part(node.this, relations)
        table = node.args.get("table")
        owner = relations.get(str(table.this).lower(), str(table.this).lower()) if table is not None else ""
        return f"{owner}.{name}" if owner else name

    def _table(self, node: exp.Table, relations: Names) -> str:
        if not isinstance(node.this, exp.Identifier):
            return self._node(node, relations)
        name = node.alias_or_name.lower()
        schema = f"{node.catalog}.{node.db}.".lower().lstrip(".")
        joined = [self.part(join, relations) for join in node.args.get("joins") or ()]
        return f"table({schema}{relations.get(name, name)}{''.join(joined)})"

    def _with_relations(self, node: exp.Expr, relations: Names) -> Names:
        """The names of what a query reads: by what it is and a number, whatever its alias."""
        known = dict(relations)
        clause = node.args.get("with_")
        for cte in clause.expressions if clause is not None else ():
            known[cte.alias.lower()] = f"cte#{next(self._numbers)}"
        source = node.args.get("from_")
        joins = [join.this for join in node.args.get("joins") or ()]
        for item in [*([source.this] if source is not None else []), *joins]:
            for relation in _relations(item):
                label = relation.name.lower() if isinstance(relation, exp.Table) else relation.key
                inner = known.get(label, label) if isinstance(relation, exp.Table) else label
                known[relation.alias_or_name.lower()] = f"{inner.partition('#')[0]}#{next(self._numbers)}"
        return known


def _relations(item: exp.Expr) -> list[exp.Expr]:
    """A FROM item and what is joined inside its parentheses."""
    nested = isinstance(item, exp.Subquery) and isinstance(item.this, (exp.Table, exp.Subquery))
    found = _relations(item.this) if nested and not item.alias else [item]
    for join in item.args.get("joins") or ():
        found += _relations(join.this)
    return found


def _is_unordered(node: exp.Expr, key: str) -> bool:
    return key == "expressions" and isinstance(node, (exp.In, exp.Group))


def _swapped(parts: list[str]) -> list[str]:
    return [
        part.replace("expression=", "this=", 1) if part.startswith("expression=") else "expression=" + part[5:]
        for part in reversed(parts)
    ]
