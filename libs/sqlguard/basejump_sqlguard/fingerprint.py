"""One number for all the ways to write a query: formatting, aliases and literal values don't count."""

from __future__ import annotations

from hashlib import blake2b

from sqlglot import exp

_VALUES = (exp.Literal, exp.Boolean, exp.RawString, exp.National, exp.ByteString, exp.HexString, exp.BitString)
_SKIPPED = frozenset({"quoted", "nulls_first", "nested", "is_string"})


def fingerprint_of(tree: exp.Expr) -> str:
    """32 hexadecimal digits; the tree isn't changed."""
    parts: list[str] = []
    _describe(tree, _aliases(tree), parts)
    return blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()


def _aliases(tree: exp.Expr) -> dict[str, str]:
    """Every name that the query itself gives, numbered in the order it is given."""
    names: dict[str, str] = {}
    for node in tree.walk(bfs=False):
        if isinstance(node, exp.TableAlias):
            given = [node.this, *node.columns]
        elif isinstance(node, exp.Alias):
            given = [node.args["alias"]]
        else:
            continue
        for item in given:
            identifier = item if isinstance(item, exp.Identifier) or item is None else item.this
            if isinstance(identifier, exp.Identifier):
                names.setdefault(str(identifier.this).lower(), f"@{len(names)}")
    return names


def _describe(node: exp.Expr, names: dict[str, str], parts: list[str]) -> None:
    if isinstance(node, _VALUES):
        parts.append("?")
        return
    if isinstance(node, exp.Identifier):
        name = str(node.this).lower()
        parts.append(names.get(name, name))
        return
    if isinstance(node, exp.Paren) and not isinstance(node.this, exp.Binary):
        _describe(node.this, names, parts)
        return
    parts.append(node.key)
    for key in sorted(node.args):
        value = node.args[key]
        if key in _SKIPPED or value is None or value is False or value == []:
            continue
        parts.append(key)
        _describe_value(value, names, parts)
    parts.append(")")


def _describe_value(value: object, names: dict[str, str], parts: list[str]) -> None:
    if isinstance(value, exp.Expr):
        _describe(value, names, parts)
    elif isinstance(value, list):
        for item in value:
            _describe_value(item, names, parts)
    else:
        parts.append(str(value).lower())
