"""Hints that only choose a plan, or a way of reading that the read-only transaction decides, are left out of what
runs; a hint that locks, sets a variable or isn't known is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sqlglot import exp

from basejump_sqlguard.dialects import Rules
from basejump_sqlguard.proof import Refused
from basejump_sqlguard.trees import nodes

_DIALECTS = ("tsql", "mysql", "sqlite")

_OPTIMIZER = """
BKA BNL DERIVED_CONDITION_PUSHDOWN GROUP_INDEX HASH_JOIN INDEX INDEX_MERGE JOIN_FIXED_ORDER JOIN_INDEX JOIN_ORDER
JOIN_PREFIX JOIN_SUFFIX MAX_EXECUTION_TIME MERGE MRR NO_BKA NO_BNL NO_DERIVED_CONDITION_PUSHDOWN NO_GROUP_INDEX
NO_HASH_JOIN NO_ICP NO_INDEX NO_INDEX_MERGE NO_JOIN_INDEX NO_MERGE NO_MRR NO_ORDER_INDEX NO_RANGE_OPTIMIZATION
NO_SEMIJOIN NO_SKIP_SCAN ORDER_INDEX QB_NAME SEMIJOIN SKIP_SCAN SUBQUERY
"""
_MODIFIERS = """
HIGH_PRIORITY STRAIGHT_JOIN SQL_SMALL_RESULT SQL_BIG_RESULT SQL_BUFFER_RESULT SQL_NO_CACHE SQL_CACHE
SQL_CALC_FOUND_ROWS
"""
_HARMLESS = frozenset((_OPTIMIZER + _MODIFIERS).split())
_HARMLESS_ON_TABLES = frozenset({"NOLOCK", "READUNCOMMITTED", "READCOMMITTED", "READPAST", "NOEXPAND", "FORCESEEK"})
# These stay: one says how deep a recursion may go, the others ask for a plan.
_OPTIONS = frozenset({"MAXRECURSION", "RECOMPILE", "FORCE ORDER", "HASH JOIN", "MERGE JOIN", "LOOP JOIN"})


def drop_harmless_hints(tree: exp.Expr, calls: Counter[tuple[str, bool]], rules: Rules) -> None:
    """Leaves hints out in place, and out of `calls`, where some look like calls. Raises Refused."""
    if rules.name not in _DIALECTS:
        return
    for node in [item for item in nodes(tree) if isinstance(item, (exp.Table, exp.Select, exp.SetOperation))]:
        for name, known, code, word in _hints(node):
            if word.upper() not in known:
                raise Refused(code, f"The hint {word[:40]} isn't allowed.", where=word[:40])
            if name == "hint":
                calls[word, False] -= 1
            elif name == "hints" and isinstance(node.this, exp.Identifier):
                calls[node.name, bool(node.this.args.get("quoted"))] -= 1  # written as `t (NOLOCK)`, perhaps
        for name in ("hint", "operation_modifiers", "hints", "indexed"):
            if node.args.get(name) is not None:
                node.set(name, None)


def _hints(node: exp.Expr) -> Iterator[tuple[str, frozenset[str], str, str]]:
    """Each hint of a node: the argument it is, what is harmless there, the refusal's code, its word."""
    hint = node.args.get("hint")
    for item in hint.expressions if hint is not None else ():
        yield "hint", _HARMLESS, "hint", item.name
    for item in node.args.get("operation_modifiers") or ():
        yield "operation_modifiers", _HARMLESS, "hint", item.name
    for item in node.args.get("options") or ():
        yield "options", _OPTIONS, "hint", item.name
    for table_hint in node.args.get("hints") or ():
        if not isinstance(table_hint, exp.IndexTableHint):
            for item in table_hint.expressions:
                yield "hints", _HARMLESS_ON_TABLES, "locking_clause", item.name
