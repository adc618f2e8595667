"""Two results side by side."""

from decimal import Decimal, InvalidOperation
from typing import Any

from basejump_chat_agent.domain.conversation import Turn
from basejump_chat_agent.domain.rendering import data
from basejump_common.contracts.connection import RunResult

_ROWS = 10


def compare(earlier: Turn, later: RunResult) -> str:
    """What differs, row by row where the rows have the same names; of each the first rows that were kept."""
    names = [column.name for column in later.columns]
    if [column.name for column in earlier.columns] != names:
        then = ", ".join(column.name for column in earlier.columns)
        return f"Other columns: then {then}; now {', '.join(names)}. Then: {data(earlier.rows[:_ROWS])}"
    rows = _differences(earlier.rows, later.preview)
    return f"{', '.join(names)}; then, now, difference: {data(rows[:_ROWS])} ({earlier.row_count} rows then)"


def _differences(then: tuple[tuple[Any, ...], ...], now: tuple[tuple[Any, ...], ...]) -> list[list[Any]]:
    """Rows of names and one figure by their names; a single row by its place."""
    before = {_names(row): row for row in then}
    found: list[list[Any]] = []
    for row in now:
        match = before.get(_names(row))
        figures = [(old, new, _difference(old, new)) for old, new in zip(match or (), row, strict=False)]
        found.append([*_names(row), *(figure for figure in figures if figure[2] is not None)])
    return found


def _names(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(cell for cell in row if _number(cell) is None)


def _difference(old: Any, new: Any) -> float | None:
    before, after = _number(old), _number(new)
    return None if before is None or after is None else float(after - before)


def _number(cell: Any) -> Decimal | None:
    if isinstance(cell, bool) or cell is None:
        return None
    try:
        return Decimal(str(cell))
    except InvalidOperation:
        return None
