"""Nouns: phrases that name a table, a column, or what may be either."""

from __future__ import annotations

from basejump_planner.cursor import Cursor
from basejump_planner.linking import SYNONYM
from basejump_planner.reading import Noun


def noun(c: Cursor) -> Noun | None:
    """A table, a column, or what may be either: the longest phrase here."""
    c.articles()
    tables, columns = c.tables(), c.columns()
    ends = [mention.end for mention in tables[:1]] + [mention.end for mention in columns[:1]]
    if not ends:
        return None
    end = max(ends)
    table = tables[0] if tables and tables[0].end == end else None
    column = columns[0] if columns and columns[0].end == end else None
    if table is not None and column is not None and table.level <= SYNONYM:
        table = None if max(candidate.level for candidate in column.candidates) > table.level else table
    c.position = end
    if table is not None and not c.tables() and not c.columns():
        c.word({"member", "members", "record", "records", "entries"})
    return Noun(table, column)
