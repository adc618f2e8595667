"""Ways to hide a statement: what it is wrapped in, where in an expression it stands, how its words are set apart."""

from __future__ import annotations

from functools import cache

from sqlglot import Dialect
from sqlglot.errors import SqlglotError

from basejump_sqlguard import Proof, prove

PLACES = [
    "SELECT * FROM ({}) AS wrapped",
    "WITH wrapped AS ({}) SELECT * FROM wrapped",
    "WITH wrapped AS ({}) SELECT 1 AS one",
    "WITH a AS (SELECT 1 AS x), wrapped AS ({}) SELECT 1 AS one",
    "WITH a AS (WITH b AS ({}) SELECT 1 AS x FROM b) SELECT x FROM a",
    "({})",
    "({}) UNION ALL SELECT 1",
    "SELECT 1 UNION ALL ({})",
    "SELECT 1 UNION ALL {}",
    "{} UNION ALL SELECT 1",
    "SELECT ({}) AS one",
    "SELECT 1 + ({}) AS one",
    "SELECT COALESCE(({}), 1) AS one",
    "SELECT CAST(({}) AS INT) AS one",
    "SELECT CASE WHEN EXISTS ({}) THEN 1 END AS one",
    "SELECT CASE WHEN 1 = 1 THEN ({}) ELSE 0 END AS one",
    "SELECT CASE ({}) WHEN 1 THEN 2 END AS one",
    "SELECT MAX(({})) AS one FROM t",
    "SELECT COUNT(DISTINCT ({})) AS one FROM t",
    "SELECT SUM(x) OVER (PARTITION BY ({})) AS one FROM t",
    "SELECT SUM(x) OVER (ORDER BY ({})) AS one FROM t",
    "SELECT LAG(x, 1, ({})) OVER (ORDER BY x) AS one FROM t",
    "SELECT SUM(x) FILTER (WHERE ({}) = 1) AS one FROM t",
    "SELECT ARRAY[({})] AS one",
    "SELECT ARRAY({}) AS one",
    "SELECT [({})] AS one",
    "SELECT x FROM t WHERE EXISTS ({})",
    "SELECT x FROM t WHERE NOT EXISTS ({})",
    "SELECT x FROM t WHERE x IN ({})",
    "SELECT x FROM t WHERE x NOT IN (2, ({}))",
    "SELECT x FROM t WHERE x = ANY ({})",
    "SELECT x FROM t WHERE x BETWEEN ({}) AND 2",
    "SELECT x FROM t WHERE x LIKE ({})",
    "SELECT x FROM t WHERE (x, 1) = (({}), 1)",
    "SELECT x FROM t WHERE NOT (x > ({}) AND x < 3 OR x IS NULL)",
    "SELECT x FROM t GROUP BY x, ({})",
    "SELECT x FROM t GROUP BY x HAVING MAX(x) > ({})",
    "SELECT x FROM t ORDER BY ({})",
    "SELECT x FROM t ORDER BY CASE WHEN x > ({}) THEN 1 END",
    "SELECT x FROM t LIMIT ({})",
    "SELECT x FROM t ORDER BY x LIMIT 1 OFFSET ({})",
    "SELECT TOP (({})) x FROM t",
    "SELECT t.x FROM t JOIN u ON t.x = ({})",
    "SELECT t.x FROM t JOIN ({}) AS wrapped ON 1 = 1",
    "SELECT t.x FROM t, LATERAL ({}) AS wrapped",
    "SELECT t.x FROM t CROSS APPLY ({}) AS wrapped",
    "SELECT x FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY x) = ({})",
    "SELECT SUM(x) OVER w AS one FROM t WINDOW w AS (ORDER BY ({}))",
    "SELECT x FROM (VALUES (({}))) AS v (x)",
    "VALUES (({}))",
    "/* harmless */ {} -- harmless",
    "-- harmless\n{}",
    "{};",
    ";{}",
]
"""Where a query may stand. Not every dialect has each: `places_of` gives those that it has."""

STACKS = ["SELECT 1; {}", "{}; SELECT 1", "BEGIN; {}; COMMIT", "EXPLAIN {}", "EXPLAIN ANALYZE {}", "SELECT 1\n{}"]
"""Always refused, whatever is in them."""

SEPARATORS = [" ", "\n", "\t", "  ", " /* x */ ", "/**/", "\r\n", "\f", "\u00a0", "\u2003", "\u3000", " -- x\n"]


@cache
def places_of(dialect: str) -> tuple[str, ...]:
    """The places where a harmless query is proved, so that it isn't the place that is refused."""
    harmless = "SELECT 1 AS x"
    return tuple(place for place in PLACES if isinstance(prove(place.replace("{}", harmless), dialect, None), Proof))


def set_apart(sql: str, dialect: str, separator: str) -> str:
    """The statement with `separator` between any two of its words; as it is when that would change its words."""
    tokens = _tokens(sql, dialect)
    if not tokens or any(token.comments for token in tokens) or "/*" in sql:
        return sql
    apart = separator.join(sql[token.start : token.end + 1] for token in tokens)
    again = _tokens(apart, dialect)
    same = again is not None and [(t.token_type, t.text) for t in again] == [(t.token_type, t.text) for t in tokens]
    return apart if same else sql


def _tokens(sql: str, dialect: str):  # type: ignore[no-untyped-def]  # the class is sqlglot's compiled one
    try:
        return Dialect.get_or_raise(dialect).tokenize(sql)
    except SqlglotError:
        return None
