"""Questions about a company: each paraphrase gives the same rows as the SQL beside it, or an "
"honest refusal."""

from __future__ import annotations

import pytest

from basejump_planner import CannotAnswer, Plan, ValueHit, plan
from unit.planner_slices import COMPANY, COMPANY_VALUES, found


def ask(question: str) -> Plan | CannotAnswer:
    return plan(question, COMPANY, found(question, COMPANY, COMPANY_VALUES))


def sql(question: str) -> str:
    answer = ask(question)
    assert isinstance(answer, Plan), answer
    return answer.sql


@pytest.mark.parametrize(
    "question",
    [
        "How many employees are there?",
        "Count the employees",
        "what's the number of employees",
        "How many people work here?",
        "total number of staff",
        "How many workers do we have?",
    ],
)
def test_every_way_to_ask_for_the_number_of_employees_counts_the_table(question: str) -> None:
    assert sql(question) == "SELECT COUNT(*) AS number_of_employees FROM hr.employees AS employees"


@pytest.mark.parametrize(
    "question",
    [
        "What is the average salary by department?",
        "average salary per department",
        "For each department, what is the average salary?",
        "What's the mean wage of each division?",
    ],
)
def test_an_average_by_department_joins_by_the_declared_key_and_shows_the_name(question: str) -> None:
    assert sql(question) == (
        "SELECT departments.department_name, AVG(employees.salary) AS average_salary FROM "
        "hr.employees AS employees "
        "JOIN hr.departments AS departments ON employees.department_id = departments.department_id "
        "GROUP BY departments.department_id, departments.department_name"
    )


def test_the_top_earners_are_ordered_limited_and_shown_with_what_they_earn() -> None:
    assert sql("Which 5 employees earn the most?") == (
        "SELECT employees.first_name, employees.last_name, employees.salary FROM hr.employees AS employees "
        "ORDER BY employees.salary DESC NULLS LAST LIMIT 5"
    )


def test_employees_without_dependents_count_zero() -> None:
    assert sql("How many dependents does each employee have?") == (
        "SELECT employees.first_name, employees.last_name, COUNT(dependents.dependent_id) AS "
        "number_of_dependents "
        "FROM hr.employees AS employees LEFT JOIN hr.dependents AS dependents "
        "ON employees.employee_id = dependents.employee_id "
        "GROUP BY employees.employee_id, employees.first_name, employees.last_name"
    )


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("List the departments", "SELECT departments.department_name FROM hr.departments AS departments"),
        ("highest salary", "SELECT MAX(employees.salary) AS highest_salary FROM hr.employees AS employees"),
        (
            "employees hired after 2005-01-01",
            "SELECT employees.first_name, employees.last_name FROM hr.employees AS employees "
            "WHERE employees.hire_date >= CAST('2005-01-02' AS DATE)",
        ),
        (
            "Which employees work in the IT department?",
            "SELECT employees.first_name, employees.last_name FROM hr.employees AS employees "
            "JOIN hr.departments AS departments "
            "ON employees.department_id = departments.department_id WHERE departments.department_name = 'IT'",
        ),
        (
            "How many employees work in Seattle?",
            "SELECT COUNT(*) AS number_of_employees FROM hr.employees AS employees JOIN "
            "hr.departments AS departments "
            "ON employees.department_id = departments.department_id JOIN hr.locations AS locations "
            "ON departments.location_id = locations.location_id WHERE locations.city = 'Seattle'",
        ),
        (
            "Which employees have no dependents?",
            "SELECT employees.first_name, employees.last_name FROM hr.employees AS employees "
            "WHERE NOT employees.employee_id IN "
            "(SELECT dependents.employee_id FROM hr.dependents AS dependents WHERE NOT "
            "dependents.employee_id IS NULL)",
        ),
        (
            "How many employees have more than one dependent?",
            "SELECT COUNT(*) FROM (SELECT employees.employee_id FROM hr.employees AS employees "
            "JOIN hr.dependents AS dependents "
            "ON employees.employee_id = dependents.employee_id GROUP BY employees.employee_id "
            "HAVING COUNT(*) > 1) AS matching",
        ),
        (
            "Which employees earn more than 10000 or less than 3000?",
            "SELECT employees.first_name, employees.last_name FROM hr.employees AS employees "
            "WHERE employees.salary > 10000 OR employees.salary < 3000",
        ),
        (
            "salaries between 5000 and 8000",
            "SELECT employees.salary FROM hr.employees AS employees WHERE employees.salary BETWEEN 5000 AND 8000",
        ),
        (
            "Who was hired most recently?",
            "SELECT employees.first_name, employees.last_name FROM hr.employees AS employees "
            "ORDER BY employees.hire_date DESC NULLS LAST LIMIT 1",
        ),
        (
            "employees and their departments",
            "SELECT employees.first_name, employees.last_name, departments.department_name FROM "
            "hr.employees AS employees "
            "LEFT JOIN hr.departments AS departments ON employees.department_id = departments.department_id",
        ),
        (
            "Which department has the fewest employees?",
            "SELECT departments.department_name FROM hr.departments AS departments LEFT JOIN "
            "hr.employees AS employees "
            "ON departments.department_id = employees.department_id "
            "GROUP BY departments.department_id, departments.department_name ORDER BY "
            "COUNT(employees.employee_id) ASC LIMIT 1",
        ),
    ],
)
def test_a_question_becomes_the_select_that_answers_it(question: str, expected: str) -> None:
    assert sql(question) == expected


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("What is the weather?", "weather"),
        ("Delete all employees", "delete"),
        ("Which employees left in 2005?", "left"),
        ("What percentage of employees are in IT?", "percentage"),
        ("How many employees are not in IT or were promoted?", "promoted"),
    ],
)
def test_a_word_that_is_not_understood_is_named_instead_of_ignored(question: str, word: str) -> None:
    answer = ask(question)
    assert isinstance(answer, CannotAnswer)
    assert word in answer.not_understood
    assert word in answer.reason


@pytest.mark.parametrize(
    "question",
    [
        "",
        "???",
        "How many employees enrolled?",  # a verb with nothing it could tie employees to
        "What is the average employee id?",  # keys measure nothing
        "List 5 employees",  # which five?
        "employees in IT and Shipping",  # one department can't be both
        "employees older than 30",  # nothing tells their age
        "Which employees without dependents have dependents?",
        "Which departments have more than 1 location?",  # there can be only one
        "Which employees work under the employee named IT?",  # no employee is
        "the names of employees and dependents",  # two kinds of rows
    ],
)
def test_what_cannot_be_settled_is_declined(question: str) -> None:
    assert isinstance(ask(question), CannotAnswer)


def test_a_sum_over_an_ambiguous_key_path_is_declined() -> None:
    flights = (
        COMPANY[4],
        COMPANY[1].__class__(
            schema="hr",
            name="transfers",
            columns=COMPANY[1].columns,
            foreign_keys=tuple(
                COMPANY[1]
                .foreign_keys[0]
                .__class__(
                    columns=(column,),
                    references_schema="hr",
                    references_table="locations",
                    references_columns=("location_id",),
                )
                for column in ("department_id", "location_id")
            ),
        ),
    )
    answer = plan("How many transfers are there in each location?", flights)
    assert isinstance(answer, CannotAnswer)
    assert "more than one way" in answer.reason


def test_the_reading_restates_what_was_understood() -> None:
    answer = ask("What is the average salary by department?")
    assert isinstance(answer, Plan)
    assert answer.reading == "average salary of employees for each department name"
    assert answer.intent == "group"


@pytest.mark.parametrize(
    ("question", "intent"),
    [
        ("How many employees are there?", "count"),
        ("highest salary", "value"),
        ("List the departments", "list"),
        ("How many dependents does each employee have?", "group"),
    ],
)
def test_the_intent_tells_the_shape_of_the_result(question: str, intent: str) -> None:
    answer = ask(question)
    assert isinstance(answer, Plan)
    assert answer.intent == intent


def test_whom_a_manager_manages_is_not_the_manager() -> None:
    king = ValueHit(phrase="King", schema="hr", table="employees", column="last_name", value="King")
    assert isinstance(plan("Which employees report to King?", COMPANY, [king]), CannotAnswer)
    assert isinstance(plan("What is the salary of King?", COMPANY, [king]), Plan)


def test_the_reading_says_latest_of_a_date() -> None:
    answer = ask("Who was hired most recently?")
    assert isinstance(answer, Plan)
    assert answer.reading == "first name, last name of employees, the one with the latest hire date"
