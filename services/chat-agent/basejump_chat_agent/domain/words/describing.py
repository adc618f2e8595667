"""An answer in words, made of the result alone, whichever planner planned it."""

import basejump_planner
from basejump_chat_agent.domain.missing import none_has
from basejump_chat_agent.domain.words.checking import Facts, check
from basejump_common.contracts.connection import RunResult

LONGEST = 10_000
"""Characters: a value of the data may be a whole document."""


def describe(question: str, reading: str, ran: RunResult) -> str:
    """One or two sentences; says so when the row cap cut the result, or no row has what was asked for."""
    columns = tuple(column.name for column in ran.columns)
    words = basejump_planner.describe(question, reading, columns, ran.preview, ran.row_count)
    return _ended(words, ran)


def final_words(own: str | None, question: str, reading: str, ran: RunResult) -> str:
    """The answerer's own words where they hold, else a description of the result."""
    own = (own or "").strip()[:LONGEST]
    if not own or check(own, facts(question, reading, ran)):
        return describe(question, reading, ran)
    return _ended(own, ran)


def facts(question: str, reading: str, ran: RunResult) -> Facts:
    """What words about a result may rest on."""
    names = (column.name for column in ran.columns)
    texts = (question, reading, ran.proof.sql, *names)
    return Facts(texts=texts, rows=ran.preview, row_count=ran.row_count)


def _ended(words: str, ran: RunResult) -> str:
    words = words if len(words) <= LONGEST else f"{words[:LONGEST]} …"
    cut = f"The result was cut at {ran.row_count} rows." if ran.truncated else ""
    return " ".join(part for part in (none_has(ran.proof.missing_values), words, cut) if part)
