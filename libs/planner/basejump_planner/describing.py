"""The words of an answer, made of the result alone: no figure that isn't in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal

from basejump_planner.plurals import singular
from basejump_planner.words import stem

_SHOWN_ROWS = 5
_LONG_FRACTION = re.compile(r"^-?\d+\.\d{3,}$")
_COUNTS = "number of "
_NOUN_ENDS = re.compile(r" (?:where|with|without|for|of)\b|,")
_DIFFERENT = "different "


def describe(
    question: str, plan_reading: str, columns: Sequence[str], rows: Sequence[Sequence[object]], row_count: int
) -> str:
    """One to three sentences on a result; `rows` may be only the first of `row_count` rows.

    What was understood is said, so that a misunderstanding shows; `question` only tells how the person says "tracks".

    Numbers are rounded to two decimals; decimals may arrive as text, as they do from JSON.
    """
    if plan_reading.startswith(_COUNTS):
        plan_reading = _COUNTS + _counted(plan_reading.removeprefix(_COUNTS), lambda noun: _as_asked(noun, question))
    if row_count == 1:
        plan_reading = plan_reading.removeprefix(_DIFFERENT)
    if row_count == 0 or not rows:
        return f"Nothing was found for: {plan_reading}."
    if row_count == 1 and len(rows[0]) == 1:
        return _single(plan_reading, rows[0][0])
    if row_count == 1:
        return f"{_capitalised(plan_reading)}: {_row(columns, rows[0])}."
    return _table(plan_reading, columns, rows, row_count)


def _single(reading: str, value: object) -> str:
    if value is None:
        return f"There is no value for: {reading}."
    if reading.startswith(_COUNTS) and isinstance(value, int):
        counted = reading.removeprefix(_COUNTS)
        return f"There is 1 {_counted(counted, singular)}." if value == 1 else f"There are {value} {counted}."
    return f"{_capitalised(reading)}: {_text(value)}."


def _counted(counted: str, call: Callable[[str], str]) -> str:
    """`track where …` with what is counted called otherwise."""
    noun = _NOUN_ENDS.split(counted, maxsplit=1)[0]
    start = noun.rfind(" ") + 1
    return f"{noun[:start]}{call(noun[start:])}{counted[len(noun) :]}"


def _as_asked(noun: str, question: str) -> str:
    """`tracks` where the question says so: tables are often called in the singular."""
    words = re.findall(r"\w+", question.lower())
    if noun.lower() in words:
        return noun
    return next((word for word in words if stem(word) == stem(noun.lower())), noun)


def _table(reading: str, columns: Sequence[str], rows: Sequence[Sequence[object]], row_count: int) -> str:
    shown = rows[:_SHOWN_ROWS]
    listed = "; ".join(_row(columns, row) for row in shown)
    which = "They are" if row_count <= len(shown) else "The first are"
    return f"{_capitalised(reading)}: {row_count} rows. {which}: {listed}.{_extremes(columns, rows, row_count)}"


def _extremes(columns: Sequence[str], rows: Sequence[Sequence[object]], row_count: int) -> str:
    """The largest and smallest figure of a table of names and figures, where all its rows are known."""
    if row_count != len(rows) or row_count <= _SHOWN_ROWS or len(columns) < 2:
        return ""
    figures = [(number, row) for row in rows if (number := _number(row[-1])) is not None]
    if len(figures) != row_count:
        return ""
    low, high = min(figures, key=lambda pair: pair[0])[1], max(figures, key=lambda pair: pair[0])[1]
    return f" Highest: {_row(columns, high)}. Lowest: {_row(columns, low)}."


def _row(columns: Sequence[str], row: Sequence[object]) -> str:
    """`Steven King, 24000`: first and last name belong together, the rest apart by commas."""
    texts = [_text(value) for value in row]
    names = [column.lower() for column in columns]
    if names[:2] == ["first_name", "last_name"]:
        texts = [" ".join(texts[:2]), *texts[2:]]
    return ", ".join(texts)


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        number = Decimal(str(value))
        return number if number.is_finite() else None
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return Decimal(value)
    return None


def _text(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float() | Decimal():
            return _rounded(f"{value:.2f}")
        case str() if _LONG_FRACTION.match(value):
            return _rounded(f"{Decimal(value):.2f}")
        case _:
            return str(value)


def _rounded(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
