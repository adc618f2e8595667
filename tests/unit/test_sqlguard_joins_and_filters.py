"""Joins follow keys or are reported; fan-out is seen; text values are listed for a look in the data."""

from __future__ import annotations

import msgspec
import pytest

from basejump_sqlguard import Catalog, CatalogColumn, CatalogTable, LookUp, Proof, Refusal, TextLiteral, prove
from sqlguard_world import proved, refused, table


def test_a_join_along_a_declared_key_is_proved_and_names_the_key() -> None:
    (join,) = proved("SELECT 1 FROM employees e JOIN departments d ON d.id = e.department_id").joins
    assert join.proved
    assert join.why == "employees (department_id) references departments (id)."


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 FROM employees e, departments d WHERE e.department_id = d.id",
        "SELECT 1 FROM employees e LEFT JOIN employees m ON e.manager_id = m.id",
        "SELECT 1 FROM dependents d JOIN orders o ON d.employee_id = o.employee_id",
        "SELECT 1 FROM departments d, employees e, orders o WHERE o.employee_id = e.id AND e.department_id = d.id",
        "SELECT 1 FROM orders o, departments d, employees e WHERE o.employee_id = e.id AND e.department_id = d.id",
        "SELECT e.name FROM employees e JOIN (SELECT department_id, max(salary) AS top FROM employees "
        "GROUP BY department_id) m ON m.department_id = e.department_id AND m.top = e.salary",
        "WITH d AS (SELECT id AS n FROM departments) SELECT 1 FROM employees e JOIN d ON e.department_id = d.n",
        "SELECT 1 FROM employees CROSS JOIN (SELECT avg(salary) AS mean FROM employees) AS all_of_them",
        "SELECT 1 FROM employees e CROSS JOIN LATERAL generate_series(1, e.id) AS n",
    ],
)
def test_joins_that_follow_keys_in_any_form_are_proved(sql: str) -> None:
    assert all(join.proved for join in proved(sql).joins)


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT 1 FROM employees e JOIN departments d ON e.name = d.name", "No declared key"),
        ("SELECT 1 FROM employees e JOIN departments d ON e.id = d.id", "No declared key"),
        ("SELECT 1 FROM employees e JOIN departments d ON e.salary < d.budget", "aren't joined by an equality"),
        ("SELECT 1 FROM employees, departments", "every row of one meets every row of the other"),
        ("SELECT 1 FROM employees e CROSS JOIN departments d", "every row of one meets every row of the other"),
        ("SELECT 1 FROM employees e JOIN departments d ON true", "every row of one meets every row of the other"),
    ],
)
def test_other_joins_are_reported_with_a_sentence(sql: str, says: str) -> None:
    proof = proved(sql)
    assert not proof.fully_proved
    assert any(says in join.why for join in proof.joins if not join.proved)


def test_a_key_that_an_admin_wrote_is_followed_but_says_nothing_of_what_is_unique() -> None:
    def catalog(*, written: bool, key: tuple[str, ...] = ()) -> Catalog:
        city = table("city", "name people", key=key)
        person = table("person", "id town", references={"town": "city"})
        (to_city,) = person.foreign_keys
        to_name = msgspec.structs.replace(to_city, references_columns=("name",), written=written)
        return Catalog([city, msgspec.structs.replace(person, foreign_keys=(to_name,))], default_schemas=["hr"])

    sums = "SELECT c.name, sum(p.id) FROM person p JOIN city c ON p.town = c.name GROUP BY c.name"
    for given in (catalog(written=False), catalog(written=True, key=("name",))):
        assert all(join.proved for join in proved(sums, catalog=given).joins)
    join, fan_out = proved(sums, catalog=catalog(written=True)).joins
    assert (join.proved, join.why) == (True, "person (town) references city (name), as an admin wrote.")
    assert (fan_out.proved, fan_out.fan_out) == (False, True)


def test_a_key_of_two_columns_needs_both() -> None:
    parts = table("parts", "order_id line_no name", key=("order_id", "line_no"))
    uses = table("uses", "order_id line_no amount", key=())
    key = table("x", "id", references={"order_id": "parts"}).foreign_keys[0]
    both = type(key)(
        columns=("order_id", "line_no"),
        references_schema="hr",
        references_table="parts",
        references_columns=("order_id", "line_no"),
    )
    uses = type(uses)(schema="hr", name="uses", columns=uses.columns, foreign_keys=(both,))
    catalog = Catalog([parts, uses])
    whole = "SELECT 1 FROM uses u JOIN parts p ON u.order_id = p.order_id AND u.line_no = p.line_no"
    assert proved(whole, catalog=catalog).fully_proved
    assert not proved("SELECT 1 FROM uses u JOIN parts p ON u.order_id = p.order_id", catalog=catalog).fully_proved


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT sum(d.budget) FROM departments d JOIN employees e ON e.department_id = d.id",
        "SELECT d.name, avg(d.budget) FROM departments d JOIN employees e ON e.department_id = d.id GROUP BY d.name",
        "SELECT sum(o.total) FROM employees e JOIN orders o ON o.employee_id = e.id "
        "JOIN dependents d ON d.employee_id = e.id",
        "SELECT count(*) FROM employees e JOIN orders o ON o.employee_id = e.id "
        "JOIN dependents d ON d.employee_id = e.id",
        "SELECT d.name FROM departments d JOIN employees e ON e.department_id = d.id "
        "GROUP BY d.name HAVING sum(d.budget) > 1",
    ],
)
def test_an_aggregate_over_multiplied_rows_is_reported(sql: str) -> None:
    reported = [join for join in proved(sql).joins if join.fan_out]
    assert len(reported) == 1
    assert "once for every matching row" in reported[0].why


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT sum(e.salary) FROM departments d JOIN employees e ON e.department_id = d.id",
        "SELECT d.name, count(*) FROM departments d JOIN employees e ON e.department_id = d.id GROUP BY d.name",
        "SELECT max(d.budget) FROM departments d JOIN employees e ON e.department_id = d.id",
        "SELECT count(DISTINCT d.id) FROM departments d JOIN employees e ON e.department_id = d.id",
        "SELECT sum(o.total) FROM orders o JOIN employees e ON o.employee_id = e.id "
        "JOIN departments d ON e.department_id = d.id",
        "SELECT sum(d.budget) FROM departments d WHERE EXISTS (SELECT 1 FROM employees e WHERE e.department_id = d.id)",
        "SELECT sum(d.budget) FROM departments d JOIN (SELECT department_id, count(*) AS n FROM employees "
        "GROUP BY department_id) c ON c.department_id = d.id",
        "SELECT sum(d.budget) FROM departments d JOIN (SELECT DISTINCT department_id FROM employees) c "
        "ON c.department_id = d.id",
        "SELECT sum(salary) OVER (ORDER BY id) FROM employees",
    ],
)
def test_an_aggregate_that_counts_each_row_once_is_not_reported(sql: str) -> None:
    assert not any(join.fan_out for join in proved(sql).joins)


def value(text: str, column: str = "name", of: str = "departments", **compared: bool) -> TextLiteral:
    return TextLiteral(schema="hr", table=of, column=column, value=text, **compared)


@pytest.mark.parametrize(
    ("condition", "literals"),
    [
        ("name = 'Sales'", [value("Sales")]),
        ("'Sales' = name", [value("Sales")]),
        ("name <> 'O''Brien'", [value("O'Brien", negated=True)]),
        ("NOT (name <> 'a' OR budget > 1)", [value("a")]),
        ("name IN ('a', 'b')", [value("a"), value("b")]),
        ("NOT name IN ('a')", [value("a", negated=True)]),
        ("name NOT LIKE 'S%'", [value("S%", pattern=True, negated=True)]),
        ("name ILIKE '%s_'", [value("%s_", pattern=True, ignore_case=True)]),
        ("name LIKE '5!%' ESCAPE '!'", []),
        ("name = ANY(ARRAY['a', 'b'])", [value("a"), value("b")]),
        ("lower(name) = 'sales'", [value("sales", ignore_case=True)]),
        ("name ILIKE 'sales'", [value("sales", ignore_case=True)]),
        ("name IS NOT DISTINCT FROM 'a'", [value("a")]),
        ("name = $$a$$ OR id = 1", [value("a")]),
        ("name = 'a'::text", [value("a")]),
        ("name LIKE 'S%'", [value("S%", pattern=True)]),
        ("name > 'm'", []),
        ("id = '1'", []),
        ("budget > 5", []),
        ("id IN (SELECT id FROM departments WHERE name = 'inner')", [value("inner")]),
        ("CASE WHEN name = 'a' THEN true END", [value("a")]),
    ],
)
def test_every_text_value_compared_with_a_text_column_is_listed(condition: str, literals: list[TextLiteral]) -> None:
    assert list(proved(f"SELECT 1 FROM departments WHERE {condition}").literals) == literals


def test_a_literal_is_listed_through_derived_tables() -> None:
    sql = "WITH d AS (SELECT name AS n FROM departments) SELECT 1 FROM (SELECT n AS m FROM d) x WHERE m = 'Sales'"
    assert proved(sql).literals == (value("Sales"),)


def test_a_filter_is_proved_once_its_values_were_found() -> None:
    proof = proved("SELECT 1 FROM departments WHERE name = 'Sales' AND budget > 1 AND name = 'IT'")
    assert [f.proved for f in proof.filters] == [False, True, False]
    assert not proof.fully_proved
    half = proof.with_looked_up({value("Sales"): LookUp.FOUND})
    assert [f.proved for f in half.filters] == [True, True, False]
    assert "'IT' in departments.name" in half.filters[2].why
    assert proof.with_looked_up(dict.fromkeys(proof.literals, LookUp.FOUND)).fully_proved


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (LookUp.MISSING, "'Sales' is not a value of departments.name. No value of departments.name is like 'S%'."),
        (LookUp.EXCLUDED, "Not looked up: 'Sales' in departments.name; an administrator excluded this column."),
        (LookUp.UNKNOWN, "Not looked up: 'Sales' in departments.name; the database didn't tell in time."),
    ],
)
def test_a_filter_says_what_came_of_looking_its_values_up(outcome: LookUp, why: str) -> None:
    proof = proved("SELECT 1 FROM departments WHERE name = 'Sales' OR name LIKE 'S%'")
    said = proof.with_looked_up(dict.fromkeys(proof.literals, outcome)).filters[0]
    assert not said.proved
    assert said.why.startswith(why)


def test_a_pattern_need_not_match_for_a_filter_to_be_proved_but_it_is_said_when_it_matches_nothing() -> None:
    proof = proved("SELECT 1 FROM departments WHERE name LIKE 'S%'")
    assert proof.fully_proved
    assert not proof.with_looked_up(dict.fromkeys(proof.literals, LookUp.MISSING)).fully_proved


MYSQL = Catalog(
    [
        CatalogTable(
            schema="shop",
            name="stock",
            columns=(
                CatalogColumn(name="code", type="varchar(20)"),
                CatalogColumn(name="pieces", type="int(11) unsigned"),
                CatalogColumn(name="size", type="enum('s','m')"),
            ),
        )
    ]
)


@pytest.mark.parametrize(
    ("condition", "where"),
    [
        ("code = 0", "0"),
        ("code in ('a', 7)", "7"),
        ("code <> -1", "1"),
        ("5 > code", "5"),
        ("size = 1", "1"),
        ("pieces = 'many'", "'many'"),
    ],
)
def test_mysql_reads_texts_as_numbers_which_is_refused(condition: str, where: str) -> None:
    found = prove(f"select code from stock where {condition}", "mysql", MYSQL)
    assert isinstance(found, Refusal)
    assert (found.code, found.where) == ("type_mismatch", where)


@pytest.mark.parametrize("condition", ["code = '0'", "pieces = '5'", "pieces > 5", "cast(code as signed) = 5"])
def test_mysql_comparisons_of_one_kind_are_proved(condition: str) -> None:
    assert isinstance(prove(f"select code from stock where {condition}", "mysql", MYSQL), Proof)


def test_a_number_column_is_not_compared_with_other_text() -> None:
    assert refused("SELECT 1 FROM employees WHERE salary > 'a lot'").code == "type_mismatch"
    assert refused("SELECT 1 FROM employees WHERE id IN ('1', 'x')").where == "'x'"
    assert proved("SELECT 1 FROM employees WHERE id = ' 12 '")
    assert proved("SELECT 1 FROM employees WHERE CAST(id AS text) = 'x'")
