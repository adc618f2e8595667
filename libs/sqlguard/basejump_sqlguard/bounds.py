"""A bound on the rows of the outermost query, in the dialect's own way, without changing what it means."""

from __future__ import annotations

from sqlglot import exp

from basejump_sqlguard.outputs import position
from basejump_sqlguard.proof import Refused

_BOUNDED = "bounded"


def bound_rows(tree: exp.Expr, row_limit: int, dialect: str) -> tuple[exp.Expr, int]:
    """The tree with a limit of at most `row_limit` rows, and the limit it now has."""
    limit = tree.args.get("limit")
    if isinstance(tree, exp.Pivot) or (dialect == "tsql" and isinstance(tree, exp.SetOperation)):
        return _wrapped(tree, row_limit), row_limit
    if limit is None or _is_no_limit(limit):
        tree.set("limit", exp.Limit(expression=exp.Literal.number(row_limit)))
        return tree, row_limit
    count_name = "count" if isinstance(limit, exp.Fetch) else "expression"
    count = limit.args.get(count_name)
    rows = 1 if count is None and isinstance(limit, exp.Fetch) else _number(count)
    if _is_relative(limit) and _outer_keys(tree) is None:
        return tree, row_limit  # whoever runs it stops after so many rows
    if rows is None or _is_relative(limit):
        return _wrapped(tree, row_limit), row_limit
    if rows > row_limit:
        limit.set(count_name, exp.Literal.number(row_limit))
    return tree, min(rows, row_limit)


def _is_no_limit(limit: exp.Expr) -> bool:
    if not isinstance(limit, exp.Limit) or limit.args.get("offset") or _is_relative(limit):
        return False
    return limit.is_limit_all or isinstance(limit.expression, exp.Null)


def _is_relative(limit: exp.Expr) -> bool:
    """PERCENT and WITH TIES: how many rows that is depends on the data. (LIMIT BY of other dialects too.)"""
    options = limit.args.get("limit_options")
    relative = options is not None and (options.args.get("percent") or options.args.get("with_ties"))
    return bool(relative or limit.args.get("expressions"))


def _number(count: exp.Expr | None) -> int | None:
    value = count.this if isinstance(count, exp.Paren) else count
    if isinstance(value, exp.Literal) and not value.is_string and str(value.this).isdigit():
        return int(value.this)
    return None


def _wrapped(tree: exp.Expr, row_limit: int) -> exp.Select:
    """The same rows read through an outer query that has the limit and repeats the order."""
    keys = _outer_keys(tree)
    if keys is None:
        raise Refused("limit_not_a_number", "Such a limit needs an ORDER BY of selected columns; write a plain number.")
    alias = exp.TableAlias(this=exp.to_identifier(_BOUNDED))
    outer = exp.Select(
        expressions=_outer_items(tree),
        from_=exp.From(this=exp.Subquery(this=tree, alias=alias)),
        limit=exp.Limit(expression=exp.Literal.number(row_limit)),
    )
    if keys:
        outer.set("order", exp.Order(expressions=keys))
    if isinstance(tree, exp.Query) and tree.args.get("with_") is not None:
        outer.set("with_", tree.args["with_"].pop())
    if not _is_relative(tree.args.get("limit") or exp.Limit()) and tree.args.get("limit") is None:
        tree.set("order", None)
    return outer


def _outer_items(tree: exp.Expr) -> list[exp.Expr]:
    """The columns of the inner query by name, or `*` where one has no name of its own."""
    names = [item.alias_or_name for item in tree.selects] if isinstance(tree, exp.Query) else []
    if not all(names) or "*" in names or len(set(names)) != len(names):
        return [exp.Star()]
    return [_outer_column(name) for name in names]


def _outer_column(name: str) -> exp.Expr:
    return exp.Column(this=exp.to_identifier(name, quoted=True), table=exp.to_identifier(_BOUNDED))


def _order_of(tree: exp.Expr) -> list[exp.Expr]:
    order = tree.args.get("order")
    return list(order.expressions) if order is not None else []


def _outer_keys(tree: exp.Expr) -> list[exp.Expr] | None:
    """The order as an outer query can say it; None when it can't."""
    keys = [_outer_key(item, tree) for item in _order_of(tree)]
    found = [key for key in keys if key is not None]
    return found if len(found) == len(keys) else None


def _outer_key(ordered: exp.Expr, tree: exp.Expr) -> exp.Expr | None:
    """The sort key by the name of the column that it is; None when the query doesn't give it."""
    items = tree.selects if isinstance(tree, exp.Query) else []
    key = ordered.this
    index = position(key, items)
    if index is None and isinstance(tree, exp.SetOperation) and isinstance(key, exp.Column):
        index = next((place for place, item in enumerate(items) if item.alias_or_name == key.name), None)
    name = items[index].alias_or_name if index is not None else ""
    if not name or sum(item.alias_or_name == name for item in items) != 1:
        return None
    outer = ordered.copy()
    outer.set("this", _outer_column(name))
    return outer
