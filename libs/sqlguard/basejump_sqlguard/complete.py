"""The floor under the passes: no table and no column stands anywhere in the tree that none of them has looked at."""

from __future__ import annotations

from sqlglot import exp

from basejump_sqlguard.proof import Refused
from basejump_sqlguard.sources import Findings
from basejump_sqlguard.trees import nodes


def check_complete(tree: exp.Expr, findings: Findings) -> None:
    """Raises Refused for a name in a place that the resolver doesn't know."""
    for node in nodes(tree):
        named = isinstance(node, exp.Column) or (isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier))
        if named and id(node) not in findings.settled:
            raise Refused("unsupported_syntax", f"{node.name} can't be proved there.", where=node.name)
