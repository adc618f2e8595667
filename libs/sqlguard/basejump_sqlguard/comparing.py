"""How two queries differ, in words a person uses: columns, tables, joins, filters, grouping, order, limit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec
from sqlglot import exp

from basejump_sqlguard.canonical import Description
from basejump_sqlguard.dialects import Rules
from basejump_sqlguard.equalities import conjuncts
from basejump_sqlguard.faithful import write
from basejump_sqlguard.parse import parse

Verdict = Literal["identical", "equivalent", "similar", "different"]
_SIMILAR_PARTS = 3
"""Two queries over the same tables that differ in more of the seven parts than this are different."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a query (`columns`, `tables`, …): what only the first and only the second has."""

    part: str
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """`identical`: the same text but for formatting; `equivalent`: the same but for aliases and the order of what
    has none; `similar`: the same tables, other details; `different`: the rest."""

    verdict: Verdict
    differences: tuple[Difference, ...] = ()


def compare(first: str, second: str, dialect: str) -> Comparison:
    """Raises Refused when one of them isn't a query."""
    a, b = parse(first, dialect), parse(second, dialect)
    if _text(a.tree, a.rules) == _text(b.tree, b.rules):
        return Comparison(verdict="identical")
    if Description().of(a.tree) == Description().of(b.tree):
        return Comparison(verdict="equivalent")
    differences = _differences(a.tree, b.tree, a.rules)
    tables = any(item.part == "tables" for item in differences)
    verdict: Verdict = "different" if tables or len(differences) > _SIMILAR_PARTS else "similar"
    return Comparison(verdict=verdict, differences=differences)


def differs_only_in_filters(first: str, second: str, dialect: str) -> bool:
    """Whether WHERE, HAVING or QUALIFY differ, and nothing else. Raises Refused when one isn't a query."""
    a, b = parse(first, dialect).tree, parse(second, dialect).tree
    same_rest = Description(filters=False).of(a) == Description(filters=False).of(b)
    return same_rest and Description().of(a) != Description().of(b)


def _text(tree: exp.Expr, rules: Rules) -> str:
    return write(tree, rules)


def _differences(a: exp.Expr, b: exp.Expr, rules: Rules) -> tuple[Difference, ...]:
    mine, theirs = _parts(a, rules), _parts(b, rules)
    found = []
    for part in mine:
        left, right = mine[part], theirs[part]
        if sorted(left) != sorted(right) or (part == "order" and left != right):
            only_first = tuple(item for item in left if item not in right)
            only_second = tuple(item for item in right if item not in left)
            found.append(Difference(part=part, only_first=only_first, only_second=only_second))
    return tuple(found)


def _parts(tree: exp.Expr, rules: Rules) -> dict[str, list[str]]:
    """Each part of a query as texts, those of nested queries included; aliases replaced by what they name."""
    tree = tree.copy()
    _without_aliases(tree)
    selects = list(tree.find_all(exp.Select))
    tables = [t for t in tree.find_all(exp.Table) if isinstance(t.this, exp.Identifier)]
    conditions = [join.args["on"] for join in tree.find_all(exp.Join) if join.args.get("on") is not None]
    filters = [s.args[name].this for s in selects for name in ("where", "having", "qualify") if s.args.get(name)]
    groups = [s.args["group"] for s in selects if s.args.get("group") is not None]
    orders = [order for order in tree.find_all(exp.Order) if not isinstance(order.parent, exp.Window)]
    limits = list(tree.find_all(exp.Limit, exp.Fetch))
    return {
        "columns": _texts((item for s in selects for item in s.expressions), rules),
        "tables": sorted({table.name.lower() for table in tables}),
        "joins": _texts((part for on in conditions for part in conjuncts(on)), rules),
        "filters": _texts((part for item in filters for part in conjuncts(item)), rules),
        "grouping": _texts((key for group in groups for key in group.expressions), rules),
        "order": _texts((key for order in orders for key in order.expressions), rules),
        "limit": _texts(limits, rules),
    }


def _texts(nodes: Iterable[exp.Expr], rules: Rules) -> list[str]:
    return [write(node, rules).strip() for node in nodes]


def _without_aliases(tree: exp.Expr) -> None:
    """Names relations by their tables where that is unambiguous, and drops the names of select items."""
    tables = [t for t in tree.find_all(exp.Table) if isinstance(t.this, exp.Identifier)]
    named = {t.alias.lower(): t.name for t in tables if t.alias}
    single = {name for name in named.values() if list(named.values()).count(name) == 1}
    for column in tree.find_all(exp.Column):
        table = named.get(column.table.lower())
        if table in single:
            column.set("table", exp.to_identifier(table))
    for alias in list(tree.find_all(exp.Alias)):
        if isinstance(alias.parent, exp.Select):
            alias.replace(alias.this)
