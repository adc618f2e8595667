"""How a schema, rows and a conversation are shown to a language model: compactly, and rows as delimited data."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from basejump_chat_agent.domain.answerer import Asked, Clarified
from basejump_chat_agent.domain.conversation import ROWS, Turn
from basejump_common.contracts.chat import MessageType
from basejump_common.contracts.connection import (
    Column,
    FoundValue,
    Likeness,
    MissingValue,
    ResultColumn,
    RunResult,
    Table,
)

_SHORT_TYPES = (
    (re.compile(r"character varying|character|bpchar|varchar\b.*|text", re.IGNORECASE), "text"),
    (re.compile(r"timestamp(\(\d\))? with time zone", re.IGNORECASE), "timestamptz"),
    (re.compile(r"timestamp(\(\d\))? without time zone", re.IGNORECASE), "timestamp"),
    (re.compile(r"integer|bigint|smallint", re.IGNORECASE), "int"),
    (re.compile(r"double precision|real", re.IGNORECASE), "float"),
)
_QUOTES = {"mysql": "`", "bigquery": "`"}
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_LONGEST_NOTE = 120
_LONGEST_CELL = 200
_VALUES = 12
_FUNCTIONS = 50
_CHARACTERS_PER_TOKEN = 4
_WITH_MISSING = "Use the value that is meant, or run the same again if that is what the person wants to know."
_WITHOUT_VALUES = (
    "The values there may not be shown to you. Mend the spelling, or run the same again: then the person is asked."
)


def tokens(text: str) -> int:
    """About how many tokens a text has: English and SQL have four characters to one."""
    return len(text) // _CHARACTERS_PER_TOKEN + 1


def schema(tables: Iterable[Table], dialect: str) -> str:
    """A line for each table: `hr.employees(employee_id int key, manager_id int → employees.employee_id, …)`."""
    return "\n".join(table_line(table, dialect) for table in tables if not table.ignore)


def table_line(table: Table, dialect: str, *, notes: bool = False) -> str:
    """One table, its names as `dialect` quotes them; with `notes` what is written about its columns too."""
    columns = ", ".join(_column(column, dialect, notes=notes) for column in table.columns if not column.ignore)
    about = f" -- {_note(table.context)}" if table.context else ""
    return f"{table.schema_name}.{table.table_name}({columns}){about}"


def _column(column: Column, dialect: str, *, notes: bool) -> str:
    quote = _QUOTES.get(dialect, '"')
    name = f"{quote}{column.column_name}{quote}" if column.quoted else column.column_name
    parts = [name, _type(column.column_type)]
    if column.primary_key:
        parts.append("key")
    if column.foreign_key_table_name:
        parts.append(f"→ {column.foreign_key_table_name}.{column.foreign_key_column_name}")
    if column.distinct_values:
        parts.append(f"in {data([list(column.distinct_values[:_VALUES])])}")
    if notes and column.description:
        parts.append(f"({_note(column.description)})")
    return " ".join(parts)


def _type(spelled: str) -> str:
    base = spelled.split("(")[0] if not spelled.lower().startswith("timestamp") else spelled
    for pattern, short in _SHORT_TYPES:
        if pattern.fullmatch(base):
            return short
    return base


def _note(text: str) -> str:
    flat = " ".join(text.split()).replace("<", "‹")
    return flat if len(flat) <= _LONGEST_NOTE else f"{flat[:_LONGEST_NOTE]}…"


def data(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as delimited data, a JSON array a line; nothing in a cell can end the block."""
    lines = (json.dumps([_cell(cell) for cell in row], ensure_ascii=False, default=str) for row in rows)
    return "<data>" + "\n".join(lines).replace("<", "\\u003c") + "</data>"


def _cell(cell: Any) -> Any:
    text = cell if isinstance(cell, str) else None
    return f"{text[:_LONGEST_CELL]}…" if text is not None and len(text) > _LONGEST_CELL else cell


def result(ran: RunResult, *, shows_rows: bool) -> str:
    """What a model learns of a result: its shape, and at most ten rows where the client allows that."""
    return _result(ran.columns, ran.preview, ran.row_count, shows_rows=shows_rows)


def _result(columns: Sequence[ResultColumn], rows: Sequence[Sequence[Any]], count: int, *, shows_rows: bool) -> str:
    names = ", ".join(column.name for column in columns)
    shown = rows[:ROWS] if shows_rows else ()
    what = f"{count} rows ({names})"
    return f"{what}, the first {len(shown)}: {data(shown)}" if shown else what


def found_values(found: Iterable[FoundValue]) -> str:
    """Where phrases stand in the data."""
    values = [(one, f"{one.schema_name}.{one.table_name}.{one.column_name}") for one in found]
    there = [(one.phrase, place, one.value) for one, place in values if one.likeness is Likeness.EQUAL]
    alike = [(one.phrase, place, one.value) for one, place in values if one.likeness is not Likeness.EQUAL]
    said = f"phrase, column, stored value: {data(there)}" if there else "None of them was found."
    return f"{said}\nNot found, but like it: {data(alike)}" if alike else said


def missing_values(missing: Iterable[MissingValue], *, shows_rows: bool) -> str:
    """Why a statement didn't run, with what is like the values that no row has, where the client allows that."""
    lines = [_missing(value, shows_rows=shows_rows) for value in missing]
    return "\n".join(("Not run.", *lines, _WITH_MISSING if shows_rows else _WITHOUT_VALUES))


def _missing(value: MissingValue, *, shows_rows: bool) -> str:
    what = "Nothing is like" if value.pattern else "No row has"
    said = f"{what} '{value.value}' in {value.schema_name}.{value.table_name}.{value.column_name}."
    if not shows_rows:
        return said
    some = "" if value.all_seen else " (of those that could be looked at)"
    return f"{said} Closest values{some}: {data([value.closest])}" if value.closest else f"{said} None is like it."


def question(asked: Asked, template: str, *, shows_rows: bool, room: int) -> str:
    """The first message of a question. `room`: tokens for the conversation before it."""
    earlier = history(asked.turns, shows_rows=shows_rows, room=room)
    return template.format(
        tables=schema(asked.tables, asked.dialect) or "none found: use search_tables",
        functions=_functions(asked.functions),
        history=f"\nEarlier in this conversation:\n{earlier}\n" if earlier else "",
        clarified=_clarified(asked.clarified, shows_rows=shows_rows),
        question=asked.question,
    )


def _functions(functions: Sequence[str]) -> str:
    named = ", ".join(functions[:_FUNCTIONS])
    return f"Queries may call these functions of the database too: {named}\n" if named else ""


def _clarified(clarified: Sequence[Clarified], *, shows_rows: bool) -> str:
    asked = (f"You asked: {_one_line(one.asked)}\n" if shows_rows else "" for one in clarified)
    lines = (f"{said}The person answered: {one.answered}\n" for said, one in zip(asked, clarified, strict=True))
    return "\n" + "".join(lines) if clarified else ""


def history(turns: Sequence[Turn], *, shows_rows: bool, room: int) -> str:
    """Earlier questions, numbered, oldest first: the latest in full, older ones as their question alone, the oldest
    as their number when there is no room for more."""
    questions = " ".join(turn.question for turn in turns)
    lines: list[str] = []
    for number in range(len(turns), 0, -1):
        turn = turns[number - 1]
        whole = f"{number}. {_turn(turn, questions, shows_rows=shows_rows)}"
        brief = f"{number}. {_one_line(turn.question)}"
        line = next((text for text in (whole, brief) if tokens(text) <= room), None)
        if line is None:
            lines.append(f"({number} earlier questions are left out)")
            break
        room -= tokens(line)
        lines.append(line)
    return "\n".join(reversed(lines))


def _turn(turn: Turn, questions: str, *, shows_rows: bool) -> str:
    parts = [_one_line(turn.question)]
    if turn.sql:
        parts.append(f"SQL: {turn.sql if shows_rows else _without_values(turn.sql, questions)}")
        parts.append(f"Result: {_result(turn.columns, turn.rows, turn.row_count, shows_rows=shows_rows)}")
    elif turn.answer and shows_rows:
        what = "You asked back" if turn.msg_type is MessageType.CLARIFICATION else "Answer"
        parts.append(f"{what}: {data([[_one_line(turn.answer)]])}")
    if turn.thumbs_up is not None:
        parts.append(f"The person found that {'right' if turn.thumbs_up else 'wrong'}. {_one_line(turn.thumbs_reason)}")
    return "\n   ".join(parts).rstrip()


def _without_values(sql: str, questions: str) -> str:
    """Texts in a statement that no question brought may have come from the data."""
    said = questions.lower()
    return _LITERAL.sub(lambda found: found[0] if found[0].strip("'%").lower() in said else "'…'", sql)


def plain(content: object) -> str:
    """The text of a message's content, which may be blocks of several kinds."""
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    texts = (block if isinstance(block, str) else block.get("text", "") for block in blocks)
    return "".join(text for text in texts if isinstance(text, str))


def _one_line(text: str) -> str:
    return " ".join(text.split())
