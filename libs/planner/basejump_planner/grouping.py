"""How a query groups and orders its rows."""

from __future__ import annotations

from basejump_planner.joining import Unsure, is_to_one
from basejump_planner.linking import EXACT, ColumnRef
from basejump_planner.meaning import Meaning, aggregated
from basejump_planner.model import Table
from basejump_planner.naming import (
    name_columns,
    primary_key,
)
from basejump_planner.query import Aggregated, Counted, Query, Shown, Size, SortKey
from basejump_planner.reading import (
    AggregateItem,
    CountOf,
    Draft,
    GroupSize,
    Noun,
    Order,
)


class Grouping:
    """Adds groups, conditions on groups and order to a query."""

    def __init__(self, draft: Draft, meaning: Meaning) -> None:
        self.draft = draft
        self.meaning = meaning
        self.chooser = meaning.chooser
        self.head = meaning.head
        self.lexicon = meaning.lexicon

    def group(self, query: Query) -> None:
        measures = [s for s in query.selected if not isinstance(s, Shown)]
        plain = [s.ref for s in query.selected if isinstance(s, Shown)]
        if self.draft.groups and (measures or self.draft.common):
            self._group_by_nouns(query, plain)
        elif self.draft.groups:
            self._ungrouped(plain)
        elif measures and plain:
            if any(isinstance(m, Aggregated) and m.function in ("min", "max") for m in measures):
                raise Unsure("it isn't clear whether the extremes are of each group or of all")
            query.group_by = plain
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
        if noun.table is not None and not self.meaning.is_column(noun):
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

    def size(self, size: GroupSize) -> Size:
        return Size(self._count_of(size.counted), size.operator, size.number)

    def _count_of(self, count: CountOf) -> Counted:
        return Counted(count.table.table if count.table is not None else self.head, None)

    def sort_key(self, order: Order) -> SortKey:
        match order.key:
            case CountOf(table=table):
                stored = self._stored_count(table.table) if table is not None else None
                return SortKey(Shown(stored) if stored else self._count_of(order.key), order.direction)
            case AggregateItem(function=function, column=column, distinct=distinct):
                return SortKey(aggregated(function, self.chooser.column(column), distinct), order.direction)
            case target:
                ref, direction = self.chooser.target(target)
                return SortKey(Shown(ref), direction or order.direction)

    def _stored_count(self, table: Table) -> ColumnRef | None:
        """A column such as `number_of_hosts`, if the head has one for this table."""
        noun = " ".join(self.lexicon.words_of(table.name))
        return self.lexicon.named(f"number of {noun}", self.head) or self.lexicon.named(f"number {noun}", self.head)

    def count_per_row(self, query: Query) -> None:
        """Counting for HAVING or ORDER BY groups by what is shown: by rows of the head, or by a column's values."""
        counts = [size.counted for size in query.sizes]
        counts += [key.key for key in query.order_by if isinstance(key.key, Counted)]
        aggregates = [key.key for key in query.order_by if isinstance(key.key, Aggregated)]
        if not (counts or aggregates) or query.group_by:
            return
        others = [counted.table for counted in counts if counted.table.key != self.head.key]
        single = any(is_to_one(self.chooser.joins.path(self.head, table)) for table in others)
        if single and self.meaning.head_is_named:
            raise Unsure("it counts what there can be only one of")
        measures = [s for s in query.selected if not isinstance(s, Shown)]
        if measures and not (query.sizes and len(query.selected) == 1 and isinstance(measures[0], Counted)):
            raise Unsure("it mixes figures of single rows and of groups")
        plain = [s.ref for s in query.selected if isinstance(s, Shown)]
        figured = counts[0].table if counts else aggregates[0].ref.table
        by_rows = figured.key != self.head.key and self.meaning.head_is_named
        key = list(primary_key(self.head)) if by_rows else []
        if by_rows and not key:
            raise Unsure(f"{self.head.name} has no primary key to count by")
        query.group_by = key + [ref for ref in plain if ref not in key]
        if not query.group_by:
            raise Unsure("it isn't clear what the figures are per")
        query.count_groups = bool(measures)
        query.keep_empty = by_rows and bool(counts) and not query.tests and _may_be_none(query)


def _no_name(table: Table) -> tuple[ColumnRef, ...]:
    raise Unsure(f"{table.name} has no column that names its rows")


def _may_be_none(query: Query) -> bool:
    """ "The fewest" and "less than 3" include rows that have none."""
    fewest = any(isinstance(key.key, Counted) and key.direction == "asc" for key in query.order_by)
    return fewest or any(size.operator in ("<", "<=") or size.number == "0" for size in query.sizes)
