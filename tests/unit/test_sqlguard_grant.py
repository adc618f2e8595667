"""Nobody reaches a table or a column that isn't granted, by any route that a dialect has.

The statements are in `sqlguard_grant/`: those of `every_dialect.txt` are tried in each. `employees.password` and
`payroll` are what they try to reach, or to compare, or to sort by.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from basejump_sqlguard import DIALECTS, Catalog, CatalogColumn, CatalogTable, Proof, Refusal, prove

FOLDER = Path(__file__).parents[1] / "sqlguard_grant"
ROUTES = [(dialect, file) for dialect in DIALECTS for file in ("every_dialect", dialect)]


@cache
def catalog_of(dialect: str) -> Catalog:
    upper = dialect == "snowflake"
    schema = "" if dialect == "sqlite" else _spelled("hr", upper=upper)
    tables = [
        _table(
            schema, "employees", "id:int4 name:text salary:numeric password:text! doc:json tags:text[]", upper=upper
        ),
        _table(schema, "departments", "did:int4 title:text employee_id:int4", upper=upper),
        _table(schema, "payroll", "id:int4 amount:numeric", upper=upper, ignored=True),
    ]
    return Catalog(tables, (schema,) if schema else ())


def _table(schema: str, name: str, columns: str, *, upper: bool, ignored: bool = False) -> CatalogTable:
    made = []
    for item in columns.split():
        column, _, kind = item.partition(":")
        is_ignored = kind.endswith("!")
        made.append(CatalogColumn(name=_spelled(column, upper=upper), type=kind.rstrip("!"), ignored=is_ignored))
    return CatalogTable(schema=schema, name=_spelled(name, upper=upper), columns=tuple(made), ignored=ignored)


def _spelled(name: str, *, upper: bool) -> str:
    return name.upper() if upper else name


@pytest.mark.parametrize(("dialect", "file"), ROUTES)
def test_no_route_leads_to_what_is_not_granted(dialect: str, file: str) -> None:
    wrong = []
    for sql in (FOLDER / f"{file}.txt").read_text().splitlines():
        outcome = prove(sql, dialect, catalog_of(dialect))
        if isinstance(outcome, Proof) or outcome.code == "unprovable":
            wrong.append((sql, outcome))
    assert not wrong


STARS = """
SELECT * FROM employees
SELECT e.* FROM employees e
SELECT * FROM employees e JOIN departments d ON e.id = d.employee_id
SELECT * FROM (SELECT * FROM employees) x
WITH x AS (SELECT * FROM employees) SELECT * FROM x
SELECT count(*) FROM employees
SELECT name FROM employees WHERE EXISTS (SELECT * FROM employees)
SELECT title AS password FROM departments ORDER BY 1
""".strip().splitlines()


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("sql", STARS)
def test_a_star_is_what_is_granted(dialect: str, sql: str) -> None:
    outcome = prove(sql, dialect, catalog_of(dialect))
    assert isinstance(outcome, Proof), outcome
    assert all(column.column.lower() != "password" for column in outcome.columns)
    assert "employees.password" not in outcome.sql.lower()


MISREAD = """
SELECT "name" FROM employees
SELECT id FROM employees WHERE "name" = 'x'
SELECT name AS n, sum(salary) AS "total" FROM employees GROUP BY n ORDER BY "total"
SELECT (SELECT "name" FROM departments LIMIT 1) FROM employees
""".strip().splitlines()


@pytest.mark.parametrize("sql", MISREAD)
def test_a_column_in_double_quotes_is_no_text_in_mysql(sql: str) -> None:
    outcome = prove(sql, "mysql", catalog_of("mysql"))
    assert isinstance(outcome, Refusal)
    assert outcome.code == "ambiguous_quotes"
    assert outcome.suggestions in (("`name`", "'name'"), ("`total`", "'total'"))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name || ' ' || title FROM employees, departments",
        "SELECT name || title FROM employees, departments",
        "SELECT id FROM employees WHERE name = 'a' || 'b'",
    ],
)
def test_texts_are_joined_by_concat_in_mysql(sql: str) -> None:
    outcome = prove(sql, "mysql", catalog_of("mysql"))
    assert isinstance(outcome, Refusal)
    assert outcome.suggestions == ("CONCAT",)


@pytest.mark.parametrize(
    "sql",
    [
        'SELECT name FROM employees WHERE name = "France" OR id = 3',
        'SELECT name FROM employees e WHERE e.name IN ("a", "b") OR name LIKE "%x%"',
        'SELECT name AS "name", concat(name, "x") FROM employees',
        "SELECT name FROM employees WHERE id = 1 || id = 2",
    ],
)
def test_what_mysql_reads_as_it_was_meant_is_proved(sql: str) -> None:
    assert isinstance(prove(sql, "mysql", catalog_of("mysql")), Proof)


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("redshift", r"SELECT 'a\'; DROP TABLE t; --'"),
        ("mysql", "SELECT * FROM a FULL JOIN b ON a.id = b.id"),
        ("postgres", "SELECT a FROM t QUALIFY row_number() OVER () = 1"),
        ("sqlite", "SELECT * FROM t AS x (a)"),
    ],
)
def test_what_could_be_read_or_written_in_two_ways_is_refused(dialect: str, sql: str) -> None:
    assert isinstance(prove(sql, dialect, None), Refusal)


def test_a_quote_in_a_text_is_doubled_where_a_backslash_might_not_escape() -> None:
    outcome = prove(r"SELECT 'it\'s' AS a", "redshift", None)
    assert isinstance(outcome, Proof)
    assert outcome.sql == "SELECT 'it''s' AS a LIMIT 10000"
