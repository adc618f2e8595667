"""What differs between two queries; the same query over another schema."""

from __future__ import annotations

import pytest

from basejump_sqlguard import Refused, compare, differs_only_in_filters, rename_schema

BASE = (
    "SELECT e.name, d.name FROM employees e JOIN departments d ON e.department_id = d.id "
    "WHERE e.salary > 10 AND d.id = 1"
)


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        (BASE.replace(" ", "\n").upper().lower() + " -- same", "identical"),
        (BASE.replace("e.", "x.").replace("employees e", "employees x"), "equivalent"),
        (BASE.replace("e.salary > 10 AND d.id = 1", "1 = d.id AND 10 < e.salary"), "equivalent"),
        (BASE.replace("SELECT e.name,", "SELECT e.name AS who,"), "equivalent"),
        (BASE.replace("d.id = 1", "d.id = 2"), "similar"),
        (BASE + " ORDER BY 1 LIMIT 5", "similar"),
        (BASE.replace("SELECT e.name,", "SELECT e.salary,"), "similar"),
        (BASE.replace("departments", "locations"), "different"),
        ("SELECT 1", "different"),
    ],
)
def test_two_queries_are_compared(other: str, verdict: str) -> None:
    assert compare(BASE, other, "postgres").verdict == verdict


def test_a_comparison_names_the_parts_that_differ() -> None:
    differences = compare(BASE, BASE.replace("d.id = 1", "d.id = 2") + " LIMIT 3", "postgres").differences
    assert [(d.part, d.only_first, d.only_second) for d in differences] == [
        ("filters", ("departments.id = 1",), ("departments.id = 2",)),
        ("limit", (), ("LIMIT 3",)),
    ]


@pytest.mark.parametrize(
    ("other", "only_filters"),
    [
        (BASE.replace("10", "20"), True),
        (BASE.partition(" WHERE")[0], True),
        (BASE + " AND e.name LIKE 'A%'", True),
        (BASE, False),
        (BASE.replace("SELECT e.name,", "SELECT e.salary,").replace("10", "20"), False),
        (BASE + " LIMIT 3", False),
    ],
)
def test_a_difference_in_filters_alone_is_told(other: str, only_filters: bool) -> None:
    assert differs_only_in_filters(BASE, other, "postgres") is only_filters


@pytest.mark.parametrize(
    ("sql", "renamed"),
    [
        ("SELECT name FROM hr_eu.employees", "SELECT name FROM hr_us.employees"),
        ("SELECT hr_eu.employees.name FROM hr_eu.employees", "SELECT hr_us.employees.name FROM hr_us.employees"),
        ("SELECT 'hr_eu' FROM other.hr_eu AS hr_eu", "SELECT 'hr_eu' FROM other.hr_eu AS hr_eu"),
        ("WITH q AS (SELECT 1 FROM HR_EU.t) SELECT * FROM q", "WITH q AS (SELECT 1 FROM hr_us.t) SELECT * FROM q"),
        ("SELECT hr_eu.grade(x) FROM other.t", "SELECT hr_us.grade(x) FROM other.t"),
        ('SELECT 1 FROM "HR_EU".t', 'SELECT 1 FROM "HR_EU".t'),
    ],
)
def test_a_schema_is_renamed_where_it_is_a_schema(sql: str, renamed: str) -> None:
    assert rename_schema(sql, "postgres", {"hr_eu": "hr_us"}) == renamed


def test_a_new_schema_name_is_quoted_when_it_has_to_be() -> None:
    assert rename_schema("SELECT 1 FROM a.t", "postgres", {"a": 'x"; DROP'}) == 'SELECT 1 FROM "x""; DROP".t'


def test_what_is_no_query_is_not_compared() -> None:
    with pytest.raises(Refused):
        compare(BASE, "DELETE FROM employees", "postgres")
    with pytest.raises(Refused):
        rename_schema("DROP TABLE a.t", "postgres", {"a": "b"})
