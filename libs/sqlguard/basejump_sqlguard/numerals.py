"""Numbers as people write them: `1_000_000`, `0xFF`, `0o17`. sqlglot reads some of these as two words, or as bits."""

from __future__ import annotations

import re

from sqlglot.tokenizer_core import Token, TokenType

from basejump_sqlguard.proof import Refused

_INTEGERS = frozenset({"postgres", "sqlite"})
"""Dialects where `0xFF`, `0o17` and `0b11` are integers; elsewhere they are bytes or bits, or nothing."""

_UNUSUAL = re.compile(r"(?<![\w$.])[0-9]\w*[A-Za-z_]")
_WRITTEN = re.compile(r"\w+")
_GROUPED = re.compile(r"[0-9]+(_[0-9]+)+")
_BASED = re.compile(r"0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+")
_DECIMAL = re.compile(r"[0-9]+([eE][0-9]*)?")
_NUMBERS = (TokenType.NUMBER, TokenType.HEX_STRING, TokenType.BIT_STRING)


def read_numerals(sql: str, tokens: list[Token], dialect: str) -> list[Token]:
    """The tokens with one NUMBER for each number. Raises Refused for a number that runs on into a word."""
    if _UNUSUAL.search(sql) is None:
        return tokens
    read: list[Token] = []
    end = -1
    for token in tokens:
        if token.start <= end:
            continue
        number = _number(sql, token, dialect)
        read.append(token if number is None else number)
        end = end if number is None else number.end
    return read


def _number(sql: str, token: Token, dialect: str) -> Token | None:
    """The one number that begins at this token, where sqlglot would read something else."""
    if token.token_type not in _NUMBERS or not sql[token.start].isdigit():
        return None
    written = _WRITTEN.match(sql, token.start)
    assert written is not None
    word = written.group()
    if _GROUPED.fullmatch(word):
        value = word.replace("_", "")
    elif _BASED.fullmatch(word) and dialect in _INTEGERS:
        value = str(int(word.replace("_", ""), 0))
    elif _BASED.fullmatch(word) and dialect == "mysql":
        value = word  # bytes, which may stand for a number; in MariaDB x'41' may not
    elif token.token_type != TokenType.NUMBER or _DECIMAL.fullmatch(word) or dialect in ("tsql", "snowflake"):
        return None
    else:
        raise Refused("syntax", f"{word[:40]} isn't a number.", where=word[:40])
    return Token(TokenType.NUMBER, value, token.line, token.col, token.start, written.end() - 1, token.comments)
