"""Which columns of a statement are counts or sums, so that adding up their rows means something."""

import sqlglot
from sqlglot import exp

_DEEPEST = 50
_WRAPPERS = (exp.Alias, exp.Paren, exp.Cast, exp.Round, exp.Neg, exp.Filter, exp.Coalesce)


def additive_columns(sql: str, dialect: str) -> frozenset[int]:
    """The places of those columns; what can't be told isn't one of them. Never raises for SQL that was proved."""
    try:
        tree = sqlglot.parse_one(sql, dialect=dialect)
    except sqlglot.errors.SqlglotError:
        return frozenset()
    if not isinstance(tree, exp.Select):
        return frozenset()
    items = enumerate(tree.expressions)
    return frozenset(place for place, item in items if _adds_up(item, tree, _DEEPEST))


def _adds_up(item: exp.Expr, select: exp.Select, depth: int) -> bool:
    if depth == 0 or _has_totals(select):
        return False
    match item:
        case exp.Sum() | exp.Count():
            return not isinstance(item.this, exp.Distinct)
        case exp.CountIf():
            return True
        case exp.Coalesce() if not all(isinstance(other, exp.Literal) for other in item.expressions):
            return False
        case exp.Column():
            return _passed_on(item, select, depth)
        case exp.Add() | exp.Sub():
            return all(_adds_up(side, select, depth - 1) for side in (item.left, item.right))
        case exp.Mul() if isinstance(item.left, exp.Literal):
            return _adds_up(item.right, select, depth - 1)
        case exp.Mul() | exp.Div():
            return isinstance(item.right, exp.Literal) and _adds_up(item.left, select, depth - 1)
        case _:
            return isinstance(item, _WRAPPERS) and _adds_up(item.this, select, depth - 1)


def _has_totals(select: exp.Select) -> bool:
    """ROLLUP and its kin put totals beside what they add up."""
    group = select.args.get("group")
    return group is not None and (
        group.find(exp.Rollup, exp.Cube, exp.GroupingSets) is not None or bool(group.args.get("totals"))
    )


def _passed_on(column: exp.Column, select: exp.Select, depth: int) -> bool:
    """A column of the only relation, a nested query, that adds up there."""
    if select.args.get("group") is not None or select.args.get("joins"):
        return False
    inner = _only_source(select)
    if inner is None:
        return False
    found = [item for item in inner.expressions if item.alias_or_name == column.name]
    return len(found) == 1 and _adds_up(found[0], inner, depth - 1)


def _only_source(select: exp.Select) -> exp.Select | None:
    clause = select.args.get("from_")
    source = clause.this if clause is not None else None
    if isinstance(source, exp.Subquery):
        return source.this if isinstance(source.this, exp.Select) else None
    if not isinstance(source, exp.Table) or source.db:
        return None
    named = [cte.this for cte in select.ctes if cte.alias == source.name]
    return named[0] if len(named) == 1 and isinstance(named[0], exp.Select) else None
