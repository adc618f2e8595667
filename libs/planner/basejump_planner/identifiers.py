"""Names as PostgreSQL reads them back unchanged."""

from __future__ import annotations

import re

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres

from basejump_planner.vocabulary import words_in

_PLAIN = re.compile(r"^[a-z_][a-z0-9_]*$")
# What PostgreSQL reserves (appendix C of its manual), and what sqlglot reads as a keyword: more quotes do no harm.
_RESERVED = frozenset(word.lower() for word in Postgres.Tokenizer.KEYWORDS) | words_in(
    "all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create"
    " current_date default deferrable desc distinct do else end except false fetch for foreign from grant group having"
    " in initially intersect into lateral leading limit localtime not null offset on only or order placing primary"
    " references returning select session_user some symmetric table then to trailing true union unique user using"
    " variadic when where window with authorization binary collation concurrently cross freeze full ilike inner is"
    " isnull join left like natural notnull outer overlaps right similar verbose tablesample year date time timestamp"
    " interval current_user current_time current_role current_catalog current_timestamp localtimestamp system_user"
)


def identifier(name: str) -> exp.Identifier:
    """A name, quoted when PostgreSQL would read it differently otherwise."""
    return exp.to_identifier(name, quoted=not _PLAIN.match(name) or name in _RESERVED)
