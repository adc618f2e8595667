"""What is said about a result: its number, its first rows, its extremes, and nothing that isn't in it."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from basejump_planner import describe
from basejump_planner.plurals import plural


def test_a_count_is_said_as_a_sentence() -> None:
    said = describe("How many employees are there?", "number of employees", ["number_of_employees"], [[107]], 1)
    assert said == "There are 107 employees."


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        ("number of employees where city is Oslo", "There is 1 employee where city is Oslo."),
        ("number of countries", "There is 1 country."),
        ("number of boxes", "There is 1 box."),
        ("number of addresses", "There is 1 address."),
        ("number of status", "There is 1 status."),
        ("number of track", "There is 1 track."),
    ],
)
def test_one_is_singular(reading: str, said: str) -> None:
    assert describe("How many tracks are there?", reading, ["n"], [[1]], 1) == said


def test_counts_for_each_group_are_called_as_the_question_calls_them() -> None:
    said = describe("How many tracks per genre?", "number of track for each genre", ["g", "n"], [["Rock", 2]], 1)
    assert said == "Number of tracks for each genre: Rock, 2."


def test_one_value_is_not_said_to_be_different() -> None:
    assert describe("", "different email of employees", ["email"], [["a@b.c"]], 1) == "Email of employees: a@b.c."
    assert describe("", "different email of employees", ["email"], [["a"], ["b"]], 2).startswith("Different email")


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        ("number of track", "There are 3503 tracks."),
        ("number of track where composer is U2", "There are 3503 tracks where composer is U2."),
        ("number of different track of album", "There are 3503 different tracks of album."),
    ],
)
def test_what_was_counted_is_called_as_the_question_calls_it(reading: str, said: str) -> None:
    assert describe("How many tracks are there?", reading, ["n"], [[3503]], 1) == said


@pytest.mark.parametrize("value", [Decimal("6461.682242990654"), 6461.682242990654, "6461.682242990654"])
def test_a_figure_is_rounded_to_two_decimals(value: object) -> None:
    assert describe("", "average salary of employees", ["average_salary"], [[value]], 1) == (
        "Average salary of employees: 6461.68."
    )


def test_nothing_found_is_said_plainly() -> None:
    assert describe("", "names of employees", ["name"], [], 0) == "Nothing was found for: names of employees."


def test_a_missing_figure_is_not_a_zero() -> None:
    assert "no value" in describe("", "highest salary of employees", ["highest_salary"], [[None]], 1)


def test_names_belong_together_and_few_rows_are_all_said() -> None:
    rows = [["Steven", "King", 24000], ["Neena", "Kochhar", 17000]]
    said = describe("", "top earners", ["first_name", "last_name", "salary"], rows, 2)
    assert said == "Top earners: 2 rows. They are: Steven King, 24000; Neena Kochhar, 17000."


def test_extremes_are_said_only_when_all_rows_are_known() -> None:
    rows = [[f"D{n}", n * 10] for n in range(1, 8)]
    assert "Highest: D7, 70. Lowest: D1, 10." in describe("", "salaries", ["d", "salary"], rows, 7)
    assert "Highest" not in describe("", "salaries", ["d", "salary"], rows, 700)


def test_every_figure_said_is_in_the_result_or_its_row_count() -> None:
    rows = [[f"D{n}", n * 11] for n in range(1, 9)]
    said = describe("", "figures", ["d", "figure"], rows, 8)
    allowed = {str(value) for row in rows for value in row} | {"8"}
    assert set(re.findall(r"\bD?\d+\b", said)) <= allowed


@pytest.mark.parametrize(
    ("one", "several"),
    [
        ("country", "countries"),
        ("day", "days"),
        ("box", "boxes"),
        ("sales person", "sales people"),
        ("child", "children"),
        ("order details", "order details"),
        ("playlist track", "playlist tracks"),
        ("staff", "staff"),
    ],
)
def test_several_are_plural(one: str, several: str) -> None:
    assert plural(one) == several
    assert plural(several) == several
