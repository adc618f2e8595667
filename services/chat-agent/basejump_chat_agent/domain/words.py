"""An answer in words, made of the result alone, whichever planner planned it."""

import basejump_planner
from basejump_common.contracts.connection import RunResult

LONGEST = 10_000
"""Characters: a value of the data may be a whole document."""


def describe(question: str, reading: str, ran: RunResult) -> str:
    """One or two sentences; says so when the row cap cut the result."""
    columns = tuple(column.name for column in ran.columns)
    words = basejump_planner.describe(question, reading, columns, ran.preview, ran.row_count)
    if len(words) > LONGEST:
        words = f"{words[:LONGEST]} …"
    return f"{words} The result was cut at {ran.row_count} rows." if ran.truncated else words
