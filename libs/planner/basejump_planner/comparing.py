"""Columns compared with constants, as sqlglot expressions; what "after 2005" means for a date."""

from __future__ import annotations

import datetime

from sqlglot import exp

from basejump_planner.joining import Unsure
from basejump_planner.linking import ColumnRef
from basejump_planner.naming import is_time
from basejump_planner.query import Test
from basejump_planner.reading import Constant

COMPARISONS = {"=": exp.EQ, "<>": exp.NEQ, ">": exp.GT, ">=": exp.GTE, "<": exp.LT, "<=": exp.LTE}


def literal(constant: Constant) -> exp.Expr:
    """A constant as SQL; dates are cast, so that their type is never guessed."""
    if constant.kind == "number":
        return exp.Literal.number(constant.text)
    if constant.kind == "truth":
        return exp.Boolean(this=constant.text == "true")
    text = exp.Literal.string(constant.text)
    return exp.cast(text, "date") if constant.kind == "date" else text


def among(column: exp.Column, test: Test) -> exp.Expr:
    """`column IN (…)`, or its negation."""
    values = [literal(constant) for constant in dict.fromkeys(test.constants)]
    if len(values) == 1:
        return (exp.NEQ if test.negated else exp.EQ)(this=column, expression=values[0])
    found = exp.In(this=column, expressions=values)
    return exp.Not(this=found) if test.negated else found


def between(ref: ColumnRef, column: exp.Column, low: Constant, high: Constant) -> exp.Expr:
    """Both ends included; a day counts to its end."""
    if not is_time(ref.column):
        return exp.Between(this=column, low=literal(low), high=literal(high))
    return exp.and_(
        compared(ref, column.copy(), ">=", low),
        compared(ref, column.copy(), "<=", high),
    )


def compared(ref: ColumnRef, column: exp.Column, operator: str, constant: Constant) -> exp.Expr:
    """A comparison; of times, with the whole day or year that the constant names."""
    if not is_time(ref.column):
        return COMPARISONS[operator](this=column, expression=literal(constant))
    first, after = _period(constant)
    start, end = literal(Constant("date", first)), literal(Constant("date", after))
    match operator:
        case ">":
            return exp.GTE(this=column, expression=end)
        case ">=":
            return exp.GTE(this=column, expression=start)
        case "<":
            return exp.LT(this=column, expression=start)
        case "<=":
            return exp.LT(this=column, expression=end)
        case "=":
            return exp.and_(exp.GTE(this=column, expression=start), exp.LT(this=column.copy(), expression=end))
    return exp.or_(exp.LT(this=column, expression=start), exp.GTE(this=column.copy(), expression=end))


def _period(constant: Constant) -> tuple[str, str]:
    """The first day of a date or year, and the first day after it."""
    try:
        if constant.kind == "number":
            year = int(constant.text)
            return f"{year:04d}-01-01", f"{year + 1:04d}-01-01"
        year, month, day = (int(part) for part in constant.text.split("-"))
        date = datetime.date(year, month, day)
        return date.isoformat(), (date + datetime.timedelta(days=1)).isoformat()
    except (ValueError, OverflowError) as error:
        raise Unsure(f"“{constant.text}” isn't a date") from error
