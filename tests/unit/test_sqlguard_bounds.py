"""Every query has a bound on its rows, and still means the same."""

from __future__ import annotations

import pytest

from basejump_sqlguard import DIALECTS, Policy
from sqlguard_world import proved

LIMIT = Policy(row_limit=100)
FROM = "SELECT departments.name FROM hr.departments"
WRAPPED = "SELECT * FROM ({}) AS bounded"


@pytest.mark.parametrize(
    ("tail", "becomes", "limit"),
    [
        ("", " LIMIT 100", 100),
        ("LIMIT 5", " LIMIT 5", 5),
        ("LIMIT 0", " LIMIT 0", 0),
        ("LIMIT 5000", " LIMIT 100", 100),
        ("LIMIT 5000 OFFSET 7", " LIMIT 100 OFFSET 7", 100),
        ("OFFSET 7", " LIMIT 100 OFFSET 7", 100),
        ("LIMIT ALL", " LIMIT 100", 100),
        ("LIMIT NULL OFFSET 5", " LIMIT 100 OFFSET 5", 100),
        ("FETCH FIRST 5 ROWS ONLY", " FETCH FIRST 5 ROWS ONLY", 5),
        ("FETCH FIRST 5000 ROWS ONLY", " FETCH FIRST 100 ROWS ONLY", 100),
        ("ORDER BY budget", " ORDER BY departments.budget LIMIT 100", 100),
    ],
)
def test_a_limit_is_added_or_lowered(tail: str, becomes: str, limit: int) -> None:
    proof = proved(f"SELECT name FROM departments {tail}", policy=LIMIT)
    assert proof.sql == FROM + becomes
    assert proof.limit == limit


@pytest.mark.parametrize("tail", ["LIMIT 1 + 1", "LIMIT (SELECT 5)", "LIMIT -1", "LIMIT 1e9", "LIMIT '5'"])
def test_a_limit_that_is_no_number_gets_one_around_it(tail: str) -> None:
    assert proved(f"SELECT name FROM departments {tail}", policy=LIMIT).sql.endswith(" AS bounded LIMIT 100")


def test_ties_are_bounded_from_outside_in_the_same_order() -> None:
    sql = "SELECT name, budget AS b FROM departments ORDER BY b DESC FETCH FIRST 3 ROWS WITH TIES"
    proof = proved(sql, policy=LIMIT)
    assert proof.sql.endswith('WITH TIES) AS bounded ORDER BY bounded."b" DESC LIMIT 100')
    hidden_order = "SELECT name FROM departments ORDER BY budget FETCH FIRST 3 ROWS WITH TIES"
    assert proved(hidden_order, policy=LIMIT).sql.endswith("ORDER BY departments.budget FETCH FIRST 3 ROWS WITH TIES")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM departments UNION ALL SELECT name FROM employees",
        "(SELECT name FROM departments) EXCEPT (SELECT name FROM employees LIMIT 5)",
        "VALUES (1), (2)",
        "WITH q AS (SELECT 1) SELECT * FROM q",
        "(SELECT name FROM departments)",
    ],
)
def test_every_kind_of_query_is_bounded_as_a_whole(sql: str) -> None:
    assert proved(sql, policy=LIMIT).sql.endswith("LIMIT 100")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_has_its_own_way(dialect: str) -> None:
    for sql in ("SELECT a FROM t", "SELECT a FROM t ORDER BY a", "SELECT a FROM t UNION ALL SELECT b FROM t"):
        bounded = proved(sql, dialect, None, LIMIT).sql
        assert "100" in bounded
        assert ("TOP" in bounded or "FETCH" in bounded) == (dialect == "tsql")
        again = proved(bounded, dialect, None, LIMIT)
        assert again.limit == 100
