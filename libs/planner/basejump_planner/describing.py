"""The words of an answer, made of the result alone: no figure that isn't in it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from numbers import Number

_SHOWN_ROWS = 5


def describe(
    question: str, plan_reading: str, columns: Sequence[str], rows: Sequence[Sequence[object]], row_count: int
) -> str:
    """One or two sentences. `rows` may be only the first of `row_count` rows."""
    del question
    if row_count == 0 or not rows:
        return f"There are no rows for: {plan_reading}."
    if row_count == 1 and len(rows[0]) == 1:
        return _single(plan_reading, columns[0], rows[0][0])
    if row_count == 1:
        return f"{_capitalised(plan_reading)}: {_row(columns, rows[0])}."
    return _table(plan_reading, columns, rows, row_count)


def _single(reading: str, column: str, value: object) -> str:
    if value is None:
        return f"There is no value for: {reading}."
    if reading.startswith("number of ") and isinstance(value, int):
        rest = reading.removeprefix("number of ")
        return f"There {'is' if value == 1 else 'are'} {_text(value)} {rest}."
    del column
    return (
        f"The {reading} is {_text(value)}."
        if isinstance(value, Number)
        else f"{_capitalised(reading)}: {_text(value)}."
    )


def _table(reading: str, columns: Sequence[str], rows: Sequence[Sequence[object]], row_count: int) -> str:
    head = f"{_capitalised(reading)}: {_text(row_count)} rows."
    shown = rows[:_SHOWN_ROWS]
    listed = "; ".join(_row(columns, row) for row in shown)
    if row_count <= len(shown):
        return f"{head} They are: {listed}."
    return f"{head} The first are: {listed}."


def _row(columns: Sequence[str], row: Sequence[object]) -> str:
    del columns
    return ", ".join(_text(value) for value in row)


def _text(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (float, Decimal)):
        rounded = f"{value:.2f}"
        return rounded.rstrip("0").rstrip(".")
    return str(value)


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
