"""From text to one syntax tree, or a refusal. Looks at the words of the text as well as at the tree: what a
database would run as a function is what is written before a parenthesis, whatever the parser made of it."""

from __future__ import annotations

import logging
from collections import Counter
from itertools import pairwise

from sqlglot import Dialect, exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from basejump_sqlguard.dialects import DIALECTS, Rules, rules_of
from basejump_sqlguard.faithful import parser_of
from basejump_sqlguard.hints import drop_harmless_hints
from basejump_sqlguard.numerals import read_numerals
from basejump_sqlguard.proof import Refused
from basejump_sqlguard.words import TSQL_STATEMENTS

MAX_LENGTH = 50_000
"""Characters; a longer statement isn't a question's answer, and parsing is linear in this."""

QUERIES = (exp.Select, exp.SetOperation, exp.Subquery, exp.Values)


# sqlglot reads `SELECT , a` as `SELECT a`; no database does.
_OPENING = frozenset({TokenType.SELECT, TokenType.DISTINCT, TokenType.COMMA, TokenType.L_PAREN, TokenType.FROM})

_VALUES = frozenset(kind for kind in TokenType if kind.name.endswith("STRING") or kind == TokenType.NUMBER)

# Where sqlglot gives up it logs the statement, which may hold what a person typed.
logging.getLogger("sqlglot").setLevel(logging.ERROR)


class Parsed:
    """One statement: its tree, how often each word calls something, and its texts in double quotes (lower case)."""

    __slots__ = ("calls", "quoted", "rules", "tree")

    def __init__(
        self, tree: exp.Expr, calls: Counter[tuple[str, bool]], rules: Rules, quoted: frozenset[str] = frozenset()
    ) -> None:
        self.tree = tree
        self.calls = calls
        self.rules = rules
        self.quoted = quoted


def parse(sql: str, dialect: str) -> Parsed:
    """The one query in `sql`; raises Refused for anything else."""
    rules = rules_of(dialect)
    if rules is None:
        known = ", ".join(DIALECTS)
        raise Refused("unsupported_dialect", f"SQL for {dialect[:40]!r} can't be proved, only for: {known}.")
    if len(sql) > MAX_LENGTH:
        raise Refused("too_long", f"The statement has {len(sql)} characters; at most {MAX_LENGTH} are allowed.")
    if "\0" in sql:
        raise Refused("syntax", "The statement contains a NUL character.")
    tokens = _tokens(sql, rules)
    tree = _one_query(sql, tokens, rules)
    calls = called_words(tokens)
    drop_harmless_hints(tree, calls, rules)
    return Parsed(tree, calls, rules, _double_quoted(sql, tokens))


def _double_quoted(sql: str, tokens: list[Token]) -> frozenset[str]:
    if '"' not in sql:
        return frozenset()
    return frozenset(t.text.lower() for t in tokens if t.token_type == TokenType.STRING and sql[t.start] == '"')


def _tokens(sql: str, rules: Rules) -> list[Token]:
    try:
        tokens = rules.dialect.tokenize(sql)
    except SqlglotError as error:
        raise Refused("syntax", "The statement can't be read.", where=_first_line(error)) from error
    if "$" in sql:
        _check_dollars(sql, tokens)
    if rules.name == "redshift" and "\\'" in sql:
        _check_backslashes(sql, tokens)
    if any(a.token_type in _OPENING and b.token_type == TokenType.COMMA for a, b in pairwise(tokens)):
        raise Refused("syntax", "The statement isn't valid SQL: a comma has nothing before it.")
    if not tokens:
        _check_comment(sql.strip().removeprefix("/*"))
    for token in tokens:
        if token.comments:
            for comment in token.comments:
                _check_comment(comment)
            if token.token_type != TokenType.HINT:
                token.comments = []  # some of them would change what sqlglot reads
        if rules.name == "tsql" and _starts_statement(token):
            raise Refused("multiple_statements", f"{token.text.upper()} starts another statement.", token.text)
    return read_numerals(sql, tokens, rules.name)


def _check_dollars(sql: str, tokens: list[Token]) -> None:
    """`$1a$ … $1a$` is a parameter and no text: what is between the dollars is a name."""
    for token in tokens:
        if (
            sql[token.start] == "$"
            and sql[token.start + 1 : token.start + 2].isdigit()
            and "STR" in token.token_type.name
        ):
            raise Refused("parameter", "Parameters have no value here.", sql[token.start : token.start + 2])


def _check_backslashes(sql: str, tokens: list[Token]) -> None:
    """Whether a backslash escapes the quote after it is a setting there: read both ways it has to be the same."""
    try:
        otherwise = Dialect.get_or_raise("postgres").tokenize(sql)
    except SqlglotError:
        return
    if [token.start for token in otherwise] != [token.start for token in tokens]:
        raise Refused("syntax", "A backslash before a quote can be read in two ways; write two quotes.", where="\\'")


def _check_comment(comment: str) -> None:
    if comment.lstrip().lower().startswith(("!", "m!")):
        raise Refused("executable_comment", "The statement hides code in a comment.", comment.strip()[:80])


def _starts_statement(token: Token) -> bool:
    return token.text.upper() in TSQL_STATEMENTS and token.token_type not in (
        TokenType.IDENTIFIER,
        TokenType.STRING,
        TokenType.NATIONAL_STRING,
    )


def _one_query(sql: str, tokens: list[Token], rules: Rules) -> exp.Expr:
    try:
        statements = [
            tree for tree in parser_of(rules.name)(dialect=rules.dialect).parse(tokens, sql) if tree is not None
        ]
    except ParseError as error:
        raise _syntax(error) from error
    except SqlglotError as error:
        raise Refused("syntax", "The statement can't be read.", where=_first_line(error)) from error
    if not statements:
        raise Refused("empty", "There is no statement.")
    if len(statements) > 1:
        raise Refused("multiple_statements", f"There are {len(statements)} statements; exactly one may run.")
    tree = statements[0]
    if isinstance(tree, exp.Pivot) and isinstance(tree.this, (exp.Table, exp.Subquery)):
        return tree
    if not isinstance(tree, QUERIES):
        words = " ".join(sql.split()[:2])[:40]
        raise Refused("not_a_query", f"{words} isn't a query; only SELECT may run.", where=words)
    return tree


def _syntax(error: ParseError) -> Refused:
    detail = error.errors[0] if error.errors else {}
    place = "".join(str(detail.get(part) or "") for part in ("start_context", "highlight", "end_context"))
    what = str(detail.get("description") or "it can't be parsed").rstrip(".")
    where = f"line {detail.get('line')}, column {detail.get('col')}: {place[-120:]}" if place else None
    return Refused("syntax", f"The statement isn't valid SQL: {what}.", where=where)


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0][:160]


def called_words(tokens: list[Token]) -> Counter[tuple[str, bool]]:
    """The words that stand right before a parenthesis as (word, quoted), with how often they do."""
    calls: Counter[tuple[str, bool]] = Counter()
    for token, following in pairwise(tokens):
        if following.token_type != TokenType.L_PAREN:
            continue
        quoted = token.token_type == TokenType.IDENTIFIER
        text = token.text
        if quoted or (text and (text[0].isalpha() or text[0] in "_@#$") and token.token_type not in _VALUES):
            # A token may be several words, as GROUP BY and GROUPING SETS are.
            calls[text if quoted else text.split()[-1], quoted] += 1
    return calls
