"""Properties that hold for any text, and for any query that is proved."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from basejump_sqlguard import DIALECTS, Policy, Proof, Refusal, fingerprint, prove
from soaking import times
from sqlguard_world import HOUSE, proved

_WORDS = """
SELECT FROM WHERE employees e.name e name id * count(*) ( ) , ; = 'a' "a" ` [ ] { } 1 -- /* */ AS WITH x UNION ALL JOIN
ON USING (id) GROUP BY ORDER LIMIT 5 VALUES LATERAL $$ $1 :: int E'\\' U&'a' NOT NULL IN EXISTS CASE WHEN THEN END
DISTINCT INTERVAL '1 day' OVER -> ->> @> OPERATOR ROW ARRAY [1] DELETE INTO FOR UPDATE ? : @ \\ % . ..
"""
WORDS = _WORDS.split()
fragments = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)


@pytest.mark.soak
@given(sql=st.one_of(st.text(max_size=80), fragments), dialect=st.sampled_from(DIALECTS))
@settings(max_examples=times(400, soak=20_000), deadline=None)
def test_no_text_makes_the_proof_raise(sql: str, dialect: str) -> None:
    for catalog in (HOUSE, None):
        assert isinstance(prove(sql, dialect, catalog), (Proof, Refusal))


columns = st.sampled_from(["e.id", "e.name", "d.name", "d.budget", "e.salary", "e.hired"])
texts = st.text(alphabet="ab'\"\\%$; -/*é\n`", max_size=8)


@st.composite
def queries(draw: st.DrawFn) -> str:
    """Queries over two tables, with any text as a value."""
    chosen = draw(st.lists(columns, min_size=1, max_size=4, unique=True))
    value = draw(texts).replace("'", "''")
    compared = draw(st.sampled_from(["e.name = ", "e.name <> ", "lower(d.name) = ", "e.name LIKE ", "e.name ~ "]))
    sql = f"SELECT {', '.join(chosen)} FROM employees e JOIN departments d ON e.department_id = d.id"
    sql += f" WHERE {compared}'{value}'"
    if draw(st.booleans()):
        sql += f" GROUP BY {', '.join(chosen)} HAVING count(*) > {draw(st.integers(0, 9))}"
    sql += f" ORDER BY {draw(st.integers(1, len(chosen)))}" if draw(st.booleans()) else ""
    if draw(st.booleans()):
        sql = f"WITH q AS ({sql}) SELECT * FROM q"
    sql += f" LIMIT {draw(st.integers(0, 10**6))}" if draw(st.booleans()) else ""
    return sql


@pytest.mark.soak
@given(sql=queries())
@settings(max_examples=times(200, soak=10_000), deadline=None)
def test_what_a_proof_says_to_run_proves_to_itself(sql: str) -> None:
    first = proved(sql)
    second = proved(first.sql)
    assert second.sql == first.sql
    assert second.fingerprint == first.fingerprint == fingerprint(first.sql, "postgres")
    assert set(second.literals) == set(first.literals)
    assert second.limit == first.limit <= Policy().row_limit


@pytest.mark.soak
@given(sql=queries())
@settings(max_examples=times(50, soak=2_500), deadline=None)
def test_a_proof_survives_json(sql: str) -> None:
    proof = proved(sql)
    assert msgspec.json.decode(msgspec.json.encode(proof), type=Proof | Refusal) == proof


@pytest.mark.soak
@given(value=texts, syntax=st.sampled_from(["'{}'", "E'{}'", "$${}$$", "$t${}$t$", "U&'{}'", "N'{}'"]))
@settings(max_examples=times(300, soak=15_000), deadline=None)
def test_no_text_value_becomes_part_of_the_query(value: str, syntax: str) -> None:
    quoted = value.replace("'", "''") if "'" in syntax else value
    result = prove(f"SELECT {syntax.replace('{}', quoted)} AS v", "postgres", HOUSE)
    if isinstance(result, Proof):
        again = proved(result.sql)
        assert again.fingerprint == result.fingerprint
        assert not again.tables


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("SELECT name FROM employees WHERE id = 1", "select  NAME\nfrom employees -- all\nwhere id=2"),
        ("SELECT e.name FROM employees e", "SELECT x.name FROM employees AS x"),
        ("SELECT count(*) AS n FROM employees ORDER BY n", "SELECT count(*) AS total FROM employees ORDER BY total"),
        ("WITH a AS (SELECT 1 AS x) SELECT a.x FROM a", "WITH b AS (SELECT 2 AS x) SELECT b.x FROM b"),
        ("SELECT 1 FROM t WHERE id IN (1, 2) AND name = 'a'", "SELECT 2 FROM t WHERE name='b' AND id IN (3, 4)"),
    ],
)  # fmt: skip
def test_a_fingerprint_ignores_formatting_aliases_and_values(first: str, second: str) -> None:
    assert fingerprint(first, "postgres") == fingerprint(second, "postgres")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("SELECT name FROM employees", "SELECT id FROM employees"),
        ("SELECT name FROM employees", "SELECT name FROM departments"),
        ("SELECT sum(id) FROM employees", "SELECT avg(id) FROM employees"),
        ("SELECT name FROM employees WHERE id > 1", "SELECT name FROM employees WHERE id < 1"),
        ("SELECT name FROM employees ORDER BY id", "SELECT name FROM employees ORDER BY id DESC"),
        ("SELECT DISTINCT name FROM employees", "SELECT name FROM employees"),
        ("SELECT a.id FROM employees a JOIN employees b ON a.id = b.manager_id",
         "SELECT b.id FROM employees a JOIN employees b ON a.id = b.manager_id"),
    ],
)  # fmt: skip
def test_a_fingerprint_tells_different_queries_apart(first: str, second: str) -> None:
    assert fingerprint(first, "postgres") != fingerprint(second, "postgres")
