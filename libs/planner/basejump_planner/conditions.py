"""Which rows a question is about: comparisons, found values, missing values, rows related to other rows."""

from __future__ import annotations

from basejump_planner.cursor import Cursor
from basejump_planner.linking import BARE, WEAK, ColumnMention, TableMention
from basejump_planner.model import ValueHit
from basejump_planner.predicates import (
    LINKS,
    against,
    between,
    flag,
    found_values,
    or_more,
    or_value,
    skip_unit,
    tail,
    within,
)
from basejump_planner.qualities import COMPARATIVES, MEASURING_VERBS, Quality
from basejump_planner.reading import (
    Comparison,
    Constant,
    CountOf,
    GroupSize,
    Measured,
    Missing,
    Moment,
    Noun,
    Related,
    Target,
    ValueMatch,
)
from basejump_planner.vocabulary import (
    ACTION_VERBS,
    BETWEEN,
    COMPARISONS,
    NAMED,
    RELATION_VERBS,
    TIME_COMPARISONS,
    WITHOUT,
    Operator,
)


def condition(c: Cursor) -> bool:
    """One condition, added to the draft; False where none stands here."""
    for rule in (
        _of_item,
        _likewise,
        _without,
        _flag,
        _measured_comparison,
        _group_size,
        _comparison_before_column,
        _comparison_around_column,
        _column_condition,
        _value_behind_table,
        _named_value,
        _found_value,
        _moment,
    ):
        if c.attempt(rule):
            return True
    return False


def _without(c: Cursor) -> bool:
    if c.cue(WITHOUT) is None:
        return False
    named = any(candidate.level >= BARE for mention in c.columns() for candidate in mention.candidates)
    if not named and (c.word(ACTION_VERBS) is not None or c.word(RELATION_VERBS) is not None):
        c.skip({"in", "to", "for", "by", "from", "at"})
    c.articles()
    if c.attempt(_column_without_value):
        return True
    columns = c.columns()
    table = c.table()
    if table is not None and not (columns and columns[0].end > table.end):
        c.draft.require(Related(table, negated=True))
        return True
    column = c.column()
    if column is None:
        return False
    c.draft.require(Missing(column, negated=False))
    return True


def _column_without_value(c: Cursor) -> bool:
    """`do not have the status "Closed"`."""
    column = c.column()
    if column is None:
        return False
    c.skip(LINKS)
    return found_values(c, column, negated=True)


def _flag(c: Cursor) -> bool:
    """`are discontinued`, `are not discontinued`; a sentence that goes on with a value compares instead."""
    if c.word({"is", "are", "was", "were"}) is None:
        return False
    said = flag(c, c.word({"not"}) is not None)
    if said is None or c.constant() is not None or c.tables() or c.columns():
        return False
    c.draft.require(said)
    return True


def _measured_comparison(c: Cursor) -> bool:
    """`older than 30`, `earn more than 5000`, `cost between 5 and 10`."""
    start = c.position
    options = c.cue(COMPARATIVES)
    if options is not None:
        operator: Operator = ">" if options[0].direction == "desc" else "<"
        target = Measured(options, _text(c, start))
        return against(c, target, operator)
    verb = c.word(MEASURING_VERBS)
    if verb is None:
        return False
    return tail(c, Measured((Quality(MEASURING_VERBS[verb], "desc"),), verb))


def _of_item(c: Cursor) -> bool:
    """`prices between 5 and 10`: said of the column just asked for."""
    last = c.draft.items[-1] if c.draft.items else None
    column = last.column if isinstance(last, Noun) else None
    if column is None or column.end != c.position or not (c.cue_length(COMPARISONS) or c.cue_length(BETWEEN)):
        return False
    return tail(c, column)


def _likewise(c: Cursor) -> bool:
    """`… or higher than 900`: of the column that the condition before is about."""
    last = c.draft.conditions[-1][-1] if c.draft.conditions else None
    if not isinstance(last, Comparison):
        return False
    operator = c.cue(COMPARISONS)
    constant = c.constant()
    if operator is None or constant is None or constant.kind == "text" or c.tables() or c.columns():
        return False
    skip_unit(c)
    c.draft.require(Comparison(last.target, operator, constant))
    return True


def _comparison_around_column(c: Cursor) -> bool:
    """`above age 46`."""
    operator = c.cue(COMPARISONS)
    column = c.column() if operator is not None else None
    return operator is not None and column is not None and against(c, column, operator)


def _group_size(c: Cursor) -> bool:
    """`at least 2 orders`: rows in another table, counted."""
    operator = c.cue(COMPARISONS)
    number = c.number()
    if number is None or "." in number:
        return False
    operator = or_more(c) or operator
    if operator is None:
        return False
    c.word({"different", "distinct"})
    columns = c.columns()
    table = c.table()
    if table is None or (columns and columns[0].end > table.end):
        return False
    c.draft.sizes.append(GroupSize(CountOf(table), operator, number))
    return True


def _comparison_before_column(c: Cursor) -> bool:
    """`more than 100 pages`, `at least 3 stars`."""
    operator = c.cue(COMPARISONS)
    constant = c.constant()
    if constant is None or constant.kind == "text":
        return False
    operator = or_more(c) or operator
    c.word({"of"})
    column = c.column()
    if column is None or operator is None:
        return False
    c.draft.require(Comparison(column, operator, constant))
    return True


def _column_condition(c: Cursor) -> bool:
    """A column and what is said of it; the longest phrase about which something is said."""
    for mention in c.columns():
        start = c.position
        c.position = mention.end
        if tail(c, mention):
            return True
        c.position = start
    return False


def _named_value(c: Cursor) -> bool:
    """`the company called "Acme"`, `named Acme`."""
    table = c.attempt(_table_before_name)
    if c.cue(NAMED) is None:
        return False
    c.skip({"is", "the"})
    hits = c.values()
    if not hits:
        return False
    c.draft.require(ValueMatch(hits, None, table, negated=False))
    return True


def _value_behind_table(c: Cursor) -> bool:
    """`the album Let There Be Rock`: the value is one of the albums, whatever else is called so."""
    table = c.table()
    named = c.token is not None and (c.token.capital or c.token.is_quoted)
    hits = c.values() if named else ()
    homes = {(hit.schema, hit.table) for hit in hits}
    if table is None or len(homes) < 2 or table.table.key not in homes:
        return False
    c.draft.require(ValueMatch(hits, None, table, negated=False))
    return True


def _table_before_name(c: Cursor) -> TableMention | None:
    table = c.table()
    return table if table is not None and c.cue_length(NAMED) else None


def _found_value(c: Cursor) -> bool:
    """A value found in the database, with or without a noun beside it that says what it is."""
    negated = c.attempt(_negation) is True
    c.skip({"in", "from", "the", "either"})
    capital = c.token is not None and (c.token.capital or c.token.is_quoted)
    hits = c.values()
    if not hits or not (capital or c.draft.items):
        return False
    table = c.attempt(lambda _: _table_of_hits(c, hits))
    column = None if table else c.attempt(lambda _: _column_of_hits(c, hits))
    c.draft.require(ValueMatch(hits, column, table, negated))
    while more := c.attempt(or_value):
        c.draft.alternative = not negated
        c.draft.require(ValueMatch(more, column, table, negated))
    return True


def _negation(c: Cursor) -> bool:
    c.skip({"is", "are", "do", "does", "did", "was", "were"})
    negated = c.word({"not", "except", "excluding"}) is not None
    if negated:
        c.skip(RELATION_VERBS)
        c.skip({"in", "from", "at", "for", "to", "by"})
    return negated


def _table_of_hits(c: Cursor, hits: tuple[ValueHit, ...]) -> TableMention | None:
    table = c.table()
    if table is None or not any((hit.schema, hit.table) == table.table.key for hit in hits):
        return None
    return table


def _column_of_hits(c: Cursor, hits: tuple[ValueHit, ...]) -> ColumnMention | None:
    column = c.column()
    return column if column is not None and within(hits, column) else None


def _moment(c: Cursor) -> bool:
    """`after 2005`, `hired in 2005`, `between 2001-01-01 and 2002-01-01`: time without a column's name."""
    verb = c.attempt(_time_verb)
    target: Target = verb or Moment("")
    if c.attempt(lambda _: between(c, target, only=_is_time)):
        return True
    operator = c.cue(TIME_COMPARISONS)
    if operator is None:
        return False
    c.word({"the"})
    c.word({"year"})
    token = c.token
    constant = c.constant()
    if token is None or constant is None or not _is_time(constant):
        return False
    c.draft.require(Comparison(target, or_more(c) or operator, constant))
    return True


def _time_verb(c: Cursor) -> ColumnMention | None:
    mention = c.column()
    if mention is None or all(candidate.level > WEAK for candidate in mention.candidates):
        return None
    return mention


def _is_time(constant: Constant) -> bool:
    return constant.kind == "date" or (
        constant.kind == "number" and constant.text.isdigit() and 1000 <= int(constant.text) <= 2200
    )


def _text(c: Cursor, start: int) -> str:
    return " ".join(token.text for token in c.tokens[start : c.position])
