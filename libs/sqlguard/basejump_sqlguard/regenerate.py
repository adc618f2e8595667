"""From the proved tree to the text that runs, and a last look at that text."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.errors import SqlglotError

from basejump_sqlguard.dialects import Rules
from basejump_sqlguard.parse import called_words
from basejump_sqlguard.proof import Policy, Refused
from basejump_sqlguard.shapes import aliases_with_columns, check_calls


def regenerate(tree: exp.Expr, rules: Rules, policy: Policy) -> str:
    """The tree in its dialect without comments; refused if writing it made another function or statement."""
    sql = rules.dialect.generate(tree, comments=False, normalize_functions="lower", copy=False)
    try:
        tokens = rules.dialect.tokenize(sql)
    except SqlglotError as error:
        raise Refused("unprovable", "The proved query can't be written out again.") from error
    if any(token.comments or (token.text == ";" and token.token_type.name == "SEMICOLON") for token in tokens):
        raise Refused("unprovable", "The proved query can't be written out as one statement.")
    check_calls(called_words(tokens), aliases_with_columns(tree), rules, policy)
    return sql
