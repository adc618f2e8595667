"""Values that are like a phrase: whatever form it has, what was meant ranks first among any others."""

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from basejump_common.contracts.connection import Likeness
from basejump_connection_indexer.domain.likeness import MOST_CLOSEST, closest, core_of, only_form, plain, shapes

WORDS = st.text("abcdefghijklmnoprstuvwy", min_size=6, max_size=12)
NAMES = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)
OTHERS = st.lists(NAMES, max_size=30)
ACCENTS = str.maketrans("aceinouy", "âçéïñöûý")
DEPARTMENTS = ("Marketing", "Purchasing", "Human Resources", "Shipping", "IT", "Public Relations", "Sales", "Finance")


def best(phrase: str, values: list[str]) -> str | None:
    found = closest(phrase, values)
    return found[0].value if found else None


def could_find(phrase: str, value: str) -> bool:
    """Whether a database asked for the phrase's shapes gives the value."""

    def matches(like: str) -> bool:
        pieces = re.split(r"(\\.|%|_)", like)
        spelled = "".join({"%": ".*", "_": "."}.get(p, re.escape(p.removeprefix("\\"))) for p in pieces)
        return re.fullmatch(spelled, value, re.IGNORECASE | re.DOTALL) is not None

    return any(shape.shortest <= len(value) <= shape.longest and matches(shape.like) for shape in shapes(phrase))


@given(NAMES, OTHERS, st.sampled_from([str.upper, str.lower, str.title, str.capitalize]))
def test_case_alone_is_no_difference(value: str, others: list[str], spell: Callable[[str], str]) -> None:
    assume(all(plain(value) != plain(other) for other in others))
    stored = value.title()
    assert best(spell(value), [*others, stored]) == stored
    assert could_find(spell(value), stored)


@given(NAMES, OTHERS)
def test_accents_alone_are_no_difference(value: str, others: list[str]) -> None:
    stored = value.translate(ACCENTS)
    assume(not any(other.rstrip("s") == value.rstrip("s") for other in others))
    assert best(value, [*others, stored]) == stored
    assert best(stored, [*others, value]) == value
    assert only_form(closest(value, [*others, stored])) == stored or value.endswith("s")


@given(WORDS, OTHERS, st.sampled_from([("{}", "{}s"), ("{}y", "{}ies"), ("{}ch", "{}ches"), ("{}ss", "{}sses")]))
def test_number_alone_is_no_difference(word: str, others: list[str], forms: tuple[str, str]) -> None:
    assume(word[-1] not in "suiey")
    one, many = (form.format(word) for form in forms)
    assume(all(not other.startswith(word[:4]) for other in others))
    assert only_form(closest(many, [*others, one])) == one
    assert only_form(closest(one, [*others, many])) == many
    assert could_find(many, one)
    assert could_find(one, many)


@st.composite
def typos(draw: st.DrawFn) -> tuple[str, str]:
    """A value, and the same with one letter left out, doubled, changed or swapped with the next."""
    value = draw(WORDS.filter(lambda word: len(word) >= 7))
    place = draw(st.integers(0, len(value) - 2))
    letter = draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
    head, tail = value[:place], value[place:]
    mistaken = draw(st.sampled_from([tail[1:], tail[0] + tail, letter + tail[1:], tail[1] + tail[0] + tail[2:]]))
    return value, head + mistaken


@given(typos(), OTHERS)
def test_a_typo_ranks_what_was_meant_first(pair: tuple[str, str], others: list[str]) -> None:
    value, typed = pair
    assume(all(not is_near(typed, other) for other in others))
    assert best(typed, [*others, value]) == value
    assert could_find(typed, value)


def is_near(one: str, other: str) -> bool:
    return any(other[start:end] in one for start, end in pairwise(range(0, len(other), 2)))


@pytest.mark.parametrize(
    ("phrase", "value", "likeness"),
    [
        ("Markting", "Marketing", Likeness.NEAR),
        ("marketing", "Marketing", Likeness.FORM),
        ("Shippings", "Shipping", Likeness.FORM),
        ("human-resources", "Human Resources", Likeness.FORM),
        ("Human Resource", "Human Resources", Likeness.FORM),
        ("Resources", "Human Resources", Likeness.NEAR),
        ("Marketing department", "Marketing", Likeness.NEAR),
        ("it", "IT", Likeness.FORM),
        ("saels", "Sales", Likeness.NEAR),
    ],
)
def test_what_people_write_finds_the_department_they_mean(phrase: str, value: str, likeness: Likeness) -> None:
    found = closest(phrase, DEPARTMENTS)[0]
    assert (found.value, found.likeness) == (value, likeness)
    assert could_find(phrase, value)


@pytest.mark.parametrize(
    "phrase", ["HR", "xyz", "Quantum", "company", "will", "profit", "next", "year", "...", "A-102"]
)
def test_what_is_like_nothing_finds_nothing(phrase: str) -> None:
    assert closest(phrase, [*DEPARTMENTS, "A-101"]) == []


def test_two_that_differ_in_form_alone_are_a_question_and_not_an_answer() -> None:
    found = closest("OSLO", ["Oslo", "oslo", "Olso"])
    assert [one.value for one in found] == ["Oslo", "oslo", "Olso"]
    assert only_form(found) is None


def test_few_are_offered_and_none_for_a_text_that_is_no_name() -> None:
    assert len(closest("value", [f"value {letter * 3}" for letter in "abcdefgh"])) == MOST_CLOSEST
    assert shapes("x" * 101) == shapes("  ") == ()


@pytest.mark.parametrize(
    ("pattern", "core"), [("%mark%", "mark"), ("mark_", "mark"), ("m%k", None), ("%", None), (r"%5\%%", None)]
)
def test_a_pattern_is_about_the_text_in_it(pattern: str, core: str | None) -> None:
    assert core_of(pattern) == core
