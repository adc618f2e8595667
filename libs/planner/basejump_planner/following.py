"""Follow-ups: a question that leaves out what the questions before it said, put together again.

How many employees are there?  ·  and by department?     → How many employees are there by department
Salaries in the IT department  ·  what about Shipping?   → Salaries in Shipping
Which employees earn over 9000? · show me the second one → the second row of that result
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import sqlglot
from sqlglot import exp

from basejump_planner.model import CannotAnswer, Intent, Plan

_LEAD = re.compile(
    r"(?:(?:ok|okay|now|then|so|please|thanks|great|hm+)[,:]?\s+)*"
    r"(?P<cue>(?:and|but|or)\s+(?:now\s+|then\s+|what about\s+|how about\s+|only\s+|just\s+)?|only\s+|just\s+"
    r"|what about\s+|how about\s+|(?:the\s+)?same\s+(?:but\s+|again\s+)?|now\s+)?",
    re.IGNORECASE,
)
_JOINS = r"by|per|in|for|from|of|at|with|without|since|before|after|between|above|below|over|under|during"
_JOINS += r"|sorted by|ordered by|grouped by|for each|of each"
_STANDS_ALONE = re.compile(
    r"\b(?:which|what|who|whose|whom|how|when|where|why|show|list|give|count|find)\b", re.IGNORECASE
)
_CONTINUES = re.compile(rf"(?P<join>{_JOINS})\b", re.IGNORECASE)
_LAST_JOIN = re.compile(rf".*\b(?P<join>{_JOINS})\s", re.IGNORECASE | re.DOTALL)
_PLACE = re.compile(r".*\b(?P<join>in|for|from|of|at)\s", re.IGNORECASE | re.DOTALL)
_END = re.compile(r"[\s?.!,;:]+$")
_FEW = 8
"""A follow-up has few words: a long text that begins with a preposition is a question of its own."""

_ORDINALS = {
    word: place
    for place, words in enumerate(
        (
            ("first", "1st", "top"),
            ("second", "2nd"),
            ("third", "3rd"),
            ("fourth", "4th"),
            ("fifth", "5th"),
            ("sixth", "6th"),
            ("seventh", "7th"),
            ("eighth", "8th"),
            ("ninth", "9th"),
            ("tenth", "10th"),
        ),
        start=1,
    )
    for word in words
}
_NTH = re.compile(
    r"(?:(?:and|show|give|tell|me|us|what|who|is|was|about|only|just|see|details|of|for)\s+)*"
    r"(?:the\s+)?(?P<ordinal>\w+)(?:\s+(?:one|row|entry|result|of them|of those|in the list))?",
    re.IGNORECASE,
)


def follow_up(question: str, earlier: Sequence[str]) -> str:
    """The question with what it leaves out taken from the earlier ones, oldest first; itself when it stands alone.

    Who asked for one row of a result goes on from the question of that result.
    """
    standing = ""
    for text in (*(text for text in earlier if nth(text) is None), question):
        standing = _continued(standing, text)
    return standing


def _continued(before: str, text: str) -> str:
    lead = _LEAD.match(text)
    assert lead is not None
    rest = _END.sub("", text[lead.end() :]).strip()
    cue = (lead["cue"] or "").lower()
    join = _CONTINUES.match(rest)
    alone = len(rest.split()) > _FEW or _STANDS_ALONE.search(rest) is not None
    if not before or not rest or alone or not (cue or join):
        return text
    base = _END.sub("", before)
    if join is not None:
        return f"{_without(base, join['join'], replace='only' not in cue and 'just' not in cue)} {rest}"
    if "about" in cue or "same" in cue:
        place = _PLACE.match(base)
        return f"{base[: place.end()]}{rest}" if place is not None else text
    return text


def _without(base: str, join: str, *, replace: bool) -> str:
    """`base` up to its last phrase that begins as the new one: "and by job?" takes the place of "by department"."""
    last = _LAST_JOIN.match(base)
    if not replace or last is None or last["join"].lower() != join.lower():
        return base
    return base[: last.start("join")].rstrip()


def nth(question: str) -> int | None:
    """Which row of the earlier result is asked for, counted from 1; None when none is."""
    found = _NTH.fullmatch(_END.sub("", question.strip()))
    return _ORDINALS.get(found["ordinal"].lower()) if found is not None else None


def row_of(
    place: int, question: str, sql: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, dialect: str
) -> Plan | CannotAnswer:
    """The row at that place of the earlier result, found again by what was shown of it."""
    if len(rows) < place:
        return CannotAnswer(reason=f"the earlier result shows no row number {place}")
    cells = dict(zip(columns, rows[place - 1], strict=True))
    known = {name: cell for name, cell in cells.items() if isinstance(cell, str | int) and not isinstance(cell, bool)}
    if not known or len(cells) != len(columns):
        return CannotAnswer(reason="the rows of the earlier result can't be told apart")
    tree = sqlglot.parse_one(sql, read=dialect)
    assert isinstance(tree, exp.Query), "only queries were run"
    earlier = exp.to_identifier("earlier")
    same = [
        exp.column(exp.to_identifier(name), table=earlier.copy()).eq(
            exp.Literal.string(cell) if isinstance(cell, str) else exp.Literal.number(cell)
        )
        for name, cell in known.items()
    ]
    shown = [exp.column(exp.to_identifier(name), table=earlier.copy()) for name in columns]
    picked = exp.select(*shown).from_(tree.subquery(alias=earlier)).where(*same).limit(1)
    intent: Intent = "list"
    return Plan(sql=picked.sql(dialect=dialect), reading=f"number {place} of “{_END.sub('', question)}”", intent=intent)
