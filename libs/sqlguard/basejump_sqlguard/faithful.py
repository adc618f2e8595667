"""Parsers and generators that leave what they needn't understand as it is written.

sqlglot turns functions into a common form and back into the dialect's, which is meant for translating and isn't
always faithful: `to_char(d, '%a')` comes back with another format. On the engines that queries really run on, only
what the proof has to understand (aggregates, a few others) becomes a typed node; the rest stays a call by name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sqlglot import Dialect, exp
from sqlglot.errors import ErrorLevel, UnsupportedError
from sqlglot.generator import Generator
from sqlglot.parser import Parser
from sqlglot.tokenizer_core import TokenType

from basejump_sqlguard.dialects import Rules
from basejump_sqlguard.proof import Refused

_KEPT = frozenset({"COALESCE", "LOWER", "UPPER", "UNNEST", "ARRAY", "COUNT_BIG"})
# Their first argument is a unit and not a column.
_WITH_UNITS: dict[str, tuple[str, ...]] = {
    "postgres": (),
    "sqlite": (),
    "mysql": ("TIMESTAMPDIFF", "TIMESTAMPADD"),
    "redshift": ("DATEDIFF", "DATE_DIFF", "DATEADD", "DATE_ADD"),
    "tsql": ("DATEDIFF", "DATEDIFF_BIG", "DATEADD", "DATENAME", "DATETRUNC", "DATE_BUCKET"),
}
# Windows need their functions typed.
_WINDOWS = frozenset(
    {"FIRST_VALUE", "LAST_VALUE", "NTH_VALUE", "LAG", "LEAD", "ROW_NUMBER", "RANK", "DENSE_RANK", "NTILE"}
)


@lru_cache
def parser_of(name: str) -> type[Parser]:
    """The parser for a dialect."""
    base = Dialect.get_or_raise(name).parser_class
    units = _WITH_UNITS.get(name)
    if units is None:
        return base
    kept = {key: build for key, build in base.FUNCTIONS.items() if _is_understood(key, build)}
    kept |= {key: _with_unit(key) for key in units}
    # Each would come back under another name, and with another name for its column.
    for key in ("VARIANCE", "APPROX_COUNT_DISTINCT"):
        kept.pop(key, None)
    parsers = {key: parse for key, parse in base.FUNCTION_PARSERS.items() if (name, key) != ("postgres", "DATE_PART")}
    arrows = {TokenType.ARROW: _arrow(exp.JSONExtract), TokenType.DARROW: _arrow(exp.JSONExtractScalar)}
    # MariaDB has the functions and not the operators.
    calls = {TokenType.ARROW: _extracted(unquoted=False), TokenType.DARROW: _extracted(unquoted=True)}
    json_operators = {**base.JSON_OPERATORS, **(arrows if name == "postgres" else {})}
    column_operators = {**base.COLUMN_OPERATORS, **(calls if name == "mysql" else {})}

    class Faithful(base):  # type: ignore[valid-type, misc]  # the base is only known when it runs
        FUNCTIONS = kept
        FUNCTION_PARSERS = parsers
        JSON_OPERATORS = json_operators
        COLUMN_OPERATORS = column_operators

    return Faithful


@lru_cache
def _generator_of(name: str) -> type[Generator]:
    """The generator for a dialect."""
    base = Dialect.get_or_raise(name).generator_class
    if name == "redshift":
        return _doubling(base)
    if name != "mysql":
        return base

    class Faithful(base):  # type: ignore[valid-type, misc]  # the base is only known when it runs
        # MariaDB has the operator and not the function that sqlglot would write.
        TRANSFORMS = base.TRANSFORMS | {exp.RegexpLike: lambda self, node: self.binary(node, "REGEXP")}

    return Faithful


def _doubling(base: type[Generator]) -> type[Generator]:
    """Two quotes are one quote however the server's settings read a backslash."""

    class Faithful(base):  # type: ignore[valid-type, misc]  # the base is only known when it runs
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self._escaped_quote_end = "''"

    return Faithful


def write(node: exp.Expr, rules: Rules, *, last: bool = False) -> str:
    """A tree, or a part of one, as SQL without comments. `last`: nothing else is read from it than what was written,
    so that it needn't be copied; writing may rearrange it. Raises Refused for what the dialect has no words for:
    sqlglot would leave it out."""
    generator = _generator_of(rules.name)(
        dialect=rules.dialect, comments=False, normalize_functions="lower", unsupported_level=ErrorLevel.RAISE
    )
    try:
        return generator.generate(node, copy=not last)
    except UnsupportedError as error:
        what = str(error).split("\n", 1)[0].rstrip(".")[:160]
        raise Refused("unsupported_syntax", f"{rules.name} can't say that: {what}.") from error


def _is_understood(name: str, build: Callable[..., object]) -> bool:
    kind = getattr(build, "__self__", None) or exp.FUNCTION_BY_NAME.get(name)
    aggregate = isinstance(kind, type) and issubclass(kind, exp.AggFunc)
    return aggregate or name in _KEPT or name in _WINDOWS


def _with_unit(name: str) -> Callable[[list[exp.Expr]], exp.Expr]:
    def build(args: list[exp.Expr]) -> exp.Expr:
        unit = args[0] if args else None
        if isinstance(unit, exp.Column) and len(unit.parts) == 1:
            args = [exp.Var(this=unit.name), *args[1:]]
        return exp.Anonymous(this=name, expressions=args)

    return build


def _arrow(kind: type[exp.Expression]) -> Callable[[Parser, exp.Expr, exp.Expr], exp.Expr]:
    """`json -> key` with the key as written; sqlglot would read it as a JSON path and drop an empty one."""

    def build(parser: Parser, this: exp.Expr, key: exp.Expr) -> exp.Expr:
        return parser.expression(kind(this=this, expression=key, only_json_types=True))

    return build


def _extracted(*, unquoted: bool) -> Callable[[Parser, exp.Expr, exp.Expr], exp.Expr]:
    """`json -> path` and `json ->> path` as the calls that they stand for."""

    def build(parser: Parser, this: exp.Expr, path: exp.Expr) -> exp.Expr:
        value = parser.expression(exp.Anonymous(this="JSON_EXTRACT", expressions=[this, path]))
        return parser.expression(exp.Anonymous(this="JSON_UNQUOTE", expressions=[value])) if unquoted else value

    return build
