"""What a question asks for: columns, rows of a table, counts, aggregates."""

from __future__ import annotations

from collections.abc import Mapping

from basejump_planner.cursor import Cursor
from basejump_planner.linking import BARE, EXACT, OWNED, ColumnMention, TableMention
from basejump_planner.nouns import noun
from basejump_planner.predicates import flag
from basejump_planner.ranking import most_common, ranked_rows, rows_by_event
from basejump_planner.reading import (
    AggregateItem,
    AsideAggregate,
    Comparison,
    CountItem,
    Item,
    Noun,
    ValueMatch,
)
from basejump_planner.vocabulary import (
    AGGREGATES,
    AVERAGE_VALUE,
    BETWEEN,
    COMPARISONS,
    CONTAINS,
    COUNT,
    DISTINCT,
    EACH,
    MISSING,
    OWNERS,
    SEPARATORS,
    TIME_COMPARISONS,
    WHOLE_ROWS,
    Aggregate,
    Phrase,
)
from basejump_planner.words import tokenize


def items(c: Cursor) -> bool:
    """A list of things to show, added to the draft; False where none stands here."""
    found = c.attempt(item)
    if found is None:
        return False
    while found:
        c.draft.items.extend(found)
        note_owner(c)
        found = c.attempt(next_item)
    return True


def note_owner(c: Cursor) -> None:
    """In "names of journalists" the names are the journalists'; nothing is consumed."""
    start = c.position
    tied = c.word(OWNERS) is not None
    tied = c.cue(EACH) is not None or tied
    c.articles()
    table = c.tables()[0] if tied and c.tables() else None
    columns = c.columns()
    if table is not None and not (columns and columns[0].end > table.end):
        for thing in c.draft.items:
            if isinstance(thing, Noun) and thing.column is not None:
                c.draft.owners.setdefault(thing.column.start, table.table)
    c.position = start


def next_item(c: Cursor) -> list[Item] | None:
    """A separator and the item behind it."""
    if c.cue(SEPARATORS) is None and not c.attempt(_with_figure):
        return None
    c.articles()
    found = c.attempt(item)
    if found is None:
        return None
    if c.attempt(_begins_a_condition):
        return None
    return found


def _with_figure(c: Cursor) -> bool:
    """`with the number of orders`."""
    if c.word({"with"}) is None:
        return False
    c.word({"the", "their"})
    return c.cue_length(COUNT) > 0 or c.cue(AGGREGATES) in ("avg", "sum")


def _whole_rows(c: Cursor) -> list[Item] | None:
    """`all information about students`."""
    if c.columns() or c.cue(WHOLE_ROWS) is None:
        return None
    c.word({"of", "for"})
    c.word({"each"})
    found = noun(c)
    if found is None or found.table is None:
        return None
    return [Noun(found.table, None, whole=True)]


def _begins_a_condition(c: Cursor) -> bool:
    """After "… and salary", "above 5000" makes it a condition rather than one more thing to show."""
    c.skip({"is", "are", "was", "were", "not"})
    cues = (COMPARISONS, TIME_COMPARISONS, BETWEEN, CONTAINS, MISSING)
    return c.constant() is not None or bool(c.values()) or any(_introduces_value(c, table) for table in cues)


def _introduces_value(c: Cursor, cues: Mapping[Phrase, object]) -> bool:
    if c.cue(cues) is None:
        return False
    return cues is MISSING or c.constant() is not None or bool(c.values()) or c.cue(AVERAGE_VALUE) is not None


def item(c: Cursor) -> list[Item] | None:
    """One thing to show (several, for "minimum and maximum salary")."""
    c.articles()
    for rule in (
        _distinct,
        _headcount,
        _counted_rows,
        rows_by_event,
        ranked_rows,
        most_common,
        _total_of_rows,
        _named_column,
        _aggregated,
        _whole_rows,
        _limited_rows,
        _plain,
    ):
        found = c.attempt(rule)
        if found:
            return found
    return None


def _distinct(c: Cursor) -> list[Item] | None:
    if c.cue(DISTINCT) is None:
        return None
    found = noun(c)
    if found is None:
        return None
    c.draft.distinct = True
    return [found]


def _counted_rows(c: Cursor) -> list[Item] | None:
    """`how many employees`, unless a column is called "number of …" itself."""
    if c.columns() and c.columns()[0].end - c.position > c.cue_length(COUNT):
        return None
    return _counted(c)


def _counted(c: Cursor) -> list[Item] | None:
    start = c.position
    if c.cue(COUNT) is None:
        return None
    while c.cue(COUNT) is not None:  # "count the number of"
        pass
    c.articles()
    total = any(token.text == "total" for token in c.tokens[start : c.position])
    distinct = c.cue(DISTINCT) is not None
    described = c.attempt(_flag_before_noun) or c.attempt(_value_before_noun)
    found = noun(c)
    if found is None or _goes_on_as_noun(c):
        return None
    if described:
        c.draft.require(described)
    return [CountItem(found, distinct, total)]


def _headcount(c: Cursor) -> list[Item] | None:
    """`headcount`, alone or by something, where a table of employees tells it."""
    if c.columns() or c.word({"headcount"}) is None or (c.token is not None and c.token.text == "of"):
        return None
    staff = c.lexicon.tables_at(tokenize("employees"), 0)
    return [CountItem(Noun(staff[0], None), distinct=False, total=False)] if staff else None


def _goes_on_as_noun(c: Cursor) -> bool:
    """In "movie reviews" the movie isn't what is counted."""
    named = any(candidate.level >= BARE for mention in c.columns() for candidate in mention.candidates)
    return named or bool(c.tables())


def _value_before_noun(c: Cursor) -> ValueMatch | None:
    """`Italian` in "Italian restaurants": a found value with a noun right behind it."""
    if c.columns() and c.columns()[0].candidates[0].level >= OWNED:
        return None
    hits = c.values()
    if not hits or not (c.tables() or c.columns()):
        return None
    return ValueMatch(hits, None, None, negated=False)


def _flag_before_noun(c: Cursor) -> Comparison | None:
    """`discontinued` in "discontinued products", where it is a column of the products."""
    said = flag(c, negated=False)
    tables = c.tables()
    if said is None or not tables or not isinstance(said.target, ColumnMention):
        return None
    return said if any(m.ref.table.key == tables[0].table.key for m in said.target.candidates) else None


def _named_column(c: Cursor) -> list[Item] | None:
    """A column whose own name begins with what elsewhere is a cue: `total points`, `max salary`."""
    columns = c.columns()
    cue_length = c.cue_length(AGGREGATES)
    if not cue_length or not columns or columns[0].end - c.position <= cue_length:
        return None
    if max(candidate.level for candidate in columns[0].candidates) < OWNED:
        return None
    return [Noun(None, c.column(), c.attempt(lambda _: _aside(c, columns[0])))]


def _aside(c: Cursor, whole: ColumnMention) -> AsideAggregate | None:
    c.position = whole.start
    function = c.cue(AGGREGATES)
    rest = c.column()
    c.position = whole.end
    if function is None or rest is None or rest.end != whole.end:
        return None
    if max(candidate.level for candidate in rest.candidates) < EXACT:
        return None
    return AsideAggregate(function, rest)


def _total_of_rows(c: Cursor) -> list[Item] | None:
    """`total of all invoices`, `average total of invoices`, where the total is a column of the invoices."""
    function: Aggregate = "sum"
    if c.token is not None and c.token.text != "total":
        function = c.cue(AGGREGATES) or "sum"
    column = next((mention for mention in c.columns() if mention.text == "total"), None)
    if column is None:
        return None
    c.position = column.end
    if c.word({"of", "for"}) is None or c.word({"every"}) is not None:
        return None
    c.articles()
    table = c.tables()[0] if c.tables() else None
    owned = table is not None and table.level == EXACT
    if table is None or not owned or not _has_exactly(column, table):
        return None
    c.position = column.end
    return [AggregateItem(function, column, distinct=False)]


def _has_exactly(column: ColumnMention, table: TableMention) -> bool:
    return any(c.ref.table.key == table.table.key and c.level == EXACT for c in column.candidates)


def _aggregated(c: Cursor) -> list[Item] | None:
    """`average salary`, `minimum, average and maximum age`."""
    functions = _functions(c)
    if not functions:
        return None
    c.articles()
    if (c.columns() and c.columns()[0].end - c.position <= c.cue_length(COUNT)) or not c.columns():
        c.cue(COUNT)
    distinct = c.cue(DISTINCT) is not None
    column = c.column()
    if column is None:
        return None
    return [AggregateItem(function, column, distinct) for function in functions]


def _functions(c: Cursor) -> list[Aggregate]:
    functions: list[Aggregate] = []
    while True:
        function = c.cue(AGGREGATES)
        if function is None:
            return functions
        functions.append(function)
        c.word({"of"})
        if not c.attempt(_another_function):
            return functions


def _another_function(c: Cursor) -> bool:
    """`and maximum`; the "average of the minimum" is another thing."""
    if c.word({",", "and", "as"}) is None:
        return False
    c.skip({",", "and", "the", "as", "well"})
    return c.cue_length(AGGREGATES) > 0


def _limited_rows(c: Cursor) -> list[Item] | None:
    """`5 employees`, `top 5 employees`: rows whose order comes later."""
    top = c.word({"top", "first"}) is not None
    number = c.number()
    if number is None or "." in number or int(number) < 1:
        return None
    found = noun(c)
    if found is None:
        return None
    c.draft.limit, c.draft.top = int(number), top
    return [found]


def _plain(c: Cursor) -> list[Item] | None:
    described = c.attempt(_flag_before_noun) or c.attempt(_value_before_noun)
    found = c.attempt(_name_of_column) or noun(c)
    if found is None:
        return None
    if described:
        c.draft.require(described)
    return [found]


def _name_of_column(c: Cursor) -> Noun | None:
    """`the names of all cities` where a city is no row but a text in a column."""
    if c.word({"name", "names"}) is None or c.word(OWNERS) is None:
        return None
    c.articles()
    found = noun(c)
    if found is None or found.table is not None or found.column is None:
        return None
    return found
