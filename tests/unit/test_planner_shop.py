"""Questions about a shop whose tables are named as real ones often are: no plain `name`, singulars, lines of orders."""

from __future__ import annotations

import pytest

from basejump_planner import CannotAnswer, Plan, ValueHit, plan
from unit.planner_slices import COMPANY, TEXT, table

SHOP = (
    table(
        "shop",
        "supplier",
        [("supplier_id", "integer"), ("company_name", TEXT), ("contact_name", TEXT), ("country", TEXT)],
    ),
    table(
        "shop",
        "customer",
        [("customer_id", "integer"), ("company_name", TEXT), ("contact_name", TEXT), ("address", TEXT)],
    ),
    table("shop", "category", [("category_id", "integer"), ("category_name", TEXT)]),
    table(
        "shop",
        "product",
        [
            ("product_id", "integer"),
            ("product_name", TEXT),
            ("category_id", "integer"),
            ("unit_price", "numeric"),
            ("discontinued", "integer"),
            ("ordered", "integer"),
            ("vegan", "boolean"),
        ],
        {"category_id": ("category", "category_id")},
    ),
    table(
        "shop",
        "invoice",
        [("invoice_id", "integer"), ("customer_id", "integer"), ("billing_country", TEXT), ("total", "numeric(10,2)")],
        {"customer_id": ("customer", "customer_id")},
    ),
    table(
        "shop",
        "invoice_line",
        [
            ("invoice_line_id", "integer"),
            ("invoice_id", "integer"),
            ("product_id", "integer"),
            ("unit_price", "numeric"),
        ],
        {"invoice_id": ("invoice", "invoice_id"), "product_id": ("product", "product_id")},
    ),
)


def sql(question: str, *values: ValueHit) -> str:
    answer = plan(question, SHOP, values)
    assert isinstance(answer, Plan), answer
    return answer.sql


def test_the_name_right_behind_the_key_names_the_row() -> None:
    germany = ValueHit(phrase="Germany", schema="shop", table="supplier", column="country", value="Germany")
    assert sql("List all suppliers from Germany", germany) == (
        "SELECT supplier.company_name FROM shop.supplier AS supplier WHERE supplier.country = 'Germany'"
    )


def test_a_name_further_on_does_not_name_the_row() -> None:
    visits = (
        table("shop", "visit", [("visit_id", "integer"), ("day", "date"), ("guest_name", TEXT), ("host_name", TEXT)]),
    )
    answer = plan("List the visits", visits)
    assert isinstance(answer, Plan)
    assert "visit.visit_id" in answer.sql


@pytest.mark.parametrize("verb", ["place", "make", "have"])
def test_what_each_customer_did_is_no_part_of_what_customers_are_called(verb: str) -> None:
    assert sql(f"How many invoices did each customer {verb}?") == (
        "SELECT customer.company_name, COUNT(invoice.invoice_id) AS number_of_invoice FROM shop.customer AS customer "
        "LEFT JOIN shop.invoice AS invoice ON customer.customer_id = invoice.customer_id "
        "GROUP BY customer.customer_id, customer.company_name"
    )


@pytest.mark.parametrize("question", ["What is the total of all invoices?", "total of invoices"])
def test_the_total_of_invoices_adds_up_the_column_of_that_name(question: str) -> None:
    assert sql(question) == "SELECT SUM(invoice.total) AS total_total FROM shop.invoice AS invoice"


def test_the_average_total_of_invoices_is_of_the_table_called_just_so() -> None:
    assert sql("average total of invoices by billing country") == (
        "SELECT invoice.billing_country, AVG(invoice.total) AS average_total FROM shop.invoice AS invoice "
        "GROUP BY invoice.billing_country"
    )


def test_of_two_tables_with_a_price_the_one_that_refers_to_the_groups_is_meant() -> None:
    assert "AVG(product.unit_price)" in sql("average unit price by category")
    assert isinstance(plan("average unit price", SHOP), CannotAnswer)


@pytest.mark.parametrize("question", ["How many people are employed?", "What's the headcount?"])
def test_people_employed_and_headcount_count_the_employees(question: str) -> None:
    answer = plan(question, COMPANY)
    assert isinstance(answer, Plan)
    assert answer.sql == "SELECT COUNT(*) AS number_of_employees FROM hr.employees AS employees"


def test_a_headcount_without_employees_is_declined() -> None:
    assert isinstance(plan("What's the headcount?", SHOP), CannotAnswer)


def test_top_earners_are_ordered_by_what_they_earn() -> None:
    answer = plan("Who are the top 5 earners?", COMPANY)
    assert isinstance(answer, Plan)
    assert answer.sql.endswith("ORDER BY employees.salary DESC NULLS LAST LIMIT 5")
    assert isinstance(plan("Who are the top earners?", COMPANY), CannotAnswer)  # how many?


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many products are discontinued?", "WHERE product.discontinued = 1"),
        ("How many discontinued products are there?", "WHERE product.discontinued = 1"),
        ("Which products are not discontinued?", "WHERE product.discontinued = 0"),
        ("How many products are vegan?", "WHERE product.vegan = TRUE"),
        ("List the vegan products", "WHERE product.vegan = TRUE"),
    ],
)
def test_a_word_that_is_the_name_of_a_flag_says_that_it_is_set(question: str, expected: str) -> None:
    assert sql(question).endswith(expected)


def test_an_integer_that_may_be_a_quantity_is_no_flag() -> None:
    answer = plan("How many products are ordered?", SHOP)
    assert isinstance(answer, CannotAnswer)
