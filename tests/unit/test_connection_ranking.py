"""Which tables a question is about: names, columns, comments, synonyms, and the way between tables."""

from uuid import uuid4

from basejump_connection_indexer.domain.definition import (
    ColumnDefinition,
    ColumnNotes,
    IndexedTable,
    KeyDefinition,
    TableDefinition,
    TableNotes,
)
from basejump_connection_indexer.domain.retrieval import RetrievalIndex
from basejump_connection_indexer.domain.words import name_terms, question_terms


def table(
    name: str, *columns: str, comment: str = "", to: tuple[str, ...] = (), notes: TableNotes | None = None
) -> IndexedTable:
    definition = TableDefinition(
        schema="s",
        name=name,
        kind="table",
        columns=tuple(ColumnDefinition(column, "text", True) for column in columns),
        comment=comment,
        foreign_keys=tuple(KeyDefinition((f"{other}_id",), "s", other, ("id",)) for other in to),
    )
    return IndexedTable(tbl_uuid=uuid4(), definition=definition, notes=notes or TableNotes())


NOISE = [table(f"archive_{number}", "id", "payload", "created_at") for number in range(500)]
HR = [
    table("employees", "employee_id", "first_name", "salary", "department_id", to=("departments",)),
    table("departments", "department_id", "department_name"),
    table("dependents", "dependent_id", "relationship", "employees_id", to=("employees",)),
    table("OrderDetails", "OrderID", "UnitPrice"),
    table("x17", "a", comment="Birthdays of every colleague"),
]


def first(question: str, tables: list[IndexedTable], limit: int = 5) -> list[str]:
    return [ranked.table.definition.name for ranked in RetrievalIndex(tables).rank(question, limit).tables]


def test_names_are_split_into_words_whatever_their_spelling() -> None:
    assert name_terms("OrderDetails") == name_terms("order_details") == name_terms("ORDER-DETAILS")
    assert name_terms("HTTPServerID") == ("http", "server", "id")
    assert name_terms("straßeÉtat2024")[-1] == "2024"


def test_words_of_a_question_that_say_nothing_count_nothing() -> None:
    assert "how" not in question_terms("How many employees are there?")
    assert question_terms("How many employees?")[name_terms("employee")[0]] == 1.0


def test_the_named_table_comes_first_among_hundreds() -> None:
    assert first("How many employees are there?", [*NOISE, *HR])[0] == "employees"
    assert first("What is the unit price in the order details?", [*NOISE, *HR])[0] == "OrderDetails"


def test_a_column_a_comment_a_synonym_and_an_abbreviation_lead_to_their_table() -> None:
    assert first("What is the highest salary?", [*NOISE, *HR])[0] == "employees"
    assert first("When are the birthdays?", [*NOISE, *HR])[0] == "x17"
    assert "employees" in first("What do the staff earn?", [*NOISE, *HR])[:2]
    assert first("How many departments?", [*NOISE, table("dept", "deptno", "dname")])[0] == "dept"


def test_tables_between_those_of_the_question_come_along_for_the_join() -> None:
    middle = table("enrolment", "student_id", "course_id", to=("student", "course"))
    tables = [*NOISE, table("student", "id", "name"), middle, table("course", "id", "title")]
    assert set(first("Which students take which courses?", tables, 4)) >= {"student", "course", "enrolment"}


def test_what_an_admin_ignores_is_never_found_and_what_they_write_is() -> None:
    hidden = table("employees", "salary", notes=TableNotes(ignore=True))
    assert first("salary of employees", [hidden]) == []
    column = table("t1", "salary", notes=TableNotes(columns={"salary": ColumnNotes(ignore=True)}))
    assert first("salary", [column, *NOISE]) == []
    written = table("t2", "k", notes=TableNotes(context="Warranty claims of our customers"))
    assert first("How many warranty claims?", [written, *NOISE])[0] == "t2"


def test_a_small_database_is_given_whole_best_first() -> None:
    ranking = RetrievalIndex(HR).rank_all("How many dependents does each employee have?")
    assert len(ranking.tables) == len(HR)
    assert {ranked.table.definition.name for ranked in ranking.tables[:2]} == {"dependents", "employees"}


def test_coverage_tells_how_much_of_the_question_is_known() -> None:
    index = RetrievalIndex([*NOISE, *HR])
    assert index.rank("salary of employees by department", 10).coverage > 0.7
    assert index.rank("colour of penguins", 10).coverage == 0.0
