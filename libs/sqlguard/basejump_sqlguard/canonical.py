"""A description of a query that doesn't depend on how it was written: formatting, aliases, the order of what has
no order, and, when asked, literal values and filters."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from itertools import count

from sqlglot import exp

from basejump_sqlguard.equalities import conjuncts
from basejump_sqlguard.parse import parse
from basejump_sqlguard.trees import children, is_leaf

_VALUES = (exp.Literal, exp.Boolean, exp.RawString, exp.National, exp.ByteString, exp.HexString, exp.BitString)
_FILTERS = ("where", "having", "qualify")
_SYMMETRIC = (exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.Add, exp.Mul, exp.Or)
_MIRRORED = {"gt": "lt", "gte": "lte"}
# What the parser adds or drops without a change of meaning.
_SKIPPED = frozenset(
    {"quoted", "nulls_first", "nested", "over", "variant_extract", "requires_json", "only_json_types", "scalar_only"}
)

Names = dict[str, str]
Way = Callable[["Description", exp.Expr, Names], str]


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
        stack = [tree]
        while stack:
            node = stack.pop()
            for item in _named_by(node):
                self._outputs.setdefault(item.name.lower(), f"@{len(self._outputs)}")
            if not is_leaf(node):
                stack += reversed(children(node))
        return self.part(tree, {})

    def part(self, node: exp.Expr, relations: Names) -> str:
        """One node and all below it; `relations` are the names that relations have around it."""
        return _WAY_OF[type(node)](self, node, relations)

    def _constant(self, node: exp.Expr, relations: Names) -> str:
        del relations
        return f"{node.key}:{node.this!r}" if self._values else "?"

    def _name(self, node: exp.Expr, relations: Names) -> str:
        del relations
        name = str(node.this).lower()
        return self._outputs.get(name, name)

    def _inside(self, node: exp.Expr, relations: Names) -> str:
        return self.part(node.this, relations)

    def _alias(self, node: exp.Expr, relations: Names) -> str:
        columns = node.args.get("columns") or []
        return relations.get(node.name.lower(), "") + self._value(columns, relations, ordered=True)

    def _any(self, node: exp.Expr, relations: Names) -> str:
        return f"{node.key}({self.part(node.this.unnest(), relations)})"

    def _and(self, node: exp.Expr, relations: Names) -> str:
        return "and(" + ",".join(sorted(self.part(item, relations) for item in conjuncts(node))) + ")"

    def _query(self, node: exp.Expr, relations: Names) -> str:
        return self._node(node, self._with_relations(node, relations))

    def _node(self, node: exp.Expr, relations: Names) -> str:
        # What is said by default: a frame that ends at the current row.
        omitted = "end" if isinstance(node, exp.WindowSpec) and node.args.get("end") == "CURRENT ROW" else ""
        unordered = "expressions" if isinstance(node, (exp.In, exp.Group)) else ""
        said = [
            (key, value)
            for key, value in node.args.items()
            if (value or not _is_unset(value))
            and key not in _SKIPPED
            and key != omitted
            and (self._filters or key not in _FILTERS)
        ]
        parts = [f"{key}={self._value(value, relations, ordered=key != unordered)}" for key, value in sorted(said)]
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

    def _column(self, node: exp.Expr, relations: Names) -> str:
        name = self.part(node.this, relations)
        table = node.args.get("table")
        owner = relations.get(str(table.this).lower(), str(table.this).lower()) if table is not None else ""
        return f"{owner}.{name}" if owner else name

    def _table(self, node: exp.Expr, relations: Names) -> str:
        if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
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


_WAYS: tuple[tuple[type[exp.Expr] | tuple[type[exp.Expr], ...], Way], ...] = (
    (_VALUES, Description._constant),
    (exp.Identifier, Description._name),
    ((exp.Paren, exp.Alias), Description._inside),
    (exp.TableAlias, Description._alias),
    (exp.Column, Description._column),
    ((exp.Any, exp.All), Description._any),
    (exp.And, Description._and),
    (exp.Table, Description._table),
    (exp.Query, Description._query),
)


class _WayOf(dict[type[exp.Expr], Way]):
    """How nodes of a class are described; looked up once for each class."""

    def __missing__(self, kind: type[exp.Expr]) -> Way:
        self[kind] = way = next((way for base, way in _WAYS if issubclass(kind, base)), Description._node)
        return way


_WAY_OF = _WayOf()


def _named_by(node: exp.Expr) -> list[exp.Expr]:
    """The names that a node gives to columns."""
    if isinstance(node, exp.Alias):
        return [node.args["alias"]]
    return node.args.get("columns") or [] if isinstance(node, exp.TableAlias) else []


def _is_unset(value: object) -> bool:
    return value is None or value == [] or value == 0


def _relations(item: exp.Expr) -> list[exp.Expr]:
    """A FROM item and what is joined inside its parentheses."""
    nested = isinstance(item, exp.Subquery) and isinstance(item.this, (exp.Table, exp.Subquery))
    found = _relations(item.this) if nested and not item.alias else [item]
    for join in item.args.get("joins") or ():
        found += _relations(join.this)
    return found


def _swapped(parts: list[str]) -> list[str]:
    return [
        part.replace("expression=", "this=", 1) if part.startswith("expression=") else "expression=" + part[5:]
        for part in reversed(parts)
    ]
