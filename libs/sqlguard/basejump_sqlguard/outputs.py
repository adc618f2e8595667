"""What a SELECT gives to the query around it: names, origins, and which of them no two rows share."""

from __future__ import annotations

from sqlglot import exp

from basejump_sqlguard.dialects import Rules
from basejump_sqlguard.proof import Refused
from basejump_sqlguard.sources import Field, Findings, Output, Scope
from basejump_sqlguard.trees import nodes


def output_of_select(node: exp.Select, scope: Scope, findings: Findings, rules: Rules) -> Output:
    """The fields of a resolved SELECT in order."""
    fields = [Field(projection_name(item, rules), findings.origin(item.unalias())) for item in node.expressions]
    is_open = any(item.is_star for item in node.expressions) or node.args.get("kind") is not None
    if rules.name == "duckdb":
        is_open = is_open or any(item.find(exp.Columns) for item in node.expressions)
    elif rules.name == "tsql":
        is_open = is_open or node.args.get("for_") is not None
    return Output(fields, _unique(node, scope, findings, fields), is_open)


def projection_name(item: exp.Expr, rules: Rules) -> str:
    """The name the database gives to a select item ("" where it gives none that can be referred to)."""
    if isinstance(item, exp.Alias):
        return rules.key(item.args["alias"])
    if isinstance(item, (exp.Column, exp.Dot)):
        return item.name
    return _implicit_name(item) if rules.columns_of_functions else ""


def _implicit_name(item: exp.Expr) -> str:
    """PostgreSQL names a bare expression after its function, type or inner column."""
    if isinstance(item, exp.Cast):
        inner = _implicit_name(item.this) if not isinstance(item.this, exp.Column) else item.this.name
        return inner if inner not in ("", "?column?") else item.to.sql("postgres").split("(")[0].lower()
    if isinstance(item, (exp.Window, exp.Filter, exp.WithinGroup, exp.IgnoreNulls)):
        return _implicit_name(item.this)
    if isinstance(item, exp.Anonymous):
        return str(item.name).lower()
    if isinstance(item, exp.Case):
        return "case"
    if isinstance(item, exp.Subquery) and isinstance(item.this, exp.Select) and item.this.expressions:
        return str(item.this.expressions[0].alias_or_name)
    if isinstance(item, exp.Func) and not isinstance(item, exp.Binary):
        return str(item.sql_name()).lower()
    return "?column?"


def _unique(node: exp.Select, scope: Scope, findings: Findings, fields: list[Field]) -> tuple[frozenset[str], ...]:
    names = frozenset(item.name for item in fields)
    found: list[frozenset[str]] = [frozenset()] if _single_row(node) else []
    if node.args.get("distinct"):
        found.append(names)
    group = node.args.get("group")
    if group is not None:
        found += _group_key(node, group, fields)
    elif len(scope.sources) == 1 and not _has_aggregate(node):
        found += _passed_on(node, scope, findings, fields)
    return tuple(found)


def _single_row(node: exp.Select) -> bool:
    limit = node.args.get("limit")
    one = isinstance(limit, exp.Limit) and limit.expression.name == "1"
    return one or (node.args.get("group") is None and _has_aggregate(node)) or not node.args.get("from_")


def _has_aggregate(node: exp.Select) -> bool:
    return any(is_aggregated(item) for item in node.expressions)


def is_aggregated(item: exp.Expr) -> bool:
    """Whether an aggregate, not a window function, is computed in this very expression."""
    own = item.find_ancestor(exp.Subquery, exp.Select) if item.parent else None
    return any(
        not isinstance(found.parent, exp.Window) and found.find_ancestor(exp.Subquery, exp.Select) is own
        for found in nodes(item)
        if isinstance(found, exp.AggFunc)
    )


def _group_key(node: exp.Select, group: exp.Expr, fields: list[Field]) -> list[frozenset[str]]:
    """GROUP BY a, b gives each (a, b) once, if both are among the select items."""
    if any(group.args.get(kind) for kind in ("rollup", "cube", "grouping_sets", "totals", "all")):
        return []
    names: set[str] = set()
    for key in group.expressions:
        index = position(key, node.expressions)
        if index is None:
            return []
        names.add(fields[index].name)
    return [frozenset(names)]


def position(key: exp.Expr, items: list[exp.Expr]) -> int | None:
    if isinstance(key, exp.Literal) and not key.is_string:
        place = int(key.name) if key.name.isdigit() else 0
        return place - 1 if 0 < place <= len(items) else None
    for index, item in enumerate(items):
        bare_alias = isinstance(key, exp.Column) and not key.table and item.alias == key.name
        if bare_alias or item.unalias() == key:
            return index
    return None


def _passed_on(node: exp.Select, scope: Scope, findings: Findings, fields: list[Field]) -> list[frozenset[str]]:
    """A key of the only source, when all of its columns are selected, is a key of the result."""
    renames: dict[str, str] = {}
    for item, given in zip(node.expressions, fields, strict=True):
        entry = findings.bound.get(id(item.unalias()))
        if entry is not None and entry[0] is scope.sources[0]:
            renames[entry[1].name] = given.name
    keys = scope.sources[0].unique
    return [frozenset(renames[name] for name in key) for key in keys if key <= renames.keys()]


def check_count(alias: exp.Expr | None, output: Output) -> None:
    """`AS t(a, b)` over a query that gives one column. Raises Refused."""
    names = len(alias.args.get("columns") or ()) if alias is not None else 0
    if names > len(output.fields) and not output.open:
        raise Refused("column_count", f"{names} names for the {len(output.fields)} columns of a query.")


def renamed(output: Output, alias: exp.Expr, rules: Rules) -> Output:
    """The output under `AS t(a, b)`: the first columns get these names."""
    columns = alias.args.get("columns")
    if not columns:
        return output
    names = [_alias_column(item, rules) for item in columns]
    fields = [
        Field(name, output.fields[index].origin if index < len(output.fields) else None)
        for index, name in enumerate(names)
    ]
    fields += output.fields[len(names) :]
    renames = {old.name: new.name for old, new in zip(output.fields, fields, strict=False)}
    unique = tuple(frozenset(renames.get(name, name) for name in key) for key in output.unique)
    return Output(fields, unique, output.open)


def _alias_column(item: exp.Expr, rules: Rules) -> str:
    """`AS t(a)` or `AS t(a int)`; writes the name as it is understood."""
    identifier = item if isinstance(item, exp.Identifier) else item.this
    name = rules.key(identifier)
    identifier.set("quoted", rules.identifier(name).args["quoted"])
    identifier.set("this", name)
    return name
