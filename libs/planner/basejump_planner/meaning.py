"""What the phrases of a question mean: what is shown, and which rows are wanted."""

from __future__ import annotations

from collections.abc import Iterable

from basejump_planner.choosing import Chooser
from basejump_planner.heading import counted_tables, has
from basejump_planner.joining import Unsure
from basejump_planner.linking import SYNONYM, ColumnRef
from basejump_planner.model import Table
from basejump_planner.naming import (
    can_be_measured,
    is_key,
    is_numeric,
    is_text,
    is_time,
    is_truth,
    name_columns,
    primary_key,
    time_columns,
)
from basejump_planner.qualities import MEASURING_VERBS
from basejump_planner.query import Aggregated, Counted, Presence, Query, Selected, Shown, Test
from basejump_planner.reading import (
    AgainstAverage,
    AggregateItem,
    Comparison,
    Condition,
    Constant,
    CountItem,
    Draft,
    Likeness,
    Measured,
    Missing,
    Noun,
    Range,
    Related,
    ValueMatch,
)
from basejump_planner.vocabulary import Aggregate


class Meaning:
    """Settles what a draft shows and which rows it wants, for one head table."""

    def __init__(self, draft: Draft, chooser: Chooser) -> None:
        self.draft = draft
        self.chooser = chooser
        self.head = chooser.head
        self.lexicon = chooser.lexicon
        nouns = [item.noun if isinstance(item, CountItem) else item for item in draft.items]
        entities = [noun.table.table for noun in nouns if isinstance(noun, Noun) and noun.table is not None]
        named = [*entities, *(mention.table for mention in draft.tables), *draft.owners.values()]
        self.head_is_named = any(table.key == self.head.key for table in named)

    def selected(self) -> list[Selected]:
        """What is shown; the names of the head's rows where the question doesn't say."""
        selected: list[Selected] = []
        for item in self.draft.items:
            selected.extend(self._likewise(selected, self._item(item)))
        if not selected:
            selected.extend(self._named_rows(self.head))
        selected.extend(self._measured_by_verb())
        return list(dict.fromkeys(selected))

    def _measured_by_verb(self) -> list[Selected]:
        """ "Which 5 employees earn the most?" wants to know how much, too."""
        rows_alone = all(isinstance(item, Noun) and item.table is not None for item in self.draft.items)
        key = self.draft.orders[0].key if self.draft.orders and self.draft.limit else None
        if not rows_alone or not isinstance(key, Measured) or key.text not in MEASURING_VERBS:
            return []
        ref, _ = self.chooser.target(key)
        return [Shown(ref)] if ref.table.key == self.head.key else []

    def _likewise(self, before: list[Selected], now: list[Selected]) -> list[Selected]:
        """ "The average age and weight": what follows an aggregate is aggregated likewise."""
        last = before[-1] if before else None
        if not isinstance(last, Aggregated):
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
                return [aggregated(function, self.chooser.column(column), distinct)]
            case CountItem():
                return [self._counted(item)]
            case Noun():
                follows_count = any(isinstance(other, CountItem) for other in self.draft.items[: self._place(item)])
                if follows_count and item.table is not None:
                    raise Unsure("it isn't clear whether two things are to be counted")
                return self._noun(item)

    def _place(self, item: Noun) -> int:
        return self.draft.items.index(item)

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
        if noun.aside is not None and self.draft.tables and not has(noun.column, self.head):  # type: ignore[arg-type]
            return [aggregated(noun.aside.function, self.chooser.column(noun.aside.column), False)]
        if noun.whole and noun.table is not None:
            return [Shown(ColumnRef(noun.table.table, column)) for column in noun.table.table.columns]
        if noun.table is not None and (noun.column is None or not self.is_column(noun)):
            return list(self._named_rows(noun.table.table))
        if noun.column is None:
            raise Unsure("it isn't clear what is to be shown")
        names = self.chooser.names(noun.column)
        if names is not None:
            return [Shown(ref) for ref in names]
        return [Shown(self.chooser.column(noun.column))]

    def is_column(self, noun: Noun) -> bool:
        """Whether a phrase that may be a table or a column is a column of the head."""
        if noun.column is None or noun.table is None or noun.table.table.key == self.head.key:
            return False
        return any(
            c.ref.table.key == self.head.key and c.level >= SYNONYM and not is_key(c.ref)
            for c in noun.column.candidates
        )

    def _named_rows(self, table: Table) -> list[Selected]:
        """By their names; rows that have none are shown whole where they are simply listed, else by their key."""
        draft = self.draft
        refs = name_columns(table, self.lexicon)
        if not refs and (draft.sizes or draft.orders or draft.conditions or draft.tables or len(draft.items) > 1):
            refs = primary_key(table)
        refs = refs or tuple(ColumnRef(table, column) for column in table.columns)
        return [Shown(ref) for ref in refs]

    # --- conditions

    def alternatives(self, group: tuple[Condition, ...]) -> tuple[Test | Presence, ...]:
        """Conditions of which one must hold."""
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
                ref, _ = self.chooser.target(target)
                if not can_be_measured(ref) or ref.table.key != self.head.key:
                    raise Unsure(f"{ref.table.name}.{ref.column.name} has no average to compare with")
                return Test(ref, operator, (), average=True)
            case Related(table=table, negated=negated):
                return Presence(table.table, negated)

    def related_tables(self, query: Query) -> Iterable[Table]:
        """Tables the question names that nothing else in the query draws in."""
        drawn = {ref.table.key for ref in refs_of(query)} | {self.head.key}
        drawn |= {mention.table.key for mention in counted_tables(self.draft)}
        drawn |= {noun.table.table.key for noun in self.draft.groups if noun.table is not None}
        for mention in self.draft.tables:
            if mention.table.key not in drawn:
                drawn.add(mention.table.key)
                yield mention.table


def aggregated(function: Aggregate, ref: ColumnRef, distinct: bool) -> Aggregated:
    """An aggregate that makes sense; raises Unsure for the sum of keys and the like."""
    if not is_numeric(ref.column) and not (function in ("min", "max") and is_time(ref.column)):
        raise Unsure(f"{ref.table.name}.{ref.column.name} isn't a number")
    if function in ("avg", "sum") and is_key(ref):
        raise Unsure(f"{ref.table.name}.{ref.column.name} identifies rows and measures nothing")
    return Aggregated(function, ref, distinct)


def _fitting(ref: ColumnRef, constant: Constant) -> Constant:
    """The constant, if it is of a kind the column can be compared with."""
    column = ref.column
    if is_numeric(column) and constant.kind == "number":
        return constant
    if constant.kind == "truth":
        return constant if is_truth(column) else Constant("number", str(int(constant.text == "true")))
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


def refs_of(query: Query) -> Iterable[ColumnRef]:
    for selected in query.selected:
        if isinstance(selected, (Shown, Aggregated)) or selected.ref is not None:
            yield selected.ref  # type: ignore[misc]
    for group in query.tests:
        yield from (test.ref for test in group if isinstance(test, Test))
