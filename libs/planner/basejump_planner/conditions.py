"""Which rows a question is about: comparisons, found values, missing values, rows related to other rows."""

from __future__ import annotations

from basejump_planner.cursor import Cursor
from basejump_planner.linking import WEAK, ColumnMention, TableMention
from basejump_planner.model import ValueHit
from basejump_planner.reading import (
    AgainstAverage,
    Comparison,
    Condition,
    Constant,
    CountOf,
    GroupSize,
    Likeness,
    Measured,
    Missing,
    Moment,
    Range,
    Related,
    Target,
    ValueMatch,
)
from basejump_planner.vocabulary import (
    ACTION_VERBS,
    AVERAGE_VALUE,
    BETWEEN,
    COMPARATIVES,
    COMPARISONS,
    CONTAINS,
    MEASURING_VERBS,
    MISSING,
    NAMED,
    OR_MORE,
    RELATION_VERBS,
    TIME_COMPARISONS,
    WITHOUT,
    Operator,
    Quality,
)

_LINKS = frozenset("is are was were of has have had the a an be been as with value values equal code in by to".split())
_OPPOSITE: dict[Operator, Operator] = {"=": "<>", "<>": "=", ">": "<=", ">=": "<", "<": ">=", "<=": ">"}


def condition(c: Cursor) -> bool:
    """One condition, added to the draft; False where none stands here."""
    for rule in (
        _likewise,
        _without,
        _measured_comparison,
        _group_size,
        _comparison_before_column,
        _comparison_around_column,
        _column_condition,
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
    if c.word(ACTION_VERBS) is not None or c.word(RELATION_VERBS) is not None:
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
    c.skip(_LINKS)
    return _values(c, column, negated=True)


def _measured_comparison(c: Cursor) -> bool:
    """`older than 30`, `earn more than 5000`, `cost between 5 and 10`."""
    start = c.position
    options = c.cue(COMPARATIVES)
    if options is not None:
        operator: Operator = ">" if options[0].direction == "desc" else "<"
        target = Measured(options, _text(c, start))
        return _against(c, target, operator)
    verb = c.word(MEASURING_VERBS)
    if verb is None:
        return False
    return _tail(c, Measured((Quality(MEASURING_VERBS[verb], "desc"),), verb))


def _likewise(c: Cursor) -> bool:
    """`… or higher than 900`: of the column that the condition before is about."""
    last = c.draft.conditions[-1][-1] if c.draft.conditions else None
    if not isinstance(last, Comparison):
        return False
    operator = c.cue(COMPARISONS)
    constant = c.constant()
    if operator is None or constant is None or constant.kind == "text" or c.tables() or c.columns():
        return False
    _skip_unit(c)
    c.draft.require(Comparison(last.target, operator, constant))
    return True


def _comparison_around_column(c: Cursor) -> bool:
    """`above age 46`."""
    operator = c.cue(COMPARISONS)
    column = c.column() if operator is not None else None
    return operator is not None and column is not None and _against(c, column, operator)


def _against(c: Cursor, target: Target, operator: Operator) -> bool:
    if c.attempt(lambda _: c.cue(AVERAGE_VALUE)):
        c.attempt(lambda _: c.column())
        c.draft.require(AgainstAverage(target, operator))
        return True
    c.articles()
    constant = c.constant()
    if constant is None:
        return False
    _skip_unit(c)
    operator = c.cue(OR_MORE) or operator
    if c.tables():  # "more than 2 students": it is the students that are counted
        return False
    c.draft.require(Comparison(target, operator, constant))
    return True


def _skip_unit(c: Cursor) -> None:
    c.skip({"years", "year", "old", "dollars", "usd", "euros", "percent", "inches", "feet", "kg", "pounds", "miles", "km", "meters"})


def _group_size(c: Cursor) -> bool:
    """`at least 2 orders`: rows in another table, counted."""
    operator = c.cue(COMPARISONS)
    number = c.number()
    if number is None or "." in number:
        return False
    operator = c.cue(OR_MORE) or operator
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
    operator = c.cue(OR_MORE) or operator
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
        if _tail(c, mention):
            return True
        c.position = start
    return False


def _tail(c: Cursor, target: Target) -> bool:
    column = target if isinstance(target, ColumnMention) else None
    for rule in (_likeness, _between, _missing, _operator, _time_operator, _either):
        if c.attempt(lambda _, rule=rule: rule(c, target)):
            return True
    vague = column is not None and max(candidate.level for candidate in column.candidates) == WEAK
    if vague and c.attempt(lambda _: _equal(c, target)):  # "customer 10", but not "hotels with 5 stars"
        return True
    c.skip(_LINKS)
    negated = c.word({"not"}) is not None
    c.skip(_LINKS)
    if vague:
        return bool(c.attempt(lambda _: _values(c, column, negated)))
    return c.attempt(lambda _: _values(c, column, negated)) or (not negated and bool(c.attempt(lambda _: _equal(c, target))))


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


def _between(c: Cursor, target: Target) -> bool:
    c.skip(_LINKS)
    if c.cue(BETWEEN) is None:
        return False
    low = c.constant()
    if low is None or low.kind == "text" or c.word({"and", "to"}) is None:
        return False
    high = c.constant()
    if high is None:
        return False
    _skip_unit(c)
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
        if c.attempt(lambda _: _values(c, target, operator == "<>")):
            return True
    return _against(c, target, operator)


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
    c.draft.require(Comparison(target, c.cue(OR_MORE) or operator, constant, temporal=True))
    return True


def _either(c: Cursor, target: Target) -> bool:
    """`is 3 or 4`."""
    c.skip(_LINKS)
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


def _equal(c: Cursor, target: Target) -> bool:
    constant = c.constant()
    if constant is None or constant.kind == "text":
        return False
    operator: Operator = c.cue(OR_MORE) or "="
    _skip_unit(c)
    c.draft.require(Comparison(target, operator, constant))
    return True


def _values(c: Cursor, column: ColumnMention | None, negated: bool) -> bool:
    """`Rome`, `Rome or Milan`, `either Rome or Milan`."""
    c.word({"either"})
    c.word({"the"})
    hits = c.values()
    if column is None or not _within(hits, column):
        return False
    c.draft.require(ValueMatch(hits, column, None, negated))
    while more := c.attempt(_or_value):
        c.draft.alternative = not negated
        c.draft.require(ValueMatch(more, column, None, negated))
    return True


def _within(hits: tuple[ValueHit, ...], column: ColumnMention) -> bool:
    homes = {(hit.schema, hit.table, hit.column) for hit in hits}
    return any(candidate.ref.id in homes for candidate in column.candidates)


def _or_value(c: Cursor) -> tuple[ValueHit, ...] | None:
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
    while more := c.attempt(_or_value):
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
    return column if column is not None and _within(hits, column) else None


def _moment(c: Cursor) -> bool:
    """`after 2005`, `hired in 2005`, `between 2001-01-01 and 2002-01-01`: time without a column's name."""
    verb = c.attempt(_time_verb)
    target: Target = verb or Moment("")
    if c.attempt(lambda _: _between(c, target)):
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
    c.draft.require(Comparison(target, c.cue(OR_MORE) or operator, constant))
    return True


def _time_verb(c: Cursor) -> ColumnMention | None:
    mention = c.column()
    if mention is None or all(candidate.level > WEAK for candidate in mention.candidates):
        return None
    return mention


def _is_time(constant: Constant) -> bool:
    return constant.kind == "date" or (constant.kind == "number" and constant.text.isdigit() and 1000 <= int(constant.text) <= 2200)


def _text(c: Cursor, start: int) -> str:
    return " ".join(token.text for token in c.tokens[start : c.position])


__all__ = ["Condition", "condition"]
