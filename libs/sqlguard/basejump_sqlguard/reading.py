"""Parsers that leave function calls as they are written.

sqlglot turns functions into a common form and back into the dialect's, which is meant for translating and isn't
always faithful: `to_char(d, '%a')` comes back with another format. On the engines that queries really run on, only
what the proof has to understand (aggregates, a few others) becomes a typed node; the rest stays a call by name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from sqlglot import Dialect, exp
from sqlglot.parser import Parser
from sqlglot.tokenizer_core import TokenType

_KEPT = frozenset({"COALESCE", "LOWER", "UPPER", "UNNEST", "ARRAY"})
# Their first argument is a unit, which only sqlglot's own reading tells from a column.
_WITH_UNITS = frozenset({"TIMESTAMPDIFF", "TIMESTAMPADD"})
# Windows need their functions typed.
_WINDOWS = frozenset(
    {"FIRST_VALUE", "LAST_VALUE", "NTH_VALUE", "LAG", "LEAD", "ROW_NUMBER", "RANK", "DENSE_RANK", "NTILE"}
)


@lru_cache
def parser_of(name: str) -> type[Parser]:
    """The parser for a dialect."""
    base = Dialect.get_or_raise(name).parser_class
    if name not in ("postgres", "mysql"):
        return base
    kept = {key: build for key, build in base.FUNCTIONS.items() if _is_understood(key, build)}
    arrows = {TokenType.ARROW: _arrow(exp.JSONExtract), TokenType.DARROW: _arrow(exp.JSONExtractScalar)}
    operators = {**base.JSON_OPERATORS, **(arrows if name == "postgres" else {})}

    class Faithful(base):  # type: ignore[valid-type, misc]  # the base is only known when it runs
        FUNCTIONS = kept
        JSON_OPERATORS = operators

    return Faithful


def _is_understood(name: str, build: Callable[..., object]) -> bool:
    kind = getattr(build, "__self__", None) or exp.FUNCTION_BY_NAME.get(name)
    aggregate = isinstance(kind, type) and issubclass(kind, exp.AggFunc)
    return aggregate or name in _KEPT or name in _WITH_UNITS or name in _WINDOWS


def _arrow(kind: type[exp.Expression]) -> Callable[[Parser, exp.Expr, exp.Expr], exp.Expr]:
    """`json -> key` with the key as written; sqlglot would read it as a JSON path and drop an empty one."""

    def build(parser: Parser, this: exp.Expr, key: exp.Expr) -> exp.Expr:
        return parser.expression(kind(this=this, expression=key, only_json_types=True))

    return build
