"""Our tools as a language model calls them: arguments in, a short text out; rows only as delimited data."""

from contextvars import ContextVar
from functools import cache
from typing import Any, TypeAlias

from langchain_core.tools import BaseTool, StructuredTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from basejump_chat_agent import prompts
from basejump_chat_agent.adapters.language_model.work import AtWork, ToolReply
from basejump_chat_agent.domain import comparing, rendering
from basejump_chat_agent.domain.answerer import AskedBack, Option
from basejump_chat_agent.domain.failures import NeedsPerson, NoSuchValue
from basejump_chat_agent.domain.missing import which_is_meant
from basejump_common.contracts.connection import RunResult, Table

# Not an argument that langchain injects: those pass through pydantic, which would look into it.
AT_WORK: ContextVar[AtWork] = ContextVar("AT_WORK")
"""The question for which a tool is called."""

Reply: TypeAlias = tuple[str, ToolReply]

SHOWING_ROWS = frozenset({"find_values", "compare"})
"""Tools that make no sense where no value of a row may reach the model."""

_MOST_TABLES = 6
_MOST_OPTIONS = 5


async def search_tables(about: str) -> Reply:
    """Tables that weren't shown yet."""
    work = AT_WORK.get()
    known = {table.tbl_uuid for table in work.tables}
    found = await work.tools.search_tables(about[:1_000])
    fresh = tuple(table for table in found if table.tbl_uuid not in known)[:_MOST_TABLES]
    return _reply(rendering.schema(fresh, work.asked.dialect) or "There are no others.", tables=fresh)


async def describe_table(table: str) -> Reply:
    """A table that was shown."""
    work = AT_WORK.get()
    found = _named(work, table)
    if found is None:
        return _reply("There is no such table; search_tables finds them.", failed=True)
    return _reply(rendering.table_line(found, work.asked.dialect, notes=True))


async def find_values(phrases: list[str]) -> Reply:
    """In the tables that were shown."""
    work = AT_WORK.get()
    found = await work.tools.find_values(tuple(phrases[:10]), work.tables, closest=True)
    return _reply(rendering.found_values(found[:20]))


async def run_sql(sql: str, reading: str, final: bool = True) -> Reply:
    """Proved, within its budget, run."""
    work = AT_WORK.get()
    await work.tools.think(f"I understand the question as: {reading[:500]}", sql)
    try:
        ran = await _run(work, sql)
    except NoSuchValue as failure:
        told = tuple(value.value for value in failure.values)
        return _reply(rendering.missing_values(failure.values, shows_rows=work.tools.shows_rows), told_missing=told)
    said = rendering.result(ran, shows_rows=work.tools.shows_rows)
    return _reply(said, reading=reading[:500], ran=ran, final=final)


async def _run(work: AtWork, sql: str) -> RunResult:
    """A model that runs it again means a value that no row has; where it may not see what is like that, the person is
    asked. Raises NoSuchValue for each value once."""
    told = work.told_missing
    if work.tools.shows_rows or not told:
        return await work.tools.run_sql(work.call, sql, told)
    try:
        return await work.tools.run_sql(work.call, sql)
    except NoSuchValue as failure:
        if not {value.value for value in failure.values} <= set(told):
            raise
        asked_back = which_is_meant(failure.values)
        if asked_back is not None:
            raise NeedsPerson(asked_back) from failure
    return await work.tools.run_sql(work.call, sql, told)


async def draw_chart(kind: str, x: str, y: list[str], title: str = "") -> Reply:
    """Drawn at the end, from the stored result."""
    return _reply("Noted.", chart={"kind": kind, "x": x, "y": y, "title": title})


async def compare(question_number: int) -> Reply:
    """The latest result with an earlier one."""
    work = AT_WORK.get()
    turns, latest = work.asked.turns, work.latest
    if latest is None or latest.ran is None:
        return _reply("Run SQL first: there is no result to compare.", failed=True)
    if not 1 <= question_number <= len(turns) or not turns[question_number - 1].columns:
        return _reply("That question has no result.", failed=True)
    return _reply(comparing.compare(turns[question_number - 1], latest.ran))


async def ask_person(question: str, options: list[str], changes: list[str] | None = None) -> Reply:
    """Ends the work until the person answers."""
    said = [*(changes or []), *([""] * len(options))]
    choices = tuple(
        Option(label=label[:200], change=change[:500])
        for label, change in zip(options[:_MOST_OPTIONS], said, strict=False)
    )
    return _reply("Asked.", asked_back=AskedBack(question=question[:1_000], options=choices))


async def documentation(topic: str) -> Reply:
    """What administrators wrote about the tables at hand, and our hints."""
    written = [f"{table.table_name}: {table.context[:1_000]}" for table in AT_WORK.get().tables if table.context]
    hints = prompts.sections("documentation")
    wanted = [text for heading, text in hints.items() if heading in topic.lower()]
    notes = "\n".join(line for line in written if any(word in line.lower() for word in topic.lower().split()))
    found = "\n".join([*wanted, *([rendering.data([[notes]])] if notes else [])])
    return _reply(found or f"Nothing. Topics: {', '.join(hints)}, and words of the tables.")


def _reply(said: str, **came_of_it: Any) -> Reply:
    return said, ToolReply(said=said, **came_of_it)


def _named(work: AtWork, name: str) -> Table | None:
    wanted = name.lower().replace('"', "").split(".")[-1]
    return next((table for table in work.tables if table.table_name.lower() == wanted), None)


_FUNCTIONS = (
    run_sql,
    search_tables,
    describe_table,
    find_values,
    draw_chart,
    compare,
    ask_person,
    documentation,
)


def langchain_tools() -> list[BaseTool]:
    """With the descriptions of prompts/tools.md."""
    described = prompts.sections("tools")
    return [
        StructuredTool.from_function(
            coroutine=function,
            name=function.__name__,
            description=described[function.__name__],
            response_format="content_and_artifact",
        )
        for function in _FUNCTIONS
    ]


@cache
def described_tools() -> dict[str, dict[str, Any]]:
    """By name, as models are told of them: made once, since a model's client would make them anew for each call."""
    return {tool.name: convert_to_openai_tool(tool) for tool in langchain_tools()}
