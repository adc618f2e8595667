"""The last sentence of an answer: every figure in it is the result's, or was asked; else it is not said."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from basejump_chat_agent.domain.words import Facts, check, final_words
from basejump_common.contracts.connection import Proof, ResultColumn, RunResult

SALARIES = Facts(
    texts=("What is the average salary by department in 2023?", "SELECT name, AVG(salary) … LIMIT 50", "name", "avg"),
    rows=(
        ("Sales", Decimal("8955.882352"), "2023-05-17", 34),
        ("IT", 5760, "2023-12-01T09:30:00Z", 5),
        ("Plant 12", 0.45, None, 1),
    ),
    row_count=3,
)
COUNT = Facts(texts=("How many employees are there?", "SELECT COUNT(*) FROM hr.employees"), rows=((107,),), row_count=1)


@pytest.mark.parametrize(
    "text",
    [
        "Sales pays 8955.88 on average, IT 5,760.",
        "Sales pays 8,955.88, about 9,000; IT pays 5.8 thousand.",
        "Verkauf zahlt 8.955,88 und IT 5.760.",
        "Sales pays 8’955.88, IT 5\u202f760.",
        "Sales pays roughly 9k, IT almost 6,000, nobody over 8,900 but Sales.",
        "In 2023, three departments were paid: Sales (34 people), IT (five) and Plant 12.",
        "The first two of 3 departments by average; Sales came 1st, IT second, the top 3 are shown.",
        "Plant 12 stands at 45%, IT at 5760.",
        "Plant 12 stands at 45 percent.",
        "The latest is from December 1, 2023, at 9:30; the earliest from 17 May 2023 (17/05/2023, 2023-05).",
        "The years are 2023 only, limited to 50 rows.",
        "1. Sales\n2. IT\n3. Plant 12",
        "Departments differ a lot; Sales pays best.",
        "Sales pays thousands of dollars.",
        "Plant 12 has only one.",
        "٥٧٦٠ is IT's.",
    ],
)
def test_words_that_hold_are_said(text: str) -> None:
    assert check(text, SALARIES) == ()


@pytest.mark.parametrize(
    ("text", "strange"),
    [
        ("Sales pays 9,955.88.", "9,955.88"),
        ("Sales pays 8955.87.", "8955.87"),
        ("Sales pays about 8,000.", "about 8,000"),
        ("Sales pays over 9,000.", "over 9,000"),
        ("IT pays almost 5,000.", "almost 5,000"),
        ("IT pays 57.6 thousand.", "57.6 thousand"),
        ("IT pays 5,760%.", None),
        ("Plant 12 stands at 46%.", "46%"),
        ("Plant 13 is at 0.45.", "13"),
        ("There are four departments.", "four"),
        ("There are twenty-four people in Sales.", "twenty-four"),
        ("Sales pays half of what IT pays.", "half"),
        ("Sales pays twice as much.", "twice"),
        ("A third of all work in Sales.", "A third"),
        ("IT earns millions of dollars.", "millions of"),
        ("The latest is from 2 December 2023.", "2 December 2023"),
        ("The latest is from 1 December 2022.", "1 December 2022"),
        ("Hired in May 2021.", "May 2021"),
        ("At 10:30.", "10:30"),
        ("The top 6 are shown.", "6"),
        ("The first six are shown.", "six"),
        ("Model X200 pays best.", "X200"),
        ("There are no departments.", "There are no"),
        ("Sales came 7th.", "7th"),
        ("-5760 is IT's.", "-5760"),
        ("½ of them.", "1⁄2"),
        ("It is 1e6.", "1e6"),
        ("That is ٩٩ more.", "99"),
        ("4. Sales", "4"),
        ("-5761 is IT's.", "-5761"),
    ],
)
def test_a_figure_that_comes_from_nowhere_is_named(text: str, strange: str | None) -> None:
    found = check(text, SALARIES)
    if strange is None:
        assert found == ()
    else:
        assert found == (f'"{strange}" is not in the result',)


@pytest.mark.parametrize("text", ["There are 107 employees.", "One hundred and seven employees.", "Around 107."])
def test_the_value_of_the_result_is_stated(text: str) -> None:
    assert check(text, COUNT) == ()


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (COUNT, "There are many employees."),
        (Facts(rows=(("Oslo",),), row_count=1), "It is the capital."),
        (Facts(rows=(("2024-02-29",),), row_count=1), "Some day in spring."),
        (Facts(rows=((1,),), row_count=1), "There are some."),
    ],
)
def test_an_answer_that_leaves_its_value_out_is_none(facts: Facts, text: str) -> None:
    assert check(text, facts) == ("the value of the result is not stated",)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Oslo", "It is Oslo."),
        ("2024-02-29", "On 29 February 2024."),
        (1, "There is one employee."),
        (0, "There are no employees."),
        (None, "There is no value."),
        (True, "Yes."),
    ],
)
def test_a_value_of_any_kind_is_stated_in_its_own_way(value: Any, text: str) -> None:
    assert check(text, Facts(rows=((value,),), row_count=1)) == ()


def test_without_a_result_only_what_was_brought_may_be_said() -> None:
    brought = Facts(texts=("How many of the 12 stores opened in 2021?",))
    assert check("Do you mean the 12 stores, or those of 2021?", brought) == ()
    assert check("There are 14 stores.", brought) == ('"14" is not in the result',)


def ran(rows: tuple[tuple[Any, ...], ...], row_count: int, truncated: bool = False) -> RunResult:
    return RunResult(
        run_uuid=uuid4(),
        columns=(ResultColumn(name="count", type="bigint"),),
        row_count=row_count,
        truncated=truncated,
        preview=rows,
        bytes=1,
        database_seconds=0.1,
        proof=Proof(sql="SELECT COUNT(*) FROM hr.employees", fingerprint="f", row_limit=10, fully_proved=True),
    )


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("We employ 107 people.", "We employ 107 people."),
        ("We employ 108 people.", "There are 107 employees."),
        ("We employ quite a few people.", "There are 107 employees."),
        (None, "There are 107 employees."),
        ("", "There are 107 employees."),
    ],
)
def test_words_that_do_not_hold_give_way_to_a_description(own: str | None, said: str) -> None:
    assert final_words(own, "How many employees are there?", "number of employees", ran(((107,),), 1)) == said


def test_a_result_that_was_cut_is_said_to_be_cut_whosever_the_words_are() -> None:
    cut = ran(((1,), (2,)), 1000, truncated=True)
    assert final_words("The counts.", "?", "counts", cut) == "The counts. The result was cut at 1000 rows."


# -- whatever the result

_FIGURES = st.decimals(-(10**9), 10**9, allow_nan=False, places=4) | st.integers(-(10**12), 10**12)


@given(_FIGURES, st.integers(0, 3), st.sampled_from(["{:,}", "{}"]))
def test_every_rounding_of_a_value_may_be_said(value: Decimal | int, places: int, how: str) -> None:
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    assert check(f"It is {how.format(rounded)}.", Facts(rows=((value,),), row_count=1)) == ()


@given(st.integers(10, 10**12), st.integers(2, 10**12))
@example(107, 108)
@example(1_234, 123_400)
def test_no_other_whole_number_may_be_said(value: int, said: int) -> None:
    assume(said != value)
    facts = Facts(rows=((value, "x"),), row_count=1)
    assert check(f"It is {said}.", facts)
    assert check(f"It is {said:,}.", facts)


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_a_date_is_that_of_the_result(known: date, said: date) -> None:
    facts = Facts(rows=((known.isoformat(), "x"),), row_count=1)
    for spelling in ("%Y-%m-%d", "%B %d, %Y", "%d %b %Y"):
        assert (check(f"It was {said.strftime(spelling)}.", facts) == ()) == (known == said)


@pytest.mark.parametrize("value", [Decimal("1E100"), 1e308, 10**40 + 1, Decimal(10**40) + Decimal("0.3")])
def test_numbers_of_any_size_are_compared(value: Decimal | float) -> None:
    facts = Facts(rows=((value, "1E100"),), row_count=1)
    assert check("It is 86420.", facts)
    assert check(f"It is {Decimal(str(value)):f}.", facts) == ()


@given(st.text(max_size=80), st.lists(st.tuples(_FIGURES, st.text(max_size=10)), max_size=3))
def test_every_digit_is_accounted_for(text: str, rows: list[tuple[Any, ...]]) -> None:
    facts = Facts(rows=tuple(rows), row_count=len(rows))
    if check(text, facts) == () and any(character.isdecimal() for character in text):
        assert check(f"{text} 86420", facts), "a figure that is added is seen"


LINKED = Facts(
    texts=("What is https://ours.example/about of Plant?",),
    rows=(("Plant", "https://plant.example/a?b=c", "www.plant.example"),),
    row_count=1,
)


@pytest.mark.parametrize(
    "text",
    [
        "Plant is at https://plant.example/a?b=c, or www.plant.example.",
        "Plant: [its page](https://plant.example/a?b=c) (see HTTPS://OURS.example/about).",
        "Read and/or write: it's plain [as] (ever).",
    ],
)
def test_links_that_were_found_or_asked_for_are_said(text: str) -> None:
    assert check(text, LINKED) == ()


@pytest.mark.parametrize(
    "text",
    [
        "All well. ![ok](https://leak.example/?d=Plant)",
        "Plant is at https://plant.example/a?b=c&d=Plant",
        "See www.leak.example.",
        "See [here](//leak.example/x) or [there](javascript:alert).",
        '<img src="ftp://leak.example/x">',
    ],
)
def test_a_link_from_nowhere_is_not_said(text: str) -> None:
    assert any("leak.example" in wrong or "plant.example" in wrong for wrong in check(text, LINKED))
    assert "leak.example" not in final_words(text, "Where?", "Plant", ran((("Plant",),), 1))
