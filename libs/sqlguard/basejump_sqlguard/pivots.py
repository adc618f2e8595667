"""What PIVOT and UNPIVOT read, and the names that they give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from basejump_sqlguard.dialects import Rules
from basejump_sqlguard.proof import Refused
from basejump_sqlguard.sources import Source


def check_pivoted(sources: Sequence[Source]) -> None:
    """All columns that a pivot doesn't name come out of it, so none of them may be ignored. Raises Refused."""
    tables = [source.table for source in sources if source.table is not None]
    if any(column.ignored for table in tables for column in table.columns):
        raise Refused("unsupported_syntax", "PIVOT over a table with columns that aren't permitted.")


def named_by(pivot: exp.Expr, rules: Rules) -> list[exp.Expr]:
    """Names that a pivot gives: UNPIVOT's new columns; in T-SQL, values spelled as names of columns."""
    fields = pivot.args.get("fields") or ()
    if pivot.args.get("unpivot"):
        names = [name for item in (*pivot.expressions, *(field.this for field in fields)) for name in _each(item)]
    elif rules.name == "tsql":
        names = [item for field in fields for item in field.expressions]
    else:
        names = []
    return [item for item in names if isinstance(item, (exp.Column, exp.Identifier))]


def made_columns(pivot: exp.Expr) -> list[exp.Expr]:
    """The names of what comes out: those that are written, and those that sqlglot has worked out from the rest."""
    into = pivot.args.get("into")
    written = [into.this, *into.expressions] if into is not None else []
    return [*written, *(found for item in pivot.args.get("columns") or () for found in item.find_all(exp.Column))]


def _each(item: exp.Expr) -> Iterator[exp.Expr]:
    yield from item.expressions if isinstance(item, exp.Tuple) else [item]
