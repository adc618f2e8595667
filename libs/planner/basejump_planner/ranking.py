"""Rows asked for by their rank: "the 3 oldest students", "the most recently hired employee", "the most common name"."""

from __future__ import annotations

from basejump_planner.cursor import Cursor
from basejump_planner.linking import WEAK
from basejump_planner.nouns import noun
from basejump_planner.qualities import QUALITIES
from basejump_planner.reading import AggregateItem, CountOf, Item, Measured, Noun, Order
from basejump_planner.vocabulary import COMMON, SUPERLATIVES, TIME_SUPERLATIVES


def rows_by_event(c: Cursor) -> list[Item] | None:
    """`the most recently hired employee`: rows in the order of when something happened to them."""
    number = None if c.cue_length(TIME_SUPERLATIVES) else _count_of_rows(c)
    direction = c.cue(TIME_SUPERLATIVES)
    verb = c.column() if direction is not None else None
    table = c.table() if verb is not None and verb.text.endswith("ed") else None
    if direction is None or verb is None or table is None or any(named.level > WEAK for named in verb.candidates):
        return None
    c.draft.orders.append(Order(verb, direction))
    c.draft.limit = int(number or 1)
    return [Noun(table, None)]


def ranked_rows(c: Cursor) -> list[Item] | None:
    """`the 3 oldest students`, `most expensive product`; `longest duration` is an aggregate."""
    leading = _count_of_rows(c)
    text_start = c.position
    options = c.cue(QUALITIES)
    if options is None:
        return _top_values(c, leading) if leading else None
    text = " ".join(token.text for token in c.tokens[text_start : c.position])
    number = leading or c.number()
    tables, columns = c.tables(), c.columns()
    if number is not None and not (number.isdigit() and int(number) > 0):
        return None
    if tables and not (columns and columns[0].end > tables[0].end):
        c.position = tables[0].end
        c.draft.orders.append(Order(Measured(options, text), options[0].direction))
        c.draft.limit = int(number or 1)
        return [Noun(tables[0], None)]
    if columns and number is None and any(len(option.nouns) > 0 for option in options):
        c.position = columns[0].end
        return [AggregateItem("max" if options[0].direction == "desc" else "min", columns[0])]
    return None


def _top_values(c: Cursor, number: str) -> list[Item] | None:
    """`the 3 highest scores`: the values themselves, in order."""
    direction = c.cue(SUPERLATIVES)
    column = c.column() if direction is not None and not c.tables() else None
    if column is None or direction is None:
        return None
    c.draft.orders.append(Order(column, direction))
    c.draft.limit = int(number)
    return [Noun(None, column)]


def _count_of_rows(c: Cursor) -> str | None:
    c.word({"top", "first"})
    number = c.number()
    return number if number is not None and number.isdigit() and int(number) > 0 else None


def most_common(c: Cursor) -> list[Item] | None:
    """`the 3 most common names`: groups by the column, ordered by their size."""
    number = c.number()
    direction = c.cue(COMMON)
    if direction is None:
        return None
    number = number or c.number()
    found = noun(c)
    if found is None or found.column is None:
        return None
    c.draft.common = True
    c.draft.groups.append(found)
    c.draft.orders.append(Order(CountOf(None), direction))
    c.draft.limit = int(number or 1)
    return [found]
