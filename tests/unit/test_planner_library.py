"""The same planner on another database: other words, mixed-case names, a many-to-many relation."""

from __future__ import annotations

import pytest

from basejump_planner import CannotAnswer, Column, Plan, Table, plan, value_phrases
from unit.planner_slices import LIBRARY, LIBRARY_VALUES, found


def sql(question: str) -> str:
    answer = plan(question, LIBRARY, found(question, LIBRARY, LIBRARY_VALUES))
    assert isinstance(answer, Plan), answer
    return answer.sql


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many books are there?", 'SELECT COUNT(*) AS "number_of_Book" FROM "Lending"."Book" AS "Book"'),
        (
            "What are the titles and prices of books published before 1950, sorted by price?",
            'SELECT "Book"."title", "Book"."price" FROM "Lending"."Book" AS "Book" '
            'WHERE "Book"."publishedYear" < 1950 ORDER BY "Book"."price" ASC',
        ),
        (
            "Which books were written by Norwegian authors?",
            'SELECT "Book"."title" FROM "Lending"."Book" AS "Book" JOIN "Lending"."Author" AS "Author" '
            'ON "Book"."authorId" = "Author"."authorId" WHERE "Author"."nationality" = \'Norwegian\'',
        ),
        (
            "Which members borrowed nothing? members without loans",
            "",
        ),
        (
            "Who is the oldest author?",
            'SELECT "Author"."name" FROM "Lending"."Author" AS "Author" ORDER BY "Author"."birth_date" ASC LIMIT 1',
        ),
        (
            'How many loans does the book "Hunger" have?',
            'SELECT COUNT(*) AS "number_of_Loan" FROM "Lending"."Loan" AS "Loan" JOIN "Lending"."Book" AS "Book" '
            'ON "Loan"."bookId" = "Book"."bookId" WHERE "Book"."title" = \'Hunger\'',
        ),
    ],
)
def test_questions_about_a_library(question: str, expected: str) -> None:
    if not expected:
        assert isinstance(plan(question, LIBRARY), CannotAnswer)
        return
    assert _plainly(sql(question)) == _plainly(expected)


def _plainly(text: str) -> str:
    """Whether a plain name is quoted doesn't matter, mixed-case names must be."""
    for name in ("title", "price", "name", "nationality", "birth_date"):
        text = text.replace(f'"{name}"', name)
    return text


def test_columns_of_children_of_one_parent_are_not_joined_sideways() -> None:
    answer = plan("average age of members by author", (*LIBRARY[:2], LIBRARY[2]))
    assert isinstance(answer, CannotAnswer)


def test_reserved_words_are_quoted() -> None:
    assert '"user"' in sql("List the user of each member")


def test_quoted_and_capitalised_phrases_are_looked_up_first() -> None:
    phrases = value_phrases('Which books of Knut Hamsun are called "Hunger" and gloomy?', LIBRARY)
    assert phrases[0] == "Hunger"
    assert "Knut Hamsun" in phrases
    assert "gloomy" in phrases
    assert len(phrases) <= 12


def test_words_of_the_schema_and_of_the_language_are_not_looked_up() -> None:
    assert value_phrases("How many books are there for each author?", LIBRARY) == ()


def test_distinct_values_written_by_an_admin_need_no_lookup() -> None:
    colours = Column(name="state", type="text", distinct_values=("Open", "Closed"))
    tickets = Table(
        schema="desk", name="ticket", columns=(Column(name="id", type="integer", primary_key=True), colours)
    )
    answer = plan("How many tickets are closed?", (tickets,))
    assert isinstance(answer, Plan)
    assert answer.sql == "SELECT COUNT(*) AS number_of_ticket FROM desk.ticket AS ticket WHERE ticket.state = 'Closed'"


def test_a_short_comment_on_a_column_is_another_name_for_it() -> None:
    columns = (
        Column(name="id", type="integer", primary_key=True),
        Column(name="c7", type="numeric", description="Net revenue"),
    )
    answer = plan("total net revenue of shops", (Table(schema="s", name="shop", columns=columns),))
    assert isinstance(answer, Plan)
    assert "SUM(shop.c7)" in answer.sql
