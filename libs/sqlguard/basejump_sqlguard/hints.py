"""Table hints that only choose a plan, or an isolation that the read-only transaction decides: they are left out."""

from __future__ import annotations

from sqlglot import exp

from basejump_sqlguard.dialects import Rules

_HARMLESS = frozenset({"NOLOCK", "READUNCOMMITTED"})
_DIALECTS = ("tsql", "mysql")


def drop_harmless_hints(tree: exp.Expr, rules: Rules) -> None:
    """Every other hint stays, and is refused as a part of the tree."""
    if rules.name not in _DIALECTS:
        return
    for table in tree.find_all(exp.Table):
        hints = table.args.get("hints")
        if hints and all(_is_harmless(hint) for hint in hints):
            table.set("hints", None)


def _is_harmless(hint: exp.Expr) -> bool:
    if isinstance(hint, exp.IndexTableHint):
        return True
    return isinstance(hint, exp.WithTableHint) and all(item.name.upper() in _HARMLESS for item in hint.expressions)
