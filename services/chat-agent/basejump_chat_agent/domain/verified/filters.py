"""A verified statement with another value in its filter."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

import msgspec
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from basejump_chat_agent.domain.verified.matching import Apart
from basejump_chat_agent.domain.verified.wording import plain
from basejump_sqlguard import Refused, differs_only_in_filters

_COMPARING = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between)
# A function that sqlglot doesn't know may tell the time as well.
_TELLING_TIME = (
    exp.CurrentDate,
    exp.CurrentTimestamp,
    exp.CurrentTime,
    exp.CurrentDatetime,
    exp.Localtime,
    exp.Localtimestamp,
    exp.Rand,
    exp.Anonymous,
)


class Changed(msgspec.Struct, frozen=True):
    """A statement with another value, and the column that it compares it with; none for a count or a sum."""

    sql: str
    column: str | None


def with_value(sql: str, apart: Apart, dialect: str) -> Changed | None:
    """The statement that compares with what was asked in the place of what was verified.

    None unless the verified value stands in it once, is compared with a column, and that column with no other value
    besides: `>= '2020-01-01' and < '2020-01-02'` has a second value that was never said.
    """
    tree = _read(sql, dialect)
    literal = None if tree is None else _literal(tree, apart.verified)
    if tree is None or literal is None or not _compared_alone(tree, literal):
        return None
    value = apart.asked if literal.is_string else _number(apart.asked)
    if value is None:
        return None
    column = literal.parent.find(exp.Column) if literal.parent is not None else None
    literal.set("this", value)
    changed = tree.sql(dialect=dialect)
    if not _only_filtered_otherwise(sql, changed, dialect):
        return None
    return Changed(changed, None if column is None else column.name.lower())


def tells_time(sql: str, dialect: str) -> bool:
    """Whether the rows depend on when it runs, or on what can't be read."""
    tree = _read(sql, dialect)
    return tree is None or any(True for _ in tree.find_all(*_TELLING_TIME))


def _read(sql: str, dialect: str) -> exp.Expr | None:
    try:
        return sqlglot.parse_one(sql, read=dialect)
    except SqlglotError:
        return None


def _literal(tree: exp.Expr, said: str) -> exp.Literal | None:
    found = [literal for literal in tree.find_all(exp.Literal) if _is(literal, said)]
    return found[0] if len(found) == 1 else None


def _is(literal: exp.Literal, said: str) -> bool:
    if literal.is_string:
        return plain(literal.this) == plain(said)
    number = _number(said)
    return number is not None and number == _number(literal.this)


def _compared_alone(tree: exp.Expr, literal: exp.Literal) -> bool:
    comparison = literal.parent
    if not isinstance(comparison, _COMPARING):
        return False
    columns = _columns([comparison])
    others = [one for one in tree.find_all(exp.Predicate) if one is not comparison and _compares_a_value(one)]
    return bool(columns) and not columns & _columns(others)


def _columns(comparisons: Iterable[exp.Expr]) -> set[str]:
    return {column.name.lower() for one in comparisons for column in one.find_all(exp.Column, exp.Count)}


def _compares_a_value(node: exp.Expr) -> bool:
    return any(literal.parent is node for literal in node.find_all(exp.Literal))


def _number(text: str) -> str | None:
    try:
        return f"{Decimal(text.replace(',', '')).normalize():f}"
    except InvalidOperation:
        return None


def _only_filtered_otherwise(sql: str, changed: str, dialect: str) -> bool:
    try:
        return differs_only_in_filters(sql, changed, dialect)
    except Refused:
        return False
