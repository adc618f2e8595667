"""Which questions are taken for one that was answered before. A wrong one is worse than none."""

import pytest

from basejump_chat_agent.domain.verified.filters import tells_time, with_value
from basejump_chat_agent.domain.verified.matching import Apart, Vocabulary, mean_the_same, one_value_apart
from basejump_chat_agent.domain.verified.wording import depends_on_today, signature, words_of

SHOP = Vocabulary(
    ("customer", "full_name", "city", "joined", "purchase", "total", "placed_at", "employee", "salary", "manager_id")
)
SALES = "Which customers in Oslo bought more than 5 products?"

SAME = [
    ("How many customers are there?", "Count the number of customers."),
    ("How many customers are there?", "how many CLIENTS do we have"),
    ("Show me the cities of all customers.", "What are the cities of the customers?"),
    ("List the employees sorted by salary in descending order", "Give me the staff ordered by wage, descending"),
    ("What is the maximum salary?", "What's the highest salary?"),
    ("Which customers joined after 2019?", "Which clients joined after 2019"),
    ("Employees with a salary above 1,000", "Show employees with a pay above 1000."),
    ("How many customers live in two towns?", "How many customers live in 2 cities?"),
    ("Show the full name and city of each customer", "show full name, city of each client"),
]
OTHER = [
    ("How many customers are there?", "Which customers are there?"),
    ("How many customers are there?", "How many cities are there?"),
    ("How many customers are there?", "How many customers have purchases?"),
    ("Which customers have purchases?", "Which customers have no purchases?"),
    ("Which customers have purchases?", "Which customers do not have purchases?"),
    ("Which city has the most customers?", "Which city has the least customers?"),
    ("Which city has the most customers?", "Which city has the fewest customers?"),
    ("Employees who earn more than 5000", "Employees who earn less than 5000"),
    ("Employees who earn more than 5000", "Employees who earn at least 5000"),
    ("Employees who earn more than 5000", "Employees who earn more than 50000"),
    ("Top 5 customers", "Top 10 customers"),
    ("Who joined before 2020?", "Who joined after 2020?"),
    ("Flights from Oslo to Bergen", "Flights from Bergen to Oslo"),
    ("Employees who manage customers", "Customers who manage employees"),
    ("The average salary", "The total salary"),
    ("Customers in Oslo and Bergen", "Customers in Oslo or Bergen"),
    ("Show the customer and city", "Show the customer city"),
    ("Purchases of Adam", "Purchases of Adams"),
    ("Salaries in ascending order", "Salaries in descending order"),
    ("The salary of each employee", "The salary of all employees"),
    ("Purchases this year", "Purchases last year"),
    ("Customers named 'Ann'", "Customers named 'Anna'"),
    ("How many different cities are there?", "How many cities are there?"),
    ("The total of purchases", "The total of purchases per customer"),
    ("Students who have pets", "Students' pets"),
    ("", ""),
]


@pytest.mark.parametrize(("verified", "asked"), SAME)
def test_other_words_for_the_same_question_are_recognised(verified: str, asked: str) -> None:
    assert mean_the_same(verified, asked, SHOP)
    assert mean_the_same(asked, verified, SHOP)


@pytest.mark.parametrize(("verified", "asked"), OTHER)
def test_what_could_mean_something_else_is_another_question(verified: str, asked: str) -> None:
    assert not mean_the_same(verified, asked, SHOP)
    assert not mean_the_same(asked, verified, SHOP)


def test_synonyms_are_told_apart_where_the_schema_has_both() -> None:
    assert mean_the_same("How many items are there?", "How many goods are there?", Vocabulary(["order_item"]))
    both = Vocabulary(["order_item", "product"])
    assert not mean_the_same("How many items are there?", "How many goods are there?", both)
    assert not mean_the_same("How many films are there?", "How many movies are there?", Vocabulary(["actor"]))


def test_a_question_of_too_many_words_is_never_taken_for_another() -> None:
    long = "customers " * 100
    assert words_of(long) == ()
    assert not mean_the_same(long, long, SHOP)


@pytest.mark.parametrize(
    ("asked", "apart"),
    [
        ("Which customers in Bergen bought more than 5 products?", Apart("Oslo", "Bergen", False)),
        ("Which customers in New York bought more than 5 products?", Apart("Oslo", "New York", False)),
        ("Which customers in 'Sankt Hans' bought more than 5 products?", Apart("Oslo", "Sankt Hans", False)),
        ("Which clients in Oslo bought more than 7 products?", Apart("5", "7", True)),
        ("Which customers in Bergen bought more than 7 products?", None),
        ("Which customers in Oslo bought less than 5 products?", None),
        ("Which customers in Oslo or Bergen bought more than 5 products?", None),
        ("Which customers not in Oslo bought more than 5 products?", None),
        ("Which customers in Oslo bought products?", None),
        (SALES, None),
    ],
)
def test_a_question_may_differ_in_one_value(asked: str, apart: Apart | None) -> None:
    assert one_value_apart(SALES, asked, SHOP) == apart


@pytest.mark.parametrize(
    ("sql", "apart", "changed"),
    [
        ("select id from customer where city = 'Oslo'", Apart("oslo", "Bergen", False), "city = 'Bergen'"),
        ("select id from customer where city = 'Oslo'", Apart("Oslo", "O'Hara", False), "city = 'O''Hara'"),
        ("select city from customer group by city having count(*) > 5", Apart("5", "7", True), "COUNT(*) > 7"),
        ("select id from purchase where total > 1000", Apart("1,000", "2,500", True), "total > 2500"),
        ("select id from customer order by id limit 5", Apart("5", "7", True), None),
        ("select 5 as five from customer", Apart("5", "7", True), None),
        ("select id from customer where city = 'Oslo' or full_name = 'Oslo'", Apart("Oslo", "Bergen", False), None),
        ("select id from customer where city = 'NO'", Apart("Oslo", "Bergen", False), None),
        ("select id from customer where city like 'Oslo'", Apart("Oslo", "100%", False), None),
        ("select id from purchase where total >= 4 and total < 5", Apart("4", "6", True), None),
        ("select id from purchase where total * 2 > 100", Apart("2", "3", True), None),
        ("select id from purchase where total > 5", Apart("5", "many", True), None),
        ("select id from purchase where (total >", Apart("5", "7", True), None),
    ],
)
def test_only_a_filter_that_says_the_value_itself_is_changed(sql: str, apart: Apart, changed: str | None) -> None:
    found = with_value(sql, apart, "postgres")
    assert (found is None) if changed is None else (found is not None and changed in found.sql)


def test_the_column_of_the_changed_filter_is_told() -> None:
    found = with_value("select id from customer as c where c.City = 'Oslo'", Apart("Oslo", "Bergen", False), "postgres")
    assert found is not None
    assert found.column == "city"


def test_what_depends_on_the_day_is_known() -> None:
    assert depends_on_today(words_of("Purchases of the last month"))
    assert not depends_on_today(words_of("Purchases of 2024"))
    assert tells_time("select id from purchase where placed_at > current_date - 7", "postgres")
    assert tells_time("select id from purchase where placed_at > now()", "postgres")
    assert not tells_time("select id from purchase where placed_at > '2024-01-01'", "postgres")


def test_questions_that_may_match_have_one_signature() -> None:
    for verified, asked in SAME:
        assert signature(words_of(verified)) == signature(words_of(asked))
    assert signature(words_of(SALES)) == signature(words_of("Which customers in New York bought more than 7 products?"))
