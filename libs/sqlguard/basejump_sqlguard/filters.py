"""Filters: what each condition compares, and the text values that somebody has to look up in the data."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from basejump_sqlguard.catalog import CatalogColumn, CatalogTable
from basejump_sqlguard.dialects import Rules
from basejump_sqlguard.equalities import conjuncts
from basejump_sqlguard.faithful import write
from basejump_sqlguard.proof import FilterProof, Refused, TextLiteral, not_looked_up
from basejump_sqlguard.sources import Findings, Scope
from basejump_sqlguard.trees import children, is_leaf

_TEXT_TYPES = ("char", "text", "string", "clob", "enum")
_INTEGERS = frozenset(["int2", "int4", "int8", "integer", "bigint", "smallint", "serial", "bigserial", "int"])
_NUMBERS = _INTEGERS | {"numeric", "decimal", "real", "double precision", "float4", "float8"}
_NUMBERS_OF_MYSQL = frozenset(
    ["tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double", "year"]
)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Like, exp.ILike, exp.In)
_ORDERED = (exp.GT, exp.GTE, exp.LT, exp.LTE)
_COMPARED = _COMPARISONS + _ORDERED
_NEGATING = (exp.Not, exp.NEQ, exp.NullSafeNEQ)

Literals = dict[TextLiteral, None]
"""In the order in which they were found, each once."""


def prove_filters(findings: Findings, rules: Rules) -> tuple[tuple[FilterProof, ...], tuple[TextLiteral, ...]]:
    """Every condition of every SELECT, and every comparison of a text column with a text, wherever it is."""
    filters: list[FilterProof] = []
    literals: dict[TextLiteral, None] = {}
    for scope in findings.scopes:
        conditions = list(_conditions(scope))
        everywhere, within = _literals(scope.node, conditions, findings, rules)
        filters += [_filter(condition, within[id(condition)], rules) for condition in conditions]
        literals.update(everywhere)
    return tuple(filters), tuple(literals)


def _conditions(scope: Scope) -> Iterator[exp.Expr]:
    for name in ("where", "having", "qualify"):
        clause = scope.node.args.get(name)
        if clause is not None:
            yield from conjuncts(clause.this)


def _filter(condition: exp.Expr, literals: Literals, rules: Rules) -> FilterProof:
    values = [literal for literal in literals if not literal.pattern]
    why = not_looked_up(values) if values else "Compares proved columns with values of their kind."
    return FilterProof(sql=write(condition, rules), literals=tuple(literals), proved=not values, why=why)


def _literals(
    root: exp.Expr, conditions: list[exp.Expr], findings: Findings, rules: Rules
) -> tuple[Literals, dict[int, Literals]]:
    """The comparisons of a SELECT itself, and those of each of its conditions; a nested SELECT lists its own."""
    everywhere: Literals = {}
    within: dict[int, Literals] = {id(condition): {} for condition in conditions}
    stack: list[tuple[exp.Expr, Literals, bool]] = [(root, {}, False)]
    while stack:
        node, condition, negated = stack.pop()
        condition = within.get(id(node), condition)
        negated ^= isinstance(node, _NEGATING) or bool(node.args.get("negate"))
        if isinstance(node, _COMPARED):
            found = dict.fromkeys(_compared(node, findings, rules, negated=negated))
            everywhere.update(found)
            condition.update(found)
        if not is_leaf(node):
            inner = [child for child in reversed(children(node)) if not isinstance(child, exp.Select)]
            stack += [(child, condition, negated) for child in inner]
    return everywhere, within


def _compared(node: exp.Expr, findings: Findings, rules: Rules, *, negated: bool) -> Iterator[TextLiteral]:
    for side, others in _sides(node):
        column, ignore_case = _column_of(side)
        origin = findings.origin(column)
        if origin is None:
            continue
        for value in others:
            text = _text(value)
            if text is None:
                if column is side:
                    _check_number(origin, value, rules)
                continue
            if column is side:
                _check_kind(origin, text, rules)
            if is_text(origin[1]) and _can_be_looked_up(node):
                yield TextLiteral(
                    schema=origin[0].schema,
                    table=origin[0].name,
                    column=origin[1].name,
                    value=text,
                    ignore_case=ignore_case or isinstance(node, exp.ILike),
                    pattern=_is_pattern(node, text),
                    negated=negated,
                )


def _sides(node: exp.Expr) -> Iterator[tuple[exp.Expr, list[exp.Expr]]]:
    """Each side of a comparison with the values it is compared with."""
    if isinstance(node, exp.In):
        yield node.this, node.expressions
        return
    left, right = node.this, node.args["expression"]
    yield left, _values(right)
    if not isinstance(node, (exp.Like, exp.ILike)):
        yield right, _values(left)


def _values(node: exp.Expr) -> list[exp.Expr]:
    """A value, or those of ANY (ARRAY[…])."""
    if isinstance(node, (exp.Any, exp.All)):
        inner = node.this.unnest()
        return list(inner.expressions) if isinstance(inner, (exp.Array, exp.Tuple)) else []
    return [node]


def _column_of(node: exp.Expr) -> tuple[exp.Expr, bool]:
    """The column under LOWER, UPPER, TRIM, casts to text and parentheses; and whether case was taken away."""
    ignore_case = False
    while isinstance(node, (exp.Lower, exp.Upper, exp.Trim, exp.Paren, exp.Cast, exp.Collate)):
        ignore_case = ignore_case or isinstance(node, (exp.Lower, exp.Upper))
        node = node.this
    return node, ignore_case


def _text(node: exp.Expr) -> str | None:
    while isinstance(node, (exp.Paren, exp.Lower, exp.Upper, exp.Cast)):
        node = node.this
    if isinstance(node, exp.Literal):
        return str(node.this) if node.is_string else None
    return str(node.this) if isinstance(node, (exp.RawString, exp.National)) else None


def is_text(column: CatalogColumn) -> bool:
    kind = column.type.lower()
    return any(part in kind for part in _TEXT_TYPES)


def _can_be_looked_up(node: exp.Expr) -> bool:
    """Bounds needn't be in the data; a pattern with an escape character of its own is left to the database."""
    return not isinstance(node, _ORDERED) and not isinstance(node.parent, exp.Escape)


def _is_pattern(node: exp.Expr, text: str) -> bool:
    return isinstance(node, (exp.Like, exp.ILike)) and ("%" in text or "_" in text)


def _check_kind(origin: tuple[CatalogTable, CatalogColumn], text: str, rules: Rules) -> None:
    """A number compared with a text: PostgreSQL reads that as a number, or fails; MySQL reads 0 where it is none."""
    table, column = origin
    kind = column.type.lower().split("(")[0].split(" unsigned")[0].strip()
    numbers = _NUMBERS_OF_MYSQL if rules.name == "mysql" else _NUMBERS
    if rules.name not in ("postgres", "redshift", "mysql") or kind not in numbers or _is_number(text):
        return
    raise Refused("type_mismatch", f"{table.name}.{column.name} is {kind}; '{text}' isn't a number.", where=f"'{text}'")


def _check_number(origin: tuple[CatalogTable, CatalogColumn], value: exp.Expr, rules: Rules) -> None:
    """A text compared with a number: MySQL reads every text as a number, as 0 where it is none; others fail."""
    table, column = origin
    number = value.this if isinstance(value, exp.Neg) else value.unnest()
    if rules.name == "mysql" and is_text(column) and isinstance(number, exp.Literal) and not number.is_string:
        why = f"{table.name}.{column.name} is {column.type}: write '{number.this}' in quotes."
        raise Refused("type_mismatch", why, where=str(number.this))


def _is_number(text: str) -> bool:
    try:
        float(text.strip())
    except ValueError:
        return False
    return True
