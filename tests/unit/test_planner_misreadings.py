"""Questions whose words are easily taken for something else: answered as they are meant, or declined."""

from __future__ import annotations

import pytest

from basejump_planner import CannotAnswer, Plan, Table, ValueHit, plan
from unit.planner_slices import COMPANY, TEXT, table

TRADE = (
    table(
        "trade",
        "staff",
        [("staff_id", "integer"), ("first_name", TEXT), ("last_name", TEXT), ("reports_to", "integer")],
        {"reports_to": ("staff", "staff_id")},
    ),
    table("trade", "customers", [("customer_id", "integer"), ("company_name", TEXT), ("address", TEXT)]),
    table(
        "trade",
        "orders",
        [
            ("order_id", "integer"),
            ("customer_id", "integer"),
            ("order_date", "date"),
            ("shipped_date", "date"),
        ],
        {"customer_id": ("customers", "customer_id")},
    ),
    table("trade", "products", [("product_id", "integer"), ("product_name", TEXT), ("colour", TEXT)]),
)
MUSIC = (
    table("music", "track", [("track_id", "integer"), ("name", TEXT)]),
    table("music", "playlist", [("playlist_id", "integer"), ("name", TEXT)]),
    table(
        "music",
        "playlist_track",
        [("playlist_id", "integer"), ("track_id", "integer")],
        {"playlist_id": ("playlist", "playlist_id"), "track_id": ("track", "track_id")},
    ),
)
FULLER = ValueHit(phrase="Fuller", schema="trade", table="staff", column="last_name", value="Fuller")
OWN_NAME = ValueHit(phrase="Music", schema="music", table="playlist", column="name", value="Music")


def sql(question: str, *values: ValueHit, tables: tuple[Table, ...] = TRADE) -> str:
    answer = plan(question, tables, values)
    assert isinstance(answer, Plan), answer
    return answer.sql


@pytest.mark.parametrize(
    "question",
    [
        "Who reports to Fuller?",  # those whose boss Fuller is, not Fuller's boss
        "Which staff reports to Fuller?",
        "What is the most popular product?",  # each product is one row: none is more popular than another
        "the 3 most popular products",
    ],
)
def test_what_would_be_misread_is_declined(question: str) -> None:
    assert isinstance(plan(question, TRADE, [FULLER]), CannotAnswer)


def test_what_a_column_holds_most_often_is_counted_and_nothing_is_no_value() -> None:
    planned = sql("What is the most popular colour of products?")
    assert "WHERE NOT products.colour IS NULL GROUP BY products.colour" in planned


def test_a_verb_that_begins_a_columns_name_is_part_of_it() -> None:
    assert "orders.shipped_date IS NULL" in sql("How many orders have no shipped date?")


def test_what_customers_placed_is_no_place_of_theirs() -> None:
    planned = sql("Which customers placed more than 20 orders?")
    assert planned.startswith("SELECT customers.company_name FROM")
    assert "HAVING COUNT(*) > 20" in planned


@pytest.mark.parametrize(
    ("question", "way"),
    [
        ("Most recently hired employee", "DESC NULLS LAST LIMIT 1"),
        ("the 3 most recently hired employees", "DESC NULLS LAST LIMIT 3"),
        ("Who is the first hired employee?", "ASC LIMIT 1"),
    ],
)
def test_who_was_hired_last_is_an_employee_and_no_date(question: str, way: str) -> None:
    planned = sql(question, tables=COMPANY)
    assert planned.startswith("SELECT employees.first_name, employees.last_name FROM")
    assert planned.endswith(f"ORDER BY employees.hire_date {way}")


def test_an_average_of_extremes_is_not_three_figures() -> None:
    question = "What is the average of min salary and max salary by job?"
    assert isinstance(plan(question, COMPANY), CannotAnswer)
    assert "AVG(employees.salary) AS average_salary, MAX(employees.salary)" in sql(
        "the average and maximum salary of employees", tables=COMPANY
    )


def test_a_name_with_a_capital_is_no_other_word_for_a_table() -> None:
    """Music is a synonym of track, and here what a playlist is called."""
    assert "= 'Music'" in sql("How many tracks are in the playlist Music?", OWN_NAME, tables=MUSIC)


def test_what_stands_behind_albums_is_one_of_them_whatever_else_is_called_so() -> None:
    hits = [
        ValueHit(phrase="Rock On", schema="music", table=where, column="name", value="Rock On")
        for where in ("track", "playlist")
    ]
    planned = sql("How many tracks are in the playlist Rock On?", *hits, tables=MUSIC)
    assert """playlist."name" = 'Rock On'""" in planned


def test_time_is_before_and_after_and_a_total_is_said_once() -> None:
    hired = plan("How many employees were hired before 1993?", COMPANY)
    assert isinstance(hired, Plan)
    assert hired.reading == "number of employees where hire date is before 1993"
    latest = plan("Latest hire date by department", COMPANY)
    assert isinstance(latest, Plan)
    assert latest.reading == "latest hire date of employees for each department name"


PLACES = ("regions", "countries", "locations", "branches", "departments", "staff")
CHAIN = tuple(
    table(
        "org",
        name,
        [(f"{name}_id", "integer"), (f"{name}_name", TEXT), *([(f"{above}_id", "integer")] if above else [])],
        {f"{above}_id": (above, f"{above}_id")} if above else {},
    )
    for above, name in zip((None, *PLACES), PLACES, strict=False)
)
EUROPE = ValueHit(phrase="Europe", schema="org", table="regions", column="regions_name", value="Europe")


def test_parents_of_parents_are_followed_as_far_as_they_go() -> None:
    assert "WHERE regions.regions_name = 'Europe'" in sql("How many staff are in Europe?", EUROPE, tables=CHAIN)
    assert "GROUP BY regions.regions_id" in sql("number of staff by regions", tables=CHAIN)


def test_columns_that_are_just_called_name_say_of_what() -> None:
    planned = sql("number of tracks in each playlist", tables=MUSIC)
    assert (
        planned.startswith('SELECT playlist."name" AS playlist_name, ') or "playlist.name AS playlist_name" in planned
    )
