"""Does a statement give the same rows through connection-indexer as when it is run directly?"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow.parquet as pq

from basejump_common.contracts.connection import RunResult

Rows = list[tuple[Any, ...]]


class Verdict(StrEnum):
    """How the rows of a run compare with those that the database gives directly."""

    SAME = "same"
    OTHER_ORDER = "same rows in another order"
    DIFFERENT = "different"


def kept_rows(results: Path, result: RunResult) -> Rows:
    """All rows of a run, from its file in the local store `results`."""
    (path,) = results.glob(f"*/{result.run_uuid}-*.parquet")
    table = pq.read_table(path)
    if not table.num_columns:
        return [()] * table.num_rows
    return comparable(zip(*(column.to_pylist() for column in table.columns), strict=True))


def comparable(rows: Iterable[Sequence[Any]]) -> Rows:
    """Rows whose cells are equal when the values are, whatever reads them."""
    return [tuple(_cell(cell) for cell in row) for row in rows]


def compare(kept: Rows, direct: Rows) -> Verdict:
    """`DIFFERENT` when they aren't the same multiset."""
    if kept == direct:
        return Verdict.SAME
    return Verdict.OTHER_ORDER if Counter(kept) == Counter(direct) else Verdict.DIFFERENT


def _cell(value: Any) -> Any:
    """Numbers by value, times in UTC, and what Parquet keeps as text as that text."""
    match value:
        case None | str() | bytes():
            return value
        case timedelta():
            return _time(value)
        case bool() | UUID():
            return str(value).lower()
        case int() | Decimal():
            return f"{Decimal(value).normalize():f}"
        case float():
            return f"{Decimal(repr(value)).normalize():f}"
        case datetime() if value.tzinfo is not None:
            return value.astimezone(UTC).isoformat()
        case date() | time():
            return value.isoformat()
        case list():
            return json.dumps(value, default=str, separators=(",", ":"))
        case _:
            return str(value)


def _time(value: timedelta) -> str:
    """A TIME of MySQL: hours that may be many, or negative."""
    seconds = abs(int(value.total_seconds()))
    return f"{'-' if value < timedelta() else ''}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
