"""Walking syntax trees: lists instead of sqlglot's generators within generators, since a proof looks at every node
several times."""

from __future__ import annotations

from sqlglot import exp


def children(node: exp.Expr) -> list[exp.Expr]:
    """The nodes right below, in the order in which they are kept."""
    found: list[exp.Expr] = []
    for value in node.args.values():
        if isinstance(value, exp.Expr):
            found.append(value)
        elif isinstance(value, list):
            found += [item for item in value if isinstance(item, exp.Expr)]
    return found


def is_leaf(node: exp.Expr) -> bool:
    """Whether there is nothing below but a name: most nodes of a query are such."""
    if isinstance(node, exp.Column):
        return isinstance(node.this, exp.Identifier)
    return isinstance(node, (exp.Literal, exp.Identifier))


def nodes(root: exp.Expr) -> list[exp.Expr]:
    """The node and all below it, level by level."""
    found = [root]
    for node in found:  # which grows meanwhile
        for value in node.args.values():
            if isinstance(value, exp.Expr):
                found.append(value)
            elif isinstance(value, list):
                found += [item for item in value if isinstance(item, exp.Expr)]
    return found
