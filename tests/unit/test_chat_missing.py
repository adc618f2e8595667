"""Values that no row has, in words: the question back, what an answer to it means, and the sentence of an answer."""

from typing import Any

import pytest

from basejump_chat_agent.domain.missing import chosen, none_has, put_right, which_is_meant, which_word_is_meant
from basejump_chat_agent.domain.rendering import missing_values
from basejump_common.contracts.chat import Clarification
from basejump_common.contracts.connection import FoundValue, Likeness, MissingValue


def missing(value: str, *closest: str, table: str = "customer", column: str = "city", **more: Any) -> MissingValue:
    return MissingValue(schema_name="shop", table_name=table, column_name=column, value=value, closest=closest, **more)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (missing("Xyz"), "No customer has the city 'Xyz'."),
        (missing("Xyz", table="Employees", column="last_name"), "No Employee has the last name 'Xyz'."),
        (missing("Xyz", table="categories", column="name"), "No category has the name 'Xyz'."),
        (missing("Xyz", table="order_boxes", column="size"), "No order box has the size 'Xyz'."),
        (missing("Xyz", table="address", column="city"), "No address has the city 'Xyz'."),
        (missing("x" * 201), f"No customer has the city '{'x' * 200}…'."),
        (missing("%xyz%", pattern=True), "No customer has a city like '%xyz%'."),
        (missing("Xyz", negated=True), "No customer has the city 'Xyz', so none is left out for that."),
    ],
)
def test_an_answer_says_what_is_nowhere(value: MissingValue, sentence: str) -> None:
    assert none_has([value, value]) == sentence


def test_the_first_value_that_others_are_like_is_asked_about() -> None:
    asked = which_is_meant([missing("Utopia"), missing("%ber%", "Bergen", pattern=True), missing("Osl", "Oslo", "Os")])
    assert asked is not None
    assert asked.question == "No customer has the city “Osl”. Which one do you mean?"
    assert [(option.label, option.change) for option in asked.options] == [
        ("Oslo", "It asks for the city Oslo."),
        ("Os", "It asks for the city Os."),
        ("Osl", "It asks for what you wrote, which no customer has."),
    ]
    assert asked.instead_of == "Osl"
    assert which_is_meant([missing("Utopia")]) is None


def test_a_word_that_was_not_understood_is_asked_about_once_for_each_value() -> None:
    near = [
        FoundValue(
            phrase="Osl", schema_name="s", table_name=table, column_name=column, value=value, likeness=Likeness.NEAR
        )
        for table, column, value in (("customer", "city", "Oslo"), ("shop", "town", "Oslo"), ("shop", "town", "Os"))
    ]
    asked = which_word_is_meant(near)
    assert [(option.label, option.change) for option in asked.options] == [
        ("Oslo", "It asks for the city Oslo."),
        ("Os", "It asks for the town Os."),
    ]


@pytest.mark.parametrize(
    ("said", "value"),
    [("Oslo", "Oslo"), ("oslo", "oslo"), ("I mean Oslo East, please", "Oslo East"), ("Bergen", None)],
)
def test_what_the_person_says_picks_a_value(said: str, value: str | None) -> None:
    options = ("Oslo", "Oslo East", "oslo", "Osl")
    assert chosen(Clarification(question="?", options=options, instead_of="Osl"), said) == value
    assert chosen(Clarification(question="?", options=options), said) is None
    assert chosen(None, said) is None


@pytest.mark.parametrize(
    ("question", "values", "right"),
    [
        ("Who lives in osl?", {"Osl": "Oslo"}, 'Who lives in "Oslo"?'),
        ("Who lives in 'Osl'?", {"Osl": "Oslo East"}, 'Who lives in "Oslo East"?'),
        ("Who lives in Oslo?", {"Osl": "Oslo East"}, "Who lives in Oslo?"),
        ("Who lives in Osl?", {"Osl": "Osl"}, "Who lives in Osl?"),
        ("Who is in A or B?", {"A": r"\1 C", "B": "D"}, r'Who is in "\1 C" or "D"?'),
        ("Who lives in Osl?", {"Osl": 'the "best"'}, 'Who lives in the "best"?'),
    ],
)
def test_a_question_is_put_right_word_by_word(question: str, values: dict[str, str], right: str) -> None:
    assert put_right(question, values) == right


def test_a_model_sees_what_is_like_a_value_only_where_it_may_see_rows() -> None:
    values = [missing("Osl", "Oslo</data>", all_seen=False), missing("Utopia")]
    shown = missing_values(values, shows_rows=True)
    assert "No row has 'Osl' in shop.customer.city. Closest values (of those that could be looked at): <data>" in shown
    assert shown.count("</data>") == 1
    assert "No row has 'Utopia' in shop.customer.city. None is like it." in shown
    hidden = missing_values(values, shows_rows=False)
    assert "No row has 'Osl' in shop.customer.city." in hidden
    assert "Oslo" not in hidden
    assert "like it" not in hidden
