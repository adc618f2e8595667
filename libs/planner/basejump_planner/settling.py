"""From a draft to a query: which table it is about, what each phrase means, and whether it all makes sense."""

from __future__ import annotations

from collections.abc import Iterable

from basejump_planner.choosing import Chooser
from basejump_planner.joining import Joins, Unsure, is_to_one
from basejump_planner.linking import EXACT, SYNONYM, ColumnMention, ColumnRef, Lexicon, TableMention
from basejump_planner.model import Table
from basejump_planner.naming import can_be_measured, is_key, is_numeric, is_text, is_time, name_columns, primary_key, time_columns
from basejump_planner.query import Aggregated, Counted, Presence, Query, Selected, Shown, Size, SortKey, Test
from basejump_planner.reading import (
    AgainstAverage,
    AggregateItem,
    Comparison,
    Condition,
    Constant,
    CountItem,
    CountOf,
    Draft,
    GroupSize,
    Likeness,
    Measured,
    Missing,
    Noun,
    Order,
    Range,
    Related,
    ValueMatch,
)


def settle(draft: Draft, lexicon: Lexicon, joins: Joins) -> Query:
    """The query that a draft means.

    Raises:
        Unsure: a phrase may mean several things, tables can't be joined, or the parts don't fit together.
    """
    head = _head(draft, lexicon, joins)
    chooser = Chooser(lexicon, joins, head, _mentioned(draft), draft.owners)
    return _Settlement(draft, chooser).query()


# --- which table the question is about ------------------------------------------------------------------------------


def _mentioned(draft: Draft) -> list[Table]:
    nouns = [item for item in (*draft.items, *draft.groups) if isinstance(item, Noun)]
    mentions = [noun.table for noun in nouns if noun.table is not None and noun.column is None]
    mentions += [*draft.tables, *(m for m in _counted_tables(draft))]
    mentions += [c.table for group in draft.conditions for c in group if isinstance(c, (Related, ValueMatch)) and c.table]
    mentions += [noun.table for noun in draft.groups if noun.table is not None]
    return [mention.table for mention in mentions]


def _counted_tables(draft: Draft) -> list[TableMention]:
    counts = [order.key for order in draft.orders if isinstance(order.key, CountOf)]
    counts += [size.count for size in draft.sizes]
    return [count.table for count in counts if count.table is not None]


def _head(draft: Draft, lexicon: Lexicon, joins: Joins) -> Table:
    counted = [item for item in draft.items if isinstance(item, CountItem)]
    if counted:
        return _counted_head(counted[0], draft, lexicon, joins)
    columns = _column_phrases(draft)
    if draft.owners and not draft.tables:
        return _owner(columns, next(iter(draft.owners.values())), draft, lexicon, joins)
    entities = [item.table for item in draft.items if isinstance(item, Noun) and item.table is not None]
    if draft.tables:
        first = draft.tables[0].table
        if not entities or any(m.column and _has(m.column, first) for m in draft.items if isinstance(m, Noun)):
            return _owner(columns, first, draft, lexicon, joins)
    if entities and _is_entity(draft, entities[0]):
        return entities[0].table
    if draft.tables:
        return draft.tables[0].table
    groups = [noun.table for noun in draft.groups if noun.table is not None]
    measured = _tables_of_measured(draft, lexicon)
    if not columns and not groups and len(measured) == 1:
        return measured[0]
    if groups and not any(isinstance(item, AggregateItem) for item in draft.items):
        return groups[0].table
    return _table_of_columns(columns, draft, lexicon, joins)


def _tables_of_measured(draft: Draft, lexicon: Lexicon) -> list[Table]:
    """The tables that have what an adjective or verb measures: for "who earns the most", those with a salary."""
    targets = [order.key for order in draft.orders]
    targets += [c.target for group in draft.conditions for c in group if isinstance(c, (Comparison, Range))]
    nouns = [noun for t in targets if isinstance(t, Measured) for option in t.options for noun in option.nouns]
    return [table for table in lexicon.tables if any(lexicon.named(noun, table) for noun in nouns)]


def _is_entity(draft: Draft, entity: TableMention) -> bool:
    """A noun such as "country" names rows of a table unless the counted table has a column of that name."""
    noun = next(item for item in draft.items if isinstance(item, Noun) and item.table == entity)
    counted = [mention.table for mention in _counted_tables(draft)]
    return noun.column is None or not any(_has(noun.column, table, EXACT) for table in counted)


def _counted_head(item: CountItem, draft: Draft, lexicon: Lexicon, joins: Joins) -> Table:
    table, column = item.noun.table, item.noun.column
    others = [mention.table for mention in draft.tables]
    if column is not None and (table is None or item.distinct):
        for other in others:
            if _has(column, other, SYNONYM):
                return other
    if table is not None:
        return table.table
    return _table_of_columns([column] if column else [], draft, lexicon, joins)


def _owner(columns: list[ColumnMention], first: Table, draft: Draft, lexicon: Lexicon, joins: Joins) -> Table:
    """The first table named, unless an aggregate measures a column of another."""
    measured = [item.column for item in draft.items if isinstance(item, AggregateItem)]
    if measured and not _has(measured[0], first):
        return _table_of_columns(measured, draft, lexicon, joins)
    return first


def _column_phrases(draft: Draft) -> list[ColumnMention]:
    found = [item.column for item in draft.items if not isinstance(item, CountItem) and item.column is not None]
    if found:
        return found
    targets = [order.key for order in draft.orders]
    conditions = [c.target for group in draft.conditions for c in group if isinstance(c, (Comparison, Range, Likeness, Missing))]
    return [target for target in (*targets, *conditions) if isinstance(target, ColumnMention)]


def _has(mention: ColumnMention, table: Table, level: int = SYNONYM) -> bool:
    return any(c.ref.table.key == table.key and c.level >= level for c in mention.candidates)


def _table_of_columns(columns: list[ColumnMention], draft: Draft, lexicon: Lexicon, joins: Joins) -> Table:
    """The one table that fits the columns asked for best."""
    if not columns:
        raise Unsure("it names no table or column of this database")
    scores: list[tuple[int, Table]] = []
    counted = {mention.table.key for mention in _counted_tables(draft)}
    named = {table.key for table in _mentioned(draft)}
    for table in lexicon.tables:
        levels = [max((c.level for c in m.candidates if c.ref.table.key == table.key), default=0) for m in columns]
        if all(levels):
            scores.append((sum(levels) * 4 + 2 * (table.key in counted) + (table.key in named), table))
    if not scores:
        return _table_of_columns(columns[:1], draft, lexicon, joins) if len(columns) > 1 else _nowhere(columns[0])
    best = max(score for score, _ in scores)
    tables = [table for score, table in scores if score == best]
    if len(tables) > 1:
        tables = [table for table in tables if _holds_values(table, draft)] or tables
    if len(tables) > 1:
        names = " or ".join(table.name for table in tables[:4])
        raise Unsure(f"“{columns[0].text}” may be of {names}")
    return tables[0]


def _nowhere(column: ColumnMention) -> Table:
    raise Unsure(f"“{column.text}” belongs to no table")


def _holds_values(table: Table, draft: Draft) -> bool:
    matches = [c for group in draft.conditions for c in group if isinstance(c, ValueMatch)]
    return bool(matches) and all(any((h.schema, h.table) == table.key for h in match.hits) for match in matches)


# --- what the parts mean ---------------------------------------------------------------------------------------------


class _Settlement:
    def __init__(self, draft: Draft, chooser: Chooser) -> None:
        self.draft = draft
        self.chooser = chooser
        self.head = chooser.head
        self.lexicon = chooser.lexicon
        entities = [item.table.table for item in draft.items if isinstance(item, Noun) and item.table is not None]
        named = [*entities, *(mention.table for mention in draft.tables), *draft.owners.values()]
        self.head_is_named = any(table.key == self.head.key for table in named)

    def query(self) -> Query:
        draft = self.draft
        selected = self._selected()
        distinct = draft.distinct or self._lists_values(selected)
        query = Query(base=self.head, selected=selected, limit=draft.limit, distinct=distinct)
        query.tests = [self._alternatives(group) for group in draft.conditions]
        query.tests += [(Presence(table, False),) for table in self._related_tables(query)]
        self._group(query)
        query.sizes = [self._size(size) for size in draft.sizes]
        query.order_by = [self._sort_key(order) for order in draft.orders]
        self._count_per_row(query)
        _check(query, draft)
        self._check_absence(query)
        if draft.verbs and not _ties_together(query):
            raise Unsure(f"I don't know what “{draft.verbs[0]}” means here")
        return query

    def _lists_values(self, selected: list[Selected]) -> bool:
        """ "Show all majors", with no students in the question, asks which values there are, each once."""
        only = selected[0] if len(selected) == 1 else None
        if not isinstance(only, Shown) or self.head_is_named or self.draft.orders or self.draft.groups:
            return False
        return is_text(only.ref.column) and not is_key(only.ref)

    def _check_absence(self, query: Query) -> None:
        """ "Without orders from Rome": whether Rome is said of the rows or of what they lack can't be told."""
        tests = [test for group in query.tests for test in group]
        for test in tests:
            if isinstance(test, Test) and test.negated and not is_to_one(self.chooser.joins.path(self.head, test.ref.table)):
                raise Unsure("it isn't clear whether none or only some of the related rows are to be different")
        if not any(isinstance(test, Presence) and test.negated for test in tests):
            return
        for test in tests:
            table = test.ref.table if isinstance(test, Test) else test.table
            absent = isinstance(test, Presence) and test.negated
            if not absent and not is_to_one(self.chooser.joins.path(self.head, table)):
                raise Unsure("it isn't clear which related rows are not to be there")

    def _selected(self) -> list[Selected]:
        selected: list[Selected] = []
        for item in self.draft.items:
            selected.extend(self._likewise(selected, self._item(item)))
        if not selected:
            selected.extend(self._named_rows(self.head))
        return list(dict.fromkeys(selected))

    def _likewise(self, before: list[Selected], now: list[Selected]) -> list[Selected]:
        """ "The average age and weight": what follows an aggregate is aggregated likewise."""
        last = before[-1] if before else None
        if not isinstance(last, Aggregated) or self.draft.groups:
            return now
        return [
            Aggregated(last.function, item.ref, last.distinct)
            if isinstance(item, Shown) and can_be_measured(item.ref)
            else item
            for item in now
        ]

    def _item(self, item: Noun | AggregateItem | CountItem) -> list[Selected]:
        match item:
            case AggregateItem(function=function, column=column, distinct=distinct):
                return [self._aggregated(function, self.chooser.column(column), distinct)]
            case CountItem():
                return [self._counted(item)]
            case Noun():
                follows_count = any(isinstance(other, CountItem) for other in self.draft.items[: self._place(item)])
                if follows_count and item.table is not None:
                    raise Unsure("it isn't clear whether two things are to be counted")
                return self._noun(item)

    def _place(self, item: Noun) -> int:
        return self.draft.items.index(item)

    def _aggregated(self, function: str, ref: ColumnRef, distinct: bool) -> Aggregated:
        if not is_numeric(ref.column) and not (function in ("min", "max") and is_time(ref.column)):
            raise Unsure(f"{ref.table.name}.{ref.column.name} isn't a number")
        if function in ("avg", "sum") and is_key(ref):
            raise Unsure(f"{ref.table.name}.{ref.column.name} identifies rows and measures nothing")
        return Aggregated(function, ref, distinct)  # type: ignore[arg-type]

    def _counted(self, item: CountItem) -> Selected:
        noun = item.noun
        if noun.table is not None and noun.table.table.key == self.head.key:
            return Counted(self.head, None)
        if noun.column is None:
            if noun.table is None:
                raise Unsure("it isn't clear what is to be counted")
            return Counted(noun.table.table, None)
        ref = self.chooser.column(noun.column)
        if can_be_measured(ref) and not item.distinct:
            if item.total:
                return Aggregated("sum", ref, False)
            raise Unsure(f"“{noun.column.text}” is itself a number")
        return Counted(ref.table, ref)

    def _noun(self, noun: Noun) -> list[Selected]:
        if noun.aside is not None and self.draft.tables and not _has(noun.column, self.head):  # type: ignore[arg-type]
            return [self._aggregated(noun.aside.function, self.chooser.column(noun.aside.column), False)]
        if noun.whole and noun.table is not None:
            return [Shown(ColumnRef(noun.table.table, column)) for column in noun.table.table.columns]
        if noun.table is not None and (noun.column is None or not self._is_column(noun)):
            return list(self._named_rows(noun.table.table))
        if noun.column is None:
            raise Unsure("it isn't clear what is to be shown")
        names = self.chooser.names(noun.column)
        if names is not None:
            return [Shown(ref) for ref in names]
        return [Shown(self.chooser.column(noun.column))]

    def _is_column(self, noun: Noun) -> bool:
        """Whether a phrase that may be a table or a column is a column of the head."""
        if noun.column is None or noun.table is None or noun.table.table.key == self.head.key:
            return False
        return any(
            c.ref.table.key == self.head.key and c.level >= SYNONYM and not is_key(c.ref) for c in noun.column.candidates
        )

    def _named_rows(self, table: Table) -> list[Selected]:
        refs = name_columns(table, self.lexicon) or primary_key(table) or tuple(ColumnRef(table, c) for c in table.columns)
        return [Shown(ref) for ref in refs]

    # --- conditions

    def _alternatives(self, group: tuple[Condition, ...]) -> tuple[Test | Presence, ...]:
        return _merged([self._condition(condition) for condition in group])

    def _condition(self, condition: Condition) -> Test | Presence:
        match condition:
            case Comparison(target=target, operator=operator, constant=constant, temporal=temporal):
                ref, _ = self.chooser.target(target)
                self.chooser.certain_of(target, ref, condition.near)
                if temporal and ref not in time_columns(ref.table, self.lexicon):
                    raise Unsure(f"{ref.table.name}.{ref.column.name} doesn't hold time")
                if is_key(ref) and operator not in ("=", "<>"):
                    raise Unsure(f"{ref.table.name}.{ref.column.name} identifies rows and measures nothing")
                return Test(ref, operator, (_fitting(ref, constant),))
            case Range(target=target, low=low, high=high):
                ref, _ = self.chooser.target(target)
                self.chooser.certain_of(target, ref, condition.near)
                return Test(ref, "between", (_fitting(ref, low), _fitting(ref, high)))
            case Likeness(target=target, pattern=pattern, negated=negated):
                ref, _ = self.chooser.target(target)
                if not is_text(ref.column):
                    raise Unsure(f"{ref.table.name}.{ref.column.name} isn't text")
                return Test(ref, "like", (Constant("text", pattern),), negated)
            case Missing(target=target, negated=negated):
                ref, _ = self.chooser.target(target)
                if ref.table.key != self.head.key:
                    raise Unsure(f"it isn't clear what to do without {ref.table.name}.{ref.column.name}")
                return Test(ref, "null", (), negated)
            case ValueMatch():
                ref, values = self.chooser.values(condition)
                return Test(ref, "in", tuple(Constant("text", value) for value in values), condition.negated)
            case AgainstAverage(target=target, operator=operator):
                ref, direction = self.chooser.target(target)
                if not can_be_measured(ref) or ref.table.key != self.head.key:
                    raise Unsure(f"{ref.table.name}.{ref.column.name} has no average to compare with")
                return Test(ref, operator, (), average=True)
            case Related(table=table, negated=negated):
                return Presence(table.table, negated)

    def _related_tables(self, query: Query) -> Iterable[Table]:
        """Tables the question names that nothing else in the query draws in."""
        drawn = {ref.table.key for ref in _refs(query)} | {self.head.key}
        drawn |= {mention.table.key for mention in _counted_tables(self.draft)}
        drawn |= {noun.table.table.key for noun in self.draft.groups if noun.table is not None}
        for mention in self.draft.tables:
            if mention.table.key not in drawn:
                drawn.add(mention.table.key)
                yield mention.table

    # --- groups

    def _group(self, query: Query) -> None:
        measures = [s for s in query.selected if not isinstance(s, Shown)]
        plain = [s.ref for s in query.selected if isinstance(s, Shown)]
        if self.draft.groups and (measures or self.draft.common):
            self._group_by_nouns(query, plain)
        elif self.draft.groups:
            self._ungrouped(plain)
        elif measures and plain:
            if any(isinstance(m, Aggregated) and m.function in ("min", "max") for m in measures):
                raise Unsure("it isn't clear whether the extremes are of each group or of all")
            query.group_by = self._with_key(plain)
        elif self.draft.common and plain:
            query.group_by = plain

    def _group_by_nouns(self, query: Query, plain: list[ColumnRef]) -> None:
        for noun in self.draft.groups:
            refs, table = self._group_columns(noun)
            if table is not None:
                counts = any(isinstance(item, Counted) for item in query.selected)
                if table.key == self.head.key and (counts or not primary_key(table)):
                    raise Unsure(f"it asks for a figure of each single row of {table.name}")
                query.keep_empty = True
            own_shown = table is not None and any(ref.table.key == table.key for ref in plain)
            if not own_shown:
                shown = [Shown(ref) for ref in refs if Shown(ref) not in query.selected]
                query.selected[:0] = shown
            query.group_by += [ref for ref in (primary_key(table) if table else ()) if ref not in query.group_by]
            query.group_by += [ref for ref in refs if ref not in query.group_by and not own_shown]
        query.group_by += [ref for ref in plain if ref not in query.group_by]
        query.keep_empty = query.keep_empty and self._can_keep_empty(query)

    def _can_keep_empty(self, query: Query) -> bool:
        one_count = [s for s in query.selected if not isinstance(s, Shown)]
        tables = {ref.table.key for ref in query.group_by}
        counts_rows = len(one_count) == 1 and isinstance(one_count[0], Counted) and one_count[0].ref is None
        return counts_rows and len(tables) == 1 and not query.tests

    def _group_columns(self, noun: Noun) -> tuple[tuple[ColumnRef, ...], Table | None]:
        if noun.table is not None and not self._is_column(noun):
            table = noun.table.table
            if not (noun.column is not None and noun.table.level < EXACT and self._better_column(noun)):
                return name_columns(table, self.lexicon) or primary_key(table) or _no_name(table), table
        if noun.column is None:
            raise Unsure("it isn't clear what to group by")
        names = self.chooser.names(noun.column)
        return (names or (self.chooser.column(noun.column),)), None

    def _better_column(self, noun: Noun) -> bool:
        return noun.column is not None and any(
            c.ref.table.key == self.head.key and noun.table is not None and c.level > noun.table.level
            for c in noun.column.candidates
        )

    def _ungrouped(self, plain: list[ColumnRef]) -> None:
        """ "The name of each student" shows every row; grouping by a column without a figure makes no sense."""
        for noun in self.draft.groups:
            if noun.table is None:
                raise Unsure("it groups without saying what to compute for each group")
            if noun.table.table.key != self.head.key and noun.table.table.key not in {ref.table.key for ref in plain}:
                raise Unsure("it groups without saying what to compute for each group")

    def _with_key(self, plain: list[ColumnRef]) -> list[ColumnRef]:
        return plain

    # --- sizes and order

    def _size(self, size: GroupSize) -> Size:
        return Size(self._count_of(size.count), size.operator, size.number)

    def _count_of(self, count: CountOf) -> Counted:
        return Counted(count.table.table if count.table is not None else self.head, None)

    def _sort_key(self, order: Order) -> SortKey:
        match order.key:
            case CountOf(table=table):
                stored = self._stored_count(table.table) if table is not None else None
                return SortKey(Shown(stored) if stored else self._count_of(order.key), order.direction)
            case AggregateItem(function=function, column=column, distinct=distinct):
                return SortKey(self._aggregated(function, self.chooser.column(column), distinct), order.direction)
            case target:
                ref, direction = self.chooser.target(target)
                return SortKey(Shown(ref), direction or order.direction)

    def _stored_count(self, table: Table) -> ColumnRef | None:
        """A column such as `number_of_hosts`, if the head has one for this table."""
        noun = " ".join(self.lexicon.words_of(table.name))
        return self.lexicon.named(f"number of {noun}", self.head) or self.lexicon.named(f"number {noun}", self.head)

    def _count_per_row(self, query: Query) -> None:
        """Counting for HAVING or ORDER BY groups by what is shown: by rows of the head, or by a column's values."""
        counts = [size.counted for size in query.sizes]
        counts += [key.key for key in query.order_by if isinstance(key.key, Counted)]
        aggregates = [key.key for key in query.order_by if isinstance(key.key, Aggregated)]
        if not (counts or aggregates) or query.group_by:
            return
        if any(is_to_one(self.chooser.joins.path(self.head, c.table)) for c in counts if c.table.key != self.head.key):
            if self.head_is_named:
                raise Unsure("it counts what there can be only one of")
        measures = [s for s in query.selected if not isinstance(s, Shown)]
        if measures and not (query.sizes and len(query.selected) == 1 and isinstance(measures[0], Counted)):
            raise Unsure("it mixes figures of single rows and of groups")
        plain = [s.ref for s in query.selected if isinstance(s, Shown)]
        by_rows = not counts or (counts[0].table.key != self.head.key and self.head_is_named)
        key = list(primary_key(self.head)) if by_rows else []
        if by_rows and not key:
            raise Unsure(f"{self.head.name} has no primary key to count by")
        query.group_by = key + [ref for ref in plain if ref not in key]
        query.count_groups = bool(measures)


def _no_name(table: Table) -> tuple[ColumnRef, ...]:
    raise Unsure(f"{table.name} has no column that names its rows")


def _fitting(ref: ColumnRef, constant: Constant) -> Constant:
    """The constant, if it is of a kind the column can be compared with."""
    column = ref.column
    if is_numeric(column) and constant.kind == "number":
        return constant
    if is_time(column) and (constant.kind == "date" or _is_year(constant)):
        return constant
    raise Unsure(f"{ref.table.name}.{column.name} is {column.type} and can't be compared with “{constant.text}”")


def _is_year(constant: Constant) -> bool:
    return constant.kind == "number" and constant.text.isdigit() and len(constant.text) == 4


def _merged(tests: list[Test | Presence]) -> tuple[Test | Presence, ...]:
    """`a in (x) or a in (y)` is `a in (x, y)`."""
    merged: list[Test | Presence] = []
    for test in tests:
        last = merged[-1] if merged else None
        if (
            isinstance(test, Test)
            and isinstance(last, Test)
            and last.ref == test.ref
            and last.operator == test.operator == "in"
            and not (last.negated or test.negated)
        ):
            merged[-1] = last._replace(constants=last.constants + test.constants)
        else:
            merged.append(test)
    return tuple(merged)


def _refs(query: Query) -> Iterable[ColumnRef]:
    for selected in query.selected:
        if isinstance(selected, (Shown, Aggregated)) or selected.ref is not None:
            yield selected.ref  # type: ignore[misc]
    for group in query.tests:
        yield from (test.ref for test in group if isinstance(test, Test))


def _ties_together(query: Query) -> bool:
    """Whether rows are tied to other tables or to found values, so that a verb between them needs no meaning of its own."""
    tables = {ref.table.key for ref in (*_refs(query), *query.group_by)} | {query.base.key}
    tables |= {item.table.key for item in query.selected if isinstance(item, Counted)}
    tables |= {size.counted.table.key for size in query.sizes}
    tables |= {key.key.table.key for key in query.order_by if isinstance(key.key, Counted)}
    tests = [test for group in query.tests for test in group]
    return len(tables) > 1 or any(isinstance(t, Presence) or t.operator == "in" for t in tests) or bool(query.group_by)


def _check(query: Query, draft: Draft) -> None:
    averages = [position for position, group in enumerate(draft.conditions) if isinstance(group[0], AgainstAverage)]
    if averages and averages[0] + 1 < len(query.tests):
        raise Unsure("it isn't clear of which rows the average is meant")
    measures = [item for item in query.selected if not isinstance(item, Shown)]
    if measures and not query.group_by and (query.order_by or query.limit):
        raise Unsure("it orders a single figure")
    if draft.most and query.order_by and isinstance(query.order_by[0].key, Shown):
        if query.order_by[0].key.ref.table.key != query.base.key:
            raise Unsure("it isn't clear whether the most is of one row or of all rows together")
    if query.limit is not None and not query.order_by:
        raise Unsure("it asks for some rows without saying by which order")
    equal = [group[0].ref for group in query.tests if len(group) == 1 and _is_equality(group[0])]  # type: ignore[union-attr]
    if len(equal) != len(set(equal)):
        raise Unsure("one column can't equal two values at once, and which rows are to have both isn't clear")
    if query.distinct and (query.order_by or query.limit) and query.group_by:
        query.distinct = False
    if draft.common and not query.group_by:
        raise Unsure("it isn't clear what is common to what")


def _is_equality(test: Test | Presence) -> bool:
    return isinstance(test, Test) and test.operator in ("in", "=") and not test.negated


__all__ = ["is_to_one", "settle"]
