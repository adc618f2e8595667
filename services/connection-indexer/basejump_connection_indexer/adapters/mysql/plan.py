"""What MySQL's or MariaDB's planner expects of a statement, from EXPLAIN's rows, which both write alike.

Each row is a table in the order it is joined, of the SELECT that `id` numbers: how many of its rows are looked at for
each row from before (`rows`), and what percentage of them is left (`filtered`). A SELECT that depends on another is
executed for each of that one's rows. EXPLAIN knows nothing of LIMIT; a plain list of columns stops where it says.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from basejump_common.contracts.connection import Estimate

_LARGEST = 10**18
_LIMIT = re.compile(r"\blimit (\d+)\s*\Z", re.IGNORECASE)
_COUNTS_OR_SORTS = re.compile(r"\(|\b(?:where|join|distinct|group|having|order|union|with)\b", re.IGNORECASE)
_AGAIN = ("DEPENDENT", "UNCACHEABLE", "LATERAL")


def estimated(sql: str, rows: Iterable[Mapping[str, Any]]) -> Estimate:
    """`rows` by the names of EXPLAIN's columns, lower case. There is no cost: its units would differ by version."""
    read, given = 0.0, 1.0
    for steps in _selects(rows):
        again = str(steps[0]["select_type"]).startswith(_AGAIN)
        times = given if again else 1.0
        left = 1.0
        for step in steps:
            looked_at = left * float(step["rows"] or 1)
            left = max(looked_at * float(step.get("filtered") or 100.0) / 100, 1.0)
            read += times * max(looked_at, left)
        given = max(given, times * left)
    return Estimate(rows=int(min(read, _stop(sql), _LARGEST)))


def _selects(rows: Iterable[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """The steps of each SELECT, the outermost first."""
    found: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        # Without a number: the result of a UNION, of rows that are counted where they come from.
        if row["id"] is not None:
            found[int(row["id"])].append(row)
    return [found[number] for number in sorted(found)]


def _stop(sql: str) -> float:
    """After how many rows a statement that reads as it gives has enough."""
    limit = _LIMIT.search(sql)
    return float(limit[1]) if limit and not _COUNTS_OR_SORTS.search(sql) else float("inf")
