"""The port of answerers, filled by the planner without a language model."""

from uuid import uuid4

import pytest

from answering_tools import InHand
from basejump_chat_agent.adapters.builtin_answerer import BuiltinAnswerer
from basejump_chat_agent.domain.answerer import Asked
from basejump_chat_agent.domain.failures import CannotGoOn
from basejump_common.contracts.connection import Column, ForeignKey, FoundValue, Likeness, Table


def table(name: str, *columns: Column, keys: tuple[ForeignKey, ...] = (), ignore: bool = False) -> Table:
    return Table(
        tbl_uuid=uuid4(),
        db_uuid=uuid4(),
        schema_name="hr",
        table_name=name,
        table_type="table",
        columns=columns,
        foreign_keys=keys,
        ignore=ignore,
    )


def column(name: str, column_type: str = "integer", primary_key: bool = False, ignore: bool = False) -> Column:
    return Column(col_uuid=uuid4(), column_name=name, column_type=column_type, primary_key=primary_key, ignore=ignore)


DEPARTMENTS = table("departments", column("department_id", primary_key=True), column("department_name", "text"))
EMPLOYEES = table(
    "employees",
    column("employee_id", primary_key=True),
    column("salary", "numeric"),
    column("department_id"),
    keys=(
        ForeignKey(
            columns=("department_id",),
            references_schema="hr",
            references_table="departments",
            references_columns=("department_id",),
        ),
    ),
)
TABLES = (EMPLOYEES, DEPARTMENTS)


async def plan(question: str, tables: tuple[Table, ...] = TABLES, *values: FoundValue) -> str:
    """The statement that is run. Raises CannotGoOn."""
    tools = InHand(values)
    asked = Asked(question=question, meant=question, dialect="postgres", database="hr", tables=tables)
    await BuiltinAnswerer().answer(asked, tools)
    return tools.ran[0]


async def test_keys_reach_the_planner() -> None:
    sql = await plan("What is the average salary by department?")
    assert "department_name" in sql
    assert "JOIN" in sql


async def test_found_values_reach_the_planner() -> None:
    value = FoundValue(
        phrase="Shipping",
        schema_name="hr",
        table_name="departments",
        column_name="department_name",
        value="Shipping",
    )
    assert "'Shipping'" in await plan("How many employees are in Shipping?", TABLES, value)


async def test_what_it_can_not_read_it_declines() -> None:
    with pytest.raises(CannotGoOn) as declined:
        await plan("Why is the sky blue?")
    assert declined.value.code == "needs_language_model"


async def test_without_tables_it_declines() -> None:
    with pytest.raises(CannotGoOn):
        await plan("How many employees are there?", ())


@pytest.mark.parametrize("hidden", ["table", "column"])
async def test_what_is_ignored_is_not_planned_with(hidden: str) -> None:
    employees = table(
        "employees",
        column("employee_id", primary_key=True),
        column("salary", "numeric", ignore=hidden == "column"),
        ignore=hidden == "table",
    )
    with pytest.raises(CannotGoOn):
        await plan("What is the average salary of employees?", (employees,))


@pytest.mark.parametrize(("word", "code"), [("shiping", "clarification"), ("sales", "needs_language_model")])
async def test_a_figure_that_no_column_holds_is_nobodys_misspelt_name(word: str, code: str) -> None:
    near = FoundValue(
        phrase=word,
        schema_name="hr",
        table_name="departments",
        column_name="department_name",
        value="Shipping and sales",
        likeness=Likeness.NEAR,
    )
    with pytest.raises(CannotGoOn) as declined:
        await plan(f"total salary of {word} employees", TABLES, near)
    assert declined.value.code == code
