"""How rows are grouped, ordered and cut: "for each", "sorted by", "the highest", "top 5"."""

from __future__ import annotations

from basejump_planner.asking import item
from basejump_planner.cursor import Cursor
from basejump_planner.linking import WEAK, ColumnMention
from basejump_planner.nouns import noun
from basejump_planner.qualities import MEASURING_VERBS, QUALITIES, Quality
from basejump_planner.reading import AggregateItem, CountItem, CountOf, Measured, Noun, Order, Target
from basejump_planner.vocabulary import (
    ACTION_VERBS,
    AGGREGATES,
    COMMON,
    COUNT,
    DIRECTIONS,
    EACH,
    MOST,
    ORDER,
    RELATION_VERBS,
    SUPERLATIVES,
    TIME_SUPERLATIVES,
    Direction,
)


def arrangement(c: Cursor) -> bool:
    """One grouping, ordering or superlative, added to the draft; False where none stands here."""
    return any(c.attempt(rule) for rule in _RULES)


def each(c: Cursor) -> bool:
    """`for each department`, `by country and year`."""
    start = c.position
    if c.cue(EACH) is None:
        return False
    plain_by = c.position == start + 1 and c.tokens[start].text == "by"
    if plain_by and c.draft.top and not c.draft.orders and c.attempt(_by_figure):
        return True
    did = start > 0 and c.tokens[start - 1].text in ("did", "does", "do", "has", "have")
    found = (c.attempt(_doer) if did else None) or noun(c)
    if found is None:
        return c.at_end and bool(c.draft.items)  # "… and how many orders have each"
    if plain_by and c.draft.top and not c.draft.orders and found.column is not None:
        c.draft.orders.append(Order(found.column, "desc"))
        return True
    figures = any(not isinstance(thing, Noun) for thing in c.draft.items)
    if plain_by and c.draft.items and not figures and found.column is not None and found.table is None:
        c.attempt(_in)
        c.draft.orders.append(Order(found.column, c.cue(DIRECTIONS) or "asc"))
        return True
    if plain_by and not figures and not c.draft.common and c.draft.items:
        return False  # "written by the author …" groups nothing
    c.draft.groups.append(found)
    while more := c.attempt(_and_noun):
        c.draft.groups.append(more)
    return True


def _doer(c: Cursor) -> Noun | None:
    """`each customer` in "did each customer place": what somebody does is no part of what they are called."""
    for table in c.tables():
        if table.end == len(c.tokens) - 1 and c.tokens[table.end].text in ACTION_VERBS | RELATION_VERBS:
            c.position = table.end
            return Noun(table, next((column for column in c.columns() if column.end == table.end), None))
    return None


def _by_figure(c: Cursor) -> bool:
    """`top 5 departments by number of employees`."""
    key = c.attempt(_key) if c.cue_length(COUNT) or c.cue_length(AGGREGATES) else None
    if key is None:
        return False
    c.draft.orders.append(Order(key, "desc"))
    return True


def _and_noun(c: Cursor) -> Noun | None:
    if c.word({"and"}) is None:
        return None
    c.word({"each", "every", "the"})
    if c.cue_length(AGGREGATES) or c.cue_length(COUNT):
        return None
    return noun(c)


def ordering(c: Cursor) -> bool:
    """`sorted by age in descending order`, `in alphabetical order of name`, `from youngest to oldest`."""
    ordered = c.cue(ORDER) is not None
    c.attempt(_in)
    direction = c.cue(DIRECTIONS)
    if not ordered and direction is None:
        return False
    c.word({"of", "by", "on", "according"})
    c.word({"to"})
    keys = _keys(c)
    if not keys and direction is None:
        return False
    c.attempt(_in)
    direction = direction or c.cue(DIRECTIONS) or "asc"
    for key in keys or _first_item(c):
        c.draft.orders.append(Order(key, direction))
    return bool(c.draft.orders)


def _in(c: Cursor) -> bool:
    c.skip({"in", "the", "an", "a", ","})
    return c.cue_length(DIRECTIONS) > 0


def _keys(c: Cursor) -> list[Target | CountOf | AggregateItem]:
    keys: list[Target | CountOf | AggregateItem] = []
    while True:
        key = c.attempt(_key)
        if key is None:
            return keys
        keys.append(key)
        if not c.attempt(_another_key):
            return keys


def _another_key(c: Cursor) -> bool:
    return c.word({"and", ","}) is not None and not c.cue_length(COUNT)


def _key(c: Cursor) -> Target | CountOf | AggregateItem | None:
    found = c.attempt(item)
    if found is None or len(found) != 1:
        return None
    match found[0]:
        case CountItem(noun=Noun(table=table), distinct=False) if table is not None:
            return CountOf(table)
        case AggregateItem() as aggregate:
            return aggregate
        case Noun(column=column) if column is not None:
            return column
    return None


def _first_item(c: Cursor) -> list[Target | CountOf | AggregateItem]:
    for found in c.draft.items:
        if isinstance(found, Noun) and found.column is not None:
            return [found.column]
        if isinstance(found, Noun) and found.table is not None:
            return [Measured((Quality(("name", "title"), "asc"),), "name")]
    return []


def _rank(c: Cursor, key: Target | CountOf | AggregateItem, direction: Direction, number: str | None) -> bool:
    c.draft.orders.append(Order(key, direction))
    if number is not None:
        c.draft.limit = int(number)
    elif c.draft.limit is None:
        c.draft.limit = 1
    return True


def _leading_number(c: Cursor) -> str | None:
    c.word({"the"})
    c.word({"top"})
    number = c.number()
    return number if number is not None and number.isdigit() and int(number) > 0 else None


def _measured_most(c: Cursor) -> bool:
    """`earn the most`, `cost the least`."""
    verb = c.word(MEASURING_VERBS)
    if verb is None:
        return False
    c.word({"the"})
    direction = c.cue(MOST) or c.cue(SUPERLATIVES)
    if direction is None:
        return False
    c.word({"money"})
    return _rank(c, Measured((Quality(MEASURING_VERBS[verb], direction),), verb), direction, None)


def _earners(c: Cursor) -> bool:
    """`top 5 earners`, `the highest earner`: several without a number are declined."""
    c.word({"the"})
    direction = c.cue(SUPERLATIVES)
    number = c.number()
    noun_said = c.word({"earner"} if number is None else {"earner", "earners"})
    if direction is None or noun_said is None or (number is not None and not number.isdigit()):
        return False
    return _rank(c, Measured((Quality(MEASURING_VERBS["earn"], direction),), "earn"), direction, number)


def _verb_most(c: Cursor) -> bool:
    """`hired most recently`, `opened first`."""
    verb = c.column()
    if verb is None or all(candidate.level > WEAK for candidate in verb.candidates):
        return False
    direction = c.cue(TIME_SUPERLATIVES)
    return direction is not None and _rank(c, verb, direction, None)


def _most(c: Cursor) -> bool:
    """`the most employees`: ordered by a count; `the most points`: ordered by a column."""
    number = _leading_number(c)
    direction = c.cue(MOST)
    if direction is None:
        return False
    found = noun(c)
    if found is None:
        return False
    if found.table is not None:
        return _rank(c, CountOf(found.table), direction, number)
    if found.column is None:
        return False
    c.draft.most = True
    return _rank(c, found.column, direction, number)


def _superlative(c: Cursor) -> bool:
    """`the highest salary`, `the oldest`, `the 3 most expensive`."""
    number = _leading_number(c)
    start = c.position
    general, options = c.attempt(lambda _: c.cue(SUPERLATIVES)), None
    figure = c.attempt(_figure) if general is not None else None
    if figure is not None:
        return _rank(c, figure, general or "desc", number)
    column = c.attempt(_measured_column) if general is not None else None
    if column is None:
        c.position = start
        options = c.cue(QUALITIES)
        if options is None:
            return False
        text = " ".join(token.text for token in c.tokens[start : c.position])
        column = c.attempt(_measured_column)
        number = number or c.number()
        table = c.tables()[0].table if c.tables() else None
        key: Target = column or Measured(options, text, table)
        return _rank(c, key, _direction_of(options, column), number)
    return _rank(c, column, general or "desc", number)


def _direction_of(options: tuple[Quality, ...], column: ColumnMention | None) -> Direction:
    """ "The oldest" is the highest age but the earliest date."""
    if column is None:
        return options[0].direction
    words = set(column.text.split())
    fitting = [option for option in options if any(words & set(noun.split()) for noun in option.nouns)]
    return (fitting or [*options[-1:]])[0].direction


def _figure(c: Cursor) -> AggregateItem | None:
    """`average salary` in "the highest average salary": of each group."""
    function = c.cue(AGGREGATES)
    column = c.column() if function in ("avg", "sum") else None
    return None if column is None or function is None else AggregateItem(function, column)


def _measured_column(c: Cursor) -> ColumnMention | None:
    """A column, unless the same words name a table: in "the oldest people" nothing is said of a column."""
    tables, column = c.tables(), c.column()
    return None if column is None or (tables and tables[0].end >= column.end) else column


def _common(c: Cursor) -> bool:
    number = _leading_number(c)
    direction = c.cue(COMMON)
    if direction is None or not c.draft.items:
        return False
    c.draft.common = True
    return _rank(c, CountOf(None), direction, number)


_RULES = (ordering, each, _measured_most, _earners, _verb_most, _most, _superlative, _common)
