"""Values of a customer's database as JSON values, without loss: what JSON can't say as a number it says as text."""

import base64
import datetime as dt
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from asyncpg import Range

PREVIEW_ROWS = 50
PREVIEW_BYTES = 400_000  # a reply on the bus has room for 1 MiB, the proof included
LONGEST_TEXT = 10_000


def json_value(value: Any) -> Any:
    """Numbers exact, times RFC 3339, bytes base64, NaN and infinities as text, arrays as lists, the rest as text."""
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else _unusual(value)
        case Decimal():
            return value if value.is_finite() else _unusual(float(value))
        case dt.datetime():
            return _time(value)
        case dt.date() | dt.time():
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
        case list():
            return [json_value(item) for item in value]
        case str() if len(value) > LONGEST_TEXT:
            return value[:LONGEST_TEXT] + "…"
        case _:
            return plain_text(value)


def plain_text(value: Any) -> str:
    """A value that has no JSON form, as the database would write it (nearly)."""
    if isinstance(value, str | UUID):
        return str(value)
    if isinstance(value, Range):
        return _range(value)
    return str(value)


def _range(value: "Range[Any]") -> str:
    if value.isempty:
        return "empty"
    ends = ["" if end is None else str(json_value(end)) for end in (value.lower, value.upper)]
    return f"{'[' if value.lower_inc else '('}{','.join(ends)}{']' if value.upper_inc else ')'}"


def preview(rows: Sequence[Sequence[Any]]) -> tuple[tuple[Any, ...], ...]:
    """The first rows, as many as a reply has room for."""
    room, found = PREVIEW_BYTES, []
    for row in rows[:PREVIEW_ROWS]:
        values = tuple(json_value(value) for value in row)
        room -= len(msgspec.json.encode(values))
        if room < 0:
            break
        found.append(values)
    return tuple(found)


def _time(value: dt.datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat()
    return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _unusual(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
