"""Every name means one permitted thing, and is written out as what it means."""

from __future__ import annotations

import pytest

from basejump_sqlguard import Catalog, CatalogTable, Policy, Refusal, prove
from sqlguard_world import HOUSE, proved, refused, table


@pytest.mark.parametrize(
    ("written", "runs"),
    [
        ("SELECT name FROM employees", "SELECT employees.name FROM hr.employees"),
        ('SELECT NAME FROM "EMPLOYEES"', "SELECT employees.name FROM hr.employees"),
        ("SELECT hr.employees.name FROM hr.employees", "SELECT employees.name FROM hr.employees"),
        ("SELECT secret FROM vault.employees", "SELECT employees.secret FROM vault.employees"),
        ("SELECT x.name FROM employees X", "SELECT x.name FROM hr.employees AS x"),
        (
            'SELECT total, "order" FROM "Mixed Case"',
            'SELECT "Mixed Case"."Total", "Mixed Case"."order" FROM hr."Mixed Case"',
        ),
        ("TABLE departments", "SELECT departments.id, departments.name, departments.budget FROM hr.departments"),
        (
            "SELECT d.* FROM employees e JOIN departments d ON d.id = e.department_id",
            "SELECT d.id, d.name, d.budget FROM hr.employees AS e JOIN hr.departments AS d ON d.id = e.department_id",
        ),
        (
            "SELECT name AS n FROM departments WHERE budget > 1 GROUP BY n ORDER BY n",
            "SELECT departments.name AS n FROM hr.departments WHERE departments.budget > 1 GROUP BY n ORDER BY n",
        ),
        (
            "SELECT name FROM employees WHERE EXISTS (SELECT 1 FROM dependents WHERE employee_id = employees.id)",
            "SELECT employees.name FROM hr.employees WHERE EXISTS(SELECT 1 FROM hr.dependents "
            "WHERE dependents.employee_id = employees.id)",
        ),
        (
            "SELECT * FROM departments JOIN orders USING (id)",
            "SELECT id, departments.name, departments.budget, orders.employee_id, orders.total "
            "FROM hr.departments JOIN hr.orders USING (id)",
        ),
        (
            "SELECT id FROM departments NATURAL JOIN orders",
            "SELECT id FROM hr.departments JOIN hr.orders USING (id)",
        ),
        (
            "WITH employees AS (SELECT id AS x FROM departments) SELECT * FROM employees",
            "WITH employees AS (SELECT departments.id AS x FROM hr.departments) SELECT employees.x FROM employees",
        ),
        (
            "WITH employees AS (SELECT name FROM employees) SELECT name FROM employees",
            "WITH employees AS (SELECT employees.name FROM hr.employees) SELECT employees.name FROM employees",
        ),
        (
            "SELECT g, u.v FROM generate_series(1, 3) g, unnest(ARRAY[1]) AS u(v)",
            "SELECT g.g, u.v FROM generate_series(1, 3) AS g, UNNEST(array[1]) AS u(v)",
        ),
        (
            "SELECT name FROM departments UNION SELECT name FROM dependents ORDER BY name",
            "SELECT departments.name FROM hr.departments UNION SELECT dependents.name FROM hr.dependents ORDER BY name",
        ),
        (
            "SELECT DISTINCT d.name FROM departments d, dependents p ORDER BY name",
            "SELECT DISTINCT d.name FROM hr.departments AS d, hr.dependents AS p ORDER BY d.name",
        ),
        (
            "SELECT count FROM (SELECT count(*) FROM orders) x",
            "SELECT x.count FROM (SELECT count(*) FROM hr.orders) AS x",
        ),
        (
            "SELECT s FROM (SELECT id, name FROM departments) s",
            "SELECT s FROM (SELECT departments.id, departments.name FROM hr.departments) AS s",
        ),
    ],
)
def test_names_are_written_out_as_what_they_mean(written: str, runs: str) -> None:
    assert proved(written).sql == f"{runs} LIMIT 10000"


def test_a_star_gives_the_permitted_columns_only() -> None:
    sql = proved("SELECT * FROM employees").sql
    assert "password" not in sql
    assert "employees.hired" in sql


def test_comments_never_reach_the_database() -> None:
    assert proved("SELECT /* a */ 1 -- b\n/* c */").sql == "SELECT 1 LIMIT 10000"


def test_a_recursive_query_reads_itself() -> None:
    sql = """WITH RECURSIVE chain(id, boss) AS (
        SELECT id, manager_id FROM employees WHERE manager_id IS NULL
        UNION ALL SELECT e.id, e.manager_id FROM employees e JOIN chain ON chain.id = e.manager_id
    ) SELECT count(*) FROM chain"""
    proof = proved(sql)
    assert {(t.schema, t.name) for t in proof.tables} == {("hr", "employees")}


def test_a_recursive_query_may_not_read_what_is_defined_after_it() -> None:
    sql = "WITH RECURSIVE a AS (SELECT * FROM departments), departments AS (SELECT 1 AS id) SELECT * FROM a"
    assert refused(sql).code == "unsupported_syntax"


def test_a_table_beyond_the_default_schemas_needs_its_schema() -> None:
    only_vault = Catalog([table("employees", "id", schema="vault")], default_schemas=["hr"])
    assert refused("SELECT id FROM employees", catalog=only_vault).code == "unknown_table"
    assert proved("SELECT id FROM vault.employees", catalog=only_vault).tables[0].schema == "vault"


def test_without_default_schemas_a_name_must_be_unique() -> None:
    both = Catalog([table("t", "id", schema="a"), table("t", "id", schema="b"), table("u", "id", schema="b")])
    assert refused("SELECT id FROM t", catalog=both).suggestions == ("a.t", "b.t")
    assert proved("SELECT id FROM u", catalog=both).sql == "SELECT u.id FROM b.u LIMIT 10000"


def test_two_tables_that_differ_in_case_alone_are_told_apart() -> None:
    twins = Catalog([table("Users", "id"), table("users", "id")])
    assert proved("SELECT id FROM users", catalog=twins).tables[0].name == "users"
    assert proved('SELECT id FROM "Users"', catalog=twins).tables[0].name == "Users"
    assert refused('SELECT id FROM "USERS"', catalog=twins).code == "ambiguous_table"


def test_near_misses_are_suggested_but_nothing_that_is_ignored() -> None:
    assert refused("SELECT * FROM employes").suggestions[0] == "employees"
    assert refused("SELECT salry FROM employees").suggestions == ("employees.salary",)
    assert refused("SELECT passwor FROM employees").suggestions == ()
    assert "payroll" not in refused("SELECT * FROM payrol").suggestions
    assert refused("SELECT e.budget FROM employees e, departments d").suggestions == ("d.budget",)
    assert refused("SELECT lowr(name) FROM employees").suggestions[0] == "lower"


def test_an_ignored_column_looks_like_one_that_is_not_there() -> None:
    hidden, missing = refused("SELECT password FROM employees"), refused("SELECT passwort FROM employees")
    assert hidden.code == missing.code
    assert hidden.reason.replace("password", "x") == missing.reason.replace("passwort", "x")


def test_a_proof_lists_what_it_read() -> None:
    proof = proved("SELECT e.name, upper(d.name) FROM employees e JOIN departments d ON e.department_id = d.id")
    assert [(t.schema, t.name, t.alias) for t in proof.tables] == [("hr", "employees", "e"), ("hr", "departments", "d")]
    assert {(c.table, c.column) for c in proof.columns} == {
        ("employees", "name"), ("employees", "department_id"), ("departments", "name"), ("departments", "id"),
    }  # fmt: skip
    assert [f.name for f in proof.functions] == ["upper"]
    assert proof.fully_proved


def test_an_admin_can_add_functions() -> None:
    policy = Policy(extra_functions=frozenset({"our_score", "hr.grade"}))
    (function,) = proved("SELECT our_score(id) FROM employees", policy=policy).functions
    assert function.why.startswith("Allowed by an admin")
    assert isinstance(prove("SELECT vault.our_score(id) FROM employees", "postgres", HOUSE, policy), Refusal)
    assert refused("SELECT our_score(id) FROM employees").code == "forbidden_function"


def test_an_added_function_is_called_by_its_schema_and_by_no_other() -> None:
    policy = Policy(extra_functions=frozenset({"hr.grade", "hr.upper", "hr.level", "vault.level"}))
    for call in ("hr.grade(id)", "HR.Grade(id)", "grade(id)", "lower(GRADE(id))"):
        proof = proved(f"SELECT {call} FROM employees", policy=policy)
        assert "hr.grade(" in proof.sql.lower(), "what runs names the schema"
        added = [function.name for function in proof.functions if function.why.startswith("Allowed by an admin")]
        assert added == ["hr.grade"]
    for call in (
        '"HR".grade(id)',
        'hr."GRADE"(id)',
        "vault.grade(id)",
        "x.hr.grade(id)",
        "level(id)",
        "hr.pg_sleep(1)",
    ):
        assert isinstance(prove(f"SELECT {call} FROM employees", "postgres", HOUSE, policy), Refusal), call
    assert isinstance(prove("SELECT 1 FROM grade(1)", "postgres", HOUSE, policy), Refusal)
    (built_in,) = proved("SELECT upper(name) FROM employees", policy=policy).functions
    assert (built_in.name, built_in.why[:11]) == ("upper", "On the list")
    names = [function.name for function in proved("SELECT hr.upper(name) FROM employees", policy=policy).functions]
    assert "hr.upper" in names


def test_without_a_catalog_tables_are_not_proved() -> None:
    proof = proved("SELECT a, t.b FROM t JOIN u USING (id) WHERE t.c = 'x'", catalog=None)
    assert not any(part.proved for part in proof.tables)
    assert not proof.fully_proved


def test_a_catalog_of_many_tables_is_as_fast_as_a_small_one() -> None:
    many = [
        CatalogTable(schema="s", name=f"t{i}", columns=table("x", "id a b c").columns, primary_key=("id",))
        for i in range(2_000)
    ]
    catalog = Catalog([*many, *HOUSE.tables()], default_schemas=["hr"])
    assert proved("SELECT name FROM employees", catalog=catalog).sql == proved("SELECT name FROM employees").sql


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM employees WHERE department_id IN (SELECT department_id FROM departments)",
        "SELECT name FROM employees WHERE salary > (SELECT max(salary) FROM departments)",
        "SELECT (SELECT hired FROM departments d WHERE d.id = e.department_id) FROM employees e",
        "SELECT name FROM employees WHERE department_id IN (SELECT id FROM departments WHERE salary BETWEEN 1 AND 9)",
    ],
)
def test_a_subquery_that_would_silently_give_the_outer_querys_column_is_refused(sql: str) -> None:
    refusal = refused(sql)
    assert refusal.code == "unknown_column"
    assert "if the outer one is meant" in refusal.reason


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM employees e WHERE salary > (SELECT avg(x.salary) + e.id FROM employees x)",
        "SELECT name FROM employees WHERE EXISTS (SELECT hired FROM departments WHERE id = department_id)",
        "SELECT bonus FROM employees e, LATERAL (SELECT salary * 2 AS bonus) b",
        "SELECT name FROM employees e WHERE EXISTS (SELECT 1 FROM departments d WHERE e.salary > 5)",
    ],
)
def test_an_outer_column_that_is_meant_is_proved(sql: str) -> None:
    proved(sql)
