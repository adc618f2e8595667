"""What MySQL and BigQuery read otherwise than whoever wrote it may have meant: proved as the database reads it, it
would run and answer another question."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from basejump_sqlguard.dialects import Rules
from basejump_sqlguard.filters import is_text
from basejump_sqlguard.parse import Parsed
from basejump_sqlguard.proof import Refused
from basejump_sqlguard.sources import Findings, Scope
from basejump_sqlguard.trees import children


def check_readings(parsed: Parsed, findings: Findings) -> None:
    """Raises Refused for a column in double quotes and for texts joined by `||`, with how to write them."""
    if parsed.quoted:
        for scope in findings.scopes:
            _check_quotes(scope, parsed.quoted)
    if parsed.rules.name == "mysql":
        for scope in findings.scopes:
            for node in _own(scope.node):
                if isinstance(node, exp.Or):
                    _check_pipes(node, findings, parsed.rules)


def _check_quotes(scope: Scope, quoted: frozenset[str]) -> None:
    for node in _own(scope.node):
        if isinstance(node, exp.Literal) and node.is_string and str(node.this).lower() in quoted:
            name = str(node.this)
            if name.lower() in scope.aliases or any(s.find(name) for level in scope.chain() for s in level.sources):
                reason = (
                    f"\"{name}\" is a text here and no column: write `{name}` for the column, '{name}' for the text."
                )
                raise Refused("ambiguous_quotes", reason, f'"{name}"', (f"`{name}`", f"'{name}'"))


def _check_pipes(node: exp.Or, findings: Findings, rules: Rules) -> None:
    operands = [item.unnest() for item in (node.this, node.expression)]
    if any(_is_text(item, findings) for item in operands):
        where = node.sql(rules.dialect, comments=False)[:120]
        reason = "|| and OR ask whether either is true, and texts aren't: write CONCAT(…) to join them."
        raise Refused("type_mismatch", reason, where, ("CONCAT",))


def _is_text(node: exp.Expr, findings: Findings) -> bool:
    if isinstance(node, exp.Literal):
        return node.is_string
    origin = findings.origin(node)
    return origin is not None and is_text(origin[1])


def _own(root: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes of one SELECT without those of the queries in it."""
    stack = children(root)
    while stack:
        node = stack.pop()
        yield node
        stack += [child for child in children(node) if not isinstance(child, exp.Select)]
