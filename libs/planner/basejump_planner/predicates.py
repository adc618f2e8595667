"""What is said of a column: compared, between, like, missing, equal to found values."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from basejump_planner.cursor import Cursor
from basejump_planner.linking import WEAK, ColumnMention
from basejump_planner.model import ValueHit
from basejump_planner.naming import is_flag
from basejump_planner.reading import (
    AgainstAverage,
    Comparison,
    Constant,
    Likeness,
    Missing,
    Range,
    Target,
    ValueMatch,
)
from basejump_planner.vocabulary import (
    AVERAGE_VALUE,
    BETWEEN,
    COMPARISONS,
    CONTAINS,
    MISSING,
    OR_MORE,
    TIME_COMPARISONS,
    Operator,
    words_in,
)

LINKS = words_in("is are was were of has have had the a an be been as with value values equal code in by to")


def against(c: Cursor, target: Target, operator: Operator) -> bool:
    """What the target is compared with: a constant or its average."""
    if c.attempt(lambda _: c.cue(AVERAGE_VALUE)):
        c.attempt(lambda _: c.column())
        c.draft.require(AgainstAverage(target, operator))
        return True
    c.articles()
    constant = c.constant()
    if constant is None:
        return False
    skip_unit(c)
    operator = or_more(c) or operator
    if c.tables():  # "more than 2 students": it is the students that are counted
        return False
    c.draft.require(Comparison(target, operator, constant))
    return True


def skip_unit(c: Cursor) -> None:
    """Units say nothing that the column doesn't."""
    c.skip(
        {
            "years",
            "year",
            "old",
            "dollars",
            "usd",
            "euros",
            "percent",
            "inches",
            "feet",
            "kg",
            "pounds",
            "miles",
            "km",
            "meters",
        }
    )


def _said(rule: Callable[[Cursor, Target], bool], target: Target, c: Cursor) -> bool:
    return rule(c, target)


def tail(c: Cursor, target: Target) -> bool:
    """What is said of a target that was just read; False where nothing is."""
    column = target if isinstance(target, ColumnMention) else None
    vague = column is not None and max(candidate.level for candidate in column.candidates) == WEAK
    rules = (_likeness, between, _missing, _operator, _time_operator, _either_close if vague else _either)
    if any(c.attempt(partial(_said, rule, target)) for rule in rules):
        return True
    if vague and c.attempt(lambda _: _equal(c, target)):  # "customer 10", but not "hotels with 5 stars"
        return True
    c.skip(LINKS)
    negated = c.word({"not"}) is not None
    c.skip(LINKS)
    if vague:
        return bool(c.attempt(lambda _: found_values(c, column, negated)))
    return c.attempt(lambda _: found_values(c, column, negated)) or (
        not negated and bool(c.attempt(lambda _: _equal(c, target)))
    )


def or_more(c: Cursor) -> Operator | None:
    """`or more` after a number; in "or more than 5" another condition begins."""
    return c.attempt(_or_more)


def _or_more(c: Cursor) -> Operator | None:
    operator = c.cue(OR_MORE)
    return None if c.token is not None and c.token.text == "than" else operator


def _likeness(c: Cursor, target: Target) -> bool:
    c.skip({"that", "which", "is", "are", "has", "have"})
    negated = c.attempt(lambda _: _not(c)) is True
    pattern = c.cue(CONTAINS)
    if pattern is None:
        return False
    token = c.token
    if token is None or not (token.is_quoted or len(token.text) == 1):
        return False
    c.advance()
    c.draft.require(Likeness(target, pattern.format(_escaped(token.text)), negated))
    return True


def _not(c: Cursor) -> bool:
    c.skip({"does", "do", "did", "is"})
    return c.word({"not"}) is not None


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def between(c: Cursor, target: Target, only: Callable[[Constant], bool] | None = None) -> bool:
    """`between 5 and 10`."""
    c.skip(LINKS)
    if c.cue(BETWEEN) is None:
        return False
    low = c.constant()
    if low is None or low.kind == "text" or c.word({"and", "to"}) is None:
        return False
    high = c.constant()
    if high is None or (only is not None and not (only(low) and only(high))):
        return False
    skip_unit(c)
    c.draft.require(Range(target, low, high))
    return True


def _missing(c: Cursor, target: Target) -> bool:
    c.skip({"is", "are", "was", "were"})
    negated = c.word({"not"}) is not None
    if c.cue(MISSING) is None:
        return False
    c.draft.require(Missing(target, negated))
    return True


def _operator(c: Cursor, target: Target) -> bool:
    c.skip({"is", "are", "was", "were", "has", "have", "of", "that", "which", "with", "a", "value"})
    operator = c.cue(COMPARISONS)
    if operator is None:
        return False
    c.word({"of", "to"})
    if operator in ("<>", "=") and isinstance(target, ColumnMention):
        c.articles()
        if c.attempt(lambda _: found_values(c, target, operator == "<>")):
            return True
    return against(c, target, operator)


def _time_operator(c: Cursor, target: Target) -> bool:
    c.skip({"is", "are", "was", "were"})
    operator = c.cue(TIME_COMPARISONS)
    if operator is None:
        return False
    c.word({"the"})
    c.word({"year"})
    constant = c.constant()
    if constant is None or constant.kind == "text":
        return False
    c.draft.require(Comparison(target, or_more(c) or operator, constant, temporal=True))
    return True


def _either(c: Cursor, target: Target) -> bool:
    """`is 3 or 4`."""
    c.skip(LINKS)
    c.word({"either"})
    first = c.constant()
    if first is None or first.kind == "text" or c.word({"or"}) is None:
        return False
    second = c.constant()
    if second is None or second.kind == "text":
        return False
    c.draft.require(Comparison(target, "=", first))
    c.draft.alternative = True
    c.draft.require(Comparison(target, "=", second))
    return True


def _either_close(c: Cursor, target: Target) -> bool:
    """`department 70 or 90`, with nothing between that might make the number something else's."""
    close = c.token is not None and (c.token.is_number or c.token.text == "either")
    return close and _either(c, target)


def _equal(c: Cursor, target: Target) -> bool:
    constant = c.constant()
    if constant is None or constant.kind == "text":
        return False
    operator: Operator = or_more(c) or "="
    skip_unit(c)
    c.draft.require(Comparison(target, operator, constant))
    return True


def found_values(c: Cursor, column: ColumnMention | None, negated: bool) -> bool:
    """`Rome`, `Rome or Milan`, `either Rome or Milan`."""
    c.word({"either"})
    c.word({"the"})
    hits = c.values()
    if column is None or not within(hits, column):
        return False
    c.draft.require(ValueMatch(hits, column, None, negated))
    while more := c.attempt(or_value):
        c.draft.alternative = not negated
        c.draft.require(ValueMatch(more, column, None, negated))
    return True


def within(hits: tuple[ValueHit, ...], column: ColumnMention) -> bool:
    """Whether any hit stands in a column that the phrase may mean."""
    homes = {(hit.schema, hit.table, hit.column) for hit in hits}
    return any(candidate.ref.id in homes for candidate in column.candidates)


def flag(c: Cursor, negated: bool) -> Comparison | None:
    """`discontinued`: the whole name of a column that says yes or no."""
    token = c.token
    column = next((mention for mention in c.columns() if mention.end == c.position + 1), None)
    if token is None or column is None:
        return None
    flags = tuple(m for m in column.candidates if m.ref.column.name.lower() == token.text and is_flag(m.ref))
    if not flags:
        return None
    c.position = column.end
    return Comparison(column._replace(candidates=flags), "=", Constant("truth", "false" if negated else "true"))


def or_value(c: Cursor) -> tuple[ValueHit, ...] | None:
    """`… or Milan`."""
    c.word({","})
    if c.word({"or", "nor"}) is None:
        return None
    c.word({"the"})
    hits = c.values()
    if not hits or c.attempt(_is_about):
        return None
    return hits


def _is_about(c: Cursor) -> bool:
    return c.word({"is", "="}) is not None
