"""What a question says of a text column that it names is taken as a value of it, whether it is one or not."""

import pytest

from basejump_planner import CannotAnswer, Column, Plan, Table, ValueHit, plan, values_as_said

CUSTOMERS = Table(
    schema="shop",
    name="customers",
    columns=(
        Column(name="customer_id", type="integer", primary_key=True),
        Column(name="city", type="character varying(40)"),
        Column(name="age", type="integer"),
    ),
)


@pytest.mark.parametrize(
    ("question", "phrases"),
    [
        ("How many customers have the city 'Xyz'?", ["Xyz"]),
        ("How many customers are there whose city is not Xyz?", ["Xyz"]),
        ("customers where city = “New Xyz”", ["New Xyz"]),
        ("How many customers live in Xyz?", []),
        ("What is the city of customers in Q3?", []),
        ("customers with age 'Xyz'", []),
        ("How many customers have a city?", []),
    ],
)
def test_phrases_behind_a_text_column_are_values_of_it(question: str, phrases: list[str]) -> None:
    said = values_as_said(question, (CUSTOMERS,))
    assert said == tuple(
        ValueHit(phrase=phrase, schema="shop", table="customers", column="city", value=phrase) for phrase in phrases
    )


def test_a_question_about_a_value_that_is_nowhere_can_be_planned_with_it() -> None:
    question = "How many customers have the city 'Xyz'?"
    assert isinstance(plan(question, (CUSTOMERS,)), CannotAnswer)
    planned = plan(question, (CUSTOMERS,), values_as_said(question, (CUSTOMERS,)))
    assert isinstance(planned, Plan)
    assert planned.sql.endswith("WHERE customers.city = 'Xyz'")
