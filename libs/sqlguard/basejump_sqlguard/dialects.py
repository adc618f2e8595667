"""How each dialect reads names. A dialect that isn't in this table is refused altogether."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from sqlglot import Dialect, exp

from basejump_sqlguard.functions import Functions, functions_of
from basejump_sqlguard.words import RESERVED


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """`fold` is what an unquoted name becomes; `exact` is False where even quoted names ignore case;
    `aliases_anywhere`: a select alias may be used in WHERE, HAVING and later expressions;
    `structs`: `a.b` may be the field `b` of a column `a`; `self_recursion`: a CTE sees itself without
    RECURSIVE; `columns_of_functions`: the columns of table functions are known, others are refused."""

    name: str
    fold: str = "lower"
    exact: bool = True
    aliases_anywhere: bool = False
    structs: bool = False
    self_recursion: bool = False
    columns_of_functions: bool = False
    keywords: frozenset[str]
    functions: Functions

    @property
    def dialect(self) -> Dialect:
        return _dialect(self.name)

    def key(self, identifier: exp.Expr) -> str:
        """The name that an identifier stands for, before it is looked up."""
        name = str(identifier.this)
        if identifier.args.get("quoted"):
            return name
        if self.fold == "lower":
            return name.lower()
        return name.upper() if self.fold == "upper" else name

    def identifier(self, name: str) -> exp.Identifier:
        """The identifier that names exactly `name`, quoted when it has to be."""
        return exp.Identifier(this=name, quoted=not self._is_plain(name))

    def _is_plain(self, name: str) -> bool:
        if not name.isascii() or not name.isidentifier() or name.upper() in self.keywords:
            return False
        if not self.exact or self.fold == "none":
            return True
        return name == (name.lower() if self.fold == "lower" else name.upper())


_SHAPES: dict[str, dict[str, str | bool]] = {
    "postgres": {"columns_of_functions": True},
    "redshift": {"exact": False, "aliases_anywhere": True, "structs": True},
    "mysql": {"fold": "none", "exact": False, "aliases_anywhere": True},
    "tsql": {"fold": "none", "exact": False, "self_recursion": True},
    "snowflake": {"fold": "upper", "aliases_anywhere": True, "structs": True, "self_recursion": True},
    "bigquery": {"fold": "none", "exact": False, "aliases_anywhere": True, "structs": True},
    "duckdb": {"fold": "none", "exact": False, "aliases_anywhere": True, "structs": True},
    "sqlite": {"fold": "none", "exact": False, "aliases_anywhere": True},
}

DIALECTS = tuple(_SHAPES)


@lru_cache
def rules_of(dialect: str) -> Rules | None:
    """The rules of a dialect by sqlglot's name for it, or None: then nothing can be proved."""
    shape = _SHAPES.get(dialect)
    if shape is None:
        return None
    # RESERVED has all that these two reserve; the others reserve what their tokenizer knows.
    words = () if dialect in ("postgres", "redshift") else _dialect(dialect).tokenizer_class.KEYWORDS
    keywords = {word for word in words if word.isalpha()}
    return msgspec.convert(
        {
            "name": dialect,
            "keywords": RESERVED | {word.upper() for word in keywords},
            "functions": functions_of(dialect),
            **shape,
        },
        Rules,
    )


@lru_cache
def _dialect(name: str) -> Dialect:
    return Dialect.get_or_raise(name)
