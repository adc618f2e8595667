"""From the proved tree to the text that runs, and a last look at that text."""

from __future__ import annotations

from collections import Counter

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from basejump_sqlguard.dialects import Rules
from basejump_sqlguard.faithful import write
from basejump_sqlguard.parse import called_words, parse
from basejump_sqlguard.proof import Policy, Refused
from basejump_sqlguard.shapes import aliases_with_columns, check_calls
from basejump_sqlguard.trees import nodes

_QUOTES = frozenset("'\"`\\$")
_TEXTS = frozenset(kind for kind in TokenType if kind.name.endswith("STRING") or kind == TokenType.IDENTIFIER)


def regenerate(tree: exp.Expr, rules: Rules, policy: Policy) -> str:
    """The tree in its dialect without comments; refused if writing it made another function or statement.

    The tree is used up: sqlglot rearranges what a dialect can't say otherwise."""
    proved = nodes(tree)
    aliases = aliases_with_columns(proved)
    sql = write(tree, rules, last=True)
    try:
        tokens = rules.dialect.tokenize(sql)
    except SqlglotError as error:
        raise Refused("unprovable", "The proved query can't be written out again.") from error
    if any(token.comments or token.token_type == TokenType.SEMICOLON for token in tokens):
        raise Refused("unprovable", "The proved query can't be written out as one statement.")
    check_calls(called_words(tokens), aliases, rules, policy)
    if any(token.token_type in _TEXTS and not _QUOTES.isdisjoint(token.text) for token in tokens):
        _check_reach(proved, sql, rules)
    return sql


def _check_reach(proved: list[exp.Expr], sql: str, rules: Rules) -> None:
    """A text with quotes in it must have stayed a text: what runs names nothing that the tree doesn't."""
    try:
        again = parse(sql, rules.name).tree
    except Refused as refused:
        raise Refused("unprovable", "A text of the query can't be written out again.") from refused
    if not _reach(nodes(again)) <= _reach(proved):
        raise Refused("unprovable", "A text of the query would change the query.")


def _reach(found: list[exp.Expr]) -> Counter[str]:
    names = (node for node in found if isinstance(node, (exp.Identifier, exp.Query, exp.Join)))
    return Counter(str(node.this) if isinstance(node, exp.Identifier) else node.key for node in names)
