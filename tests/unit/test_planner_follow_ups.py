"""Follow-ups: what a question leaves out is taken from the ones before it."""

import pytest

from basejump_planner import CannotAnswer, Plan, follow_up, nth, row_of

HOW_MANY = "How many employees are there?"


@pytest.mark.parametrize(
    ("earlier", "question", "meant"),
    [
        ((HOW_MANY,), "and by department?", "How many employees are there by department"),
        ((HOW_MANY, "and by department?"), "by job", "How many employees are there by job"),
        ((HOW_MANY, "and by job?"), "only in Europe", "How many employees are there by job in Europe"),
        (("Average salary in the IT department",), "what about Shipping?", "Average salary in Shipping"),
        (("Average salary in the IT department",), "And in Shipping?", "Average salary in Shipping"),
        (("Which employees earn more than 9000?",), "but hired since 2005", "but hired since 2005"),
    ],
)
def test_a_follow_up_is_put_together_with_what_it_follows(earlier: tuple[str, ...], question: str, meant: str) -> None:
    assert follow_up(question, earlier) == meant


@pytest.mark.parametrize(
    "question",
    [
        "How many departments are there?",
        "and how many departments are there?",
        "In which year were the most employees hired, and how many of them are still with us today?",
        "In which city are most employees?",
        "By how much did salaries rise?",
        "And who earns the most?",
        "Why?",
        "?",
    ],
)
def test_a_question_that_stands_alone_is_left_alone(question: str) -> None:
    assert follow_up(question, (HOW_MANY,)) == question
    assert follow_up(question, ()) == question


def test_without_a_question_before_it_nothing_is_put_together() -> None:
    assert follow_up("and by department?", ()) == "and by department?"


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("show me the second one", 2),
        ("the first", 1),
        ("And the 3rd one?", 3),
        ("who is the third one of them", None),
        ("tell me about the 10th row", 10),
        ("How many second hand cars are there?", None),
        ("show me the one", None),
    ],
)
def test_a_place_in_the_earlier_result_is_understood(question: str, place: int | None) -> None:
    assert nth(question) == place


def test_a_row_of_the_earlier_result_is_found_again_by_what_was_shown_of_it() -> None:
    sql = "SELECT e.first_name, e.salary FROM hr.employees AS e LIMIT 100"
    plan = row_of(2, "Who earns most?", sql, ("first_name", "age"), (("Ann", 3), ("O'Neil", 4)), dialect="postgres")
    assert isinstance(plan, Plan)
    assert plan.sql.endswith("WHERE earlier.first_name = 'O''Neil' AND earlier.age = 4 LIMIT 1")
    assert plan.reading == "number 2 of “Who earns most”"
    assert isinstance(row_of(3, "?", sql, ("a",), (("x",), ("y",)), dialect="postgres"), CannotAnswer)
    assert isinstance(row_of(1, "?", sql, ("a",), ((1.5,),), dialect="postgres"), CannotAnswer)


def test_a_look_at_one_row_is_nothing_to_go_on_from() -> None:
    earlier = ("How many customers are there?", "and by city?", "show me the second one")
    assert follow_up("only in Oslo", earlier) == "How many customers are there by city in Oslo"
