"""Questions that may mean the same although their words don't say so, and what speaks against it."""

import pytest

from basejump_chat_agent.domain.verified.nearness import contradict, near_by_vectors, near_by_words, same_statement

FINE = [
    ("How many customers are there?", "What is the size of our clientele?"),
    ("Which architects are female?", "List the female architectural designers."),
    ("How many customers joined after 2019?", "How many clients signed up after 2019?"),
    ("Which city has the most customers?", "Where do most of our clients live?"),
    ("Which customers have no purchases?", "Which clients have never bought anything?"),
]
AGAINST = [
    ("How many customers joined after 2019?", "How many clients signed up after 2020?"),
    ("How many customers joined after 2019?", "How many clients signed up?"),
    ("How many customers joined after 2019?", "How many clients signed up before 2019?"),
    ("Which customers have purchases?", "Which clients never bought anything?"),
    ("Employees who earn more than 5000", "Staff that is paid less than 5000"),
    ("Employees with the highest salary", "Staff with the lowest wage"),
    ("Which city has the most customers?", "Where do the fewest of our clients live?"),
    ("The average salary of employees", "The total pay of our staff"),
    ("Salaries in ascending order", "What people earn, in descending order"),
    ("Customers in Oslo and older than 30", "Clients who are in Oslo or older than 30"),
    ("Flights from Oslo", "Planes to Oslo"),
    ("Flights to Oslo", "Planes to Bergen"),
    ("Customers named 'Ann'", "Clients called 'Anna'"),
    ("The first 5 customers", "The last 5 clients"),
    ("The salary of each employee", "What all of our staff earns"),
    ("Purchases this month", "What was bought"),
    ("How many customers are there?", ""),
]


@pytest.mark.parametrize(("verified", "asked"), FINE)
def test_other_words_contradict_nothing(verified: str, asked: str) -> None:
    assert not contradict(verified, asked)
    assert not contradict(asked, verified)


@pytest.mark.parametrize(("verified", "asked"), AGAINST)
def test_what_one_says_and_the_other_does_not_speaks_against_it(verified: str, asked: str) -> None:
    assert contradict(verified, asked)
    assert contradict(asked, verified)


def test_a_statement_is_the_same_but_for_names_and_formatting_alone() -> None:
    verified = "select count(*) as n from shop.customer as c where c.city = 'Oslo'"
    assert same_statement(verified, "SELECT COUNT(*) AS m FROM shop.customer AS k WHERE k.city = 'Oslo'", "postgres")
    for other in (
        "select count(*) as n from shop.customer as c where c.city = 'Bergen'",
        "select count(*) as n from shop.customer as c where c.city <> 'Oslo'",
        "select count(*) as n from shop.customer as c",
        "select count(distinct c.id) as n from shop.customer as c where c.city = 'Oslo'",
        "select count(*) as n from shop.purchase as c where c.city = 'Oslo'",
        "select count(*) from (shop.customer",
    ):
        assert not same_statement(verified, other, "postgres")


def test_nearness_is_between_nothing_and_the_same() -> None:
    assert near_by_words("How many customers are there?", "Count the customers") == 1
    assert near_by_words("How many customers are there?", "Which employees earn most?") == 0
    assert near_by_vectors([1.0, 0.0], [2.0, 0.0]) == 1
    assert near_by_vectors([1.0, 0.0], [0.0, 3.0]) == 0
    assert near_by_vectors([1.0, 0.0], [1.0, 0.0, 0.0]) == 0, "of another model"
    assert near_by_vectors([0.0, 0.0], [1.0, 0.0]) == 0
