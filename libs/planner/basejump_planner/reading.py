"""A question as parsed, before its phrases are settled on columns: what is asked, of which rows, in which order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from basejump_planner.linking import ColumnMention, ColumnRef, TableMention
from basejump_planner.model import Table, ValueHit
from basejump_planner.qualities import Quality
from basejump_planner.vocabulary import Aggregate, Direction, Operator


class Measured(NamedTuple):
    """Something measurable said by an adjective or a verb: by which nouns its column may be called, and of what."""

    options: tuple[Quality, ...]
    text: str
    table: Table | None = None


class Moment(NamedTuple):
    """A date or a year without a column: the one column of the head that holds time."""

    text: str


Target = ColumnMention | Measured | Moment | ColumnRef


class Constant(NamedTuple):
    """A number, date or text written in the question; a truth said by a word such as "discontinued"."""

    kind: Literal["number", "date", "text", "truth"]
    text: str


class AsideAggregate(NamedTuple):
    """The other way to read "maximum salary" where a column is called so: an aggregate of "salary"."""

    function: Aggregate
    column: ColumnMention


class Noun(NamedTuple):
    """A phrase that names a table, a column, or might be either."""

    table: TableMention | None
    column: ColumnMention | None
    aside: AsideAggregate | None = None
    whole: bool = False


class AggregateItem(NamedTuple):
    """An aggregate of a column."""

    function: Aggregate
    column: ColumnMention
    distinct: bool = False


class CountItem(NamedTuple):
    """A number of rows, or of different values of a column."""

    noun: Noun
    distinct: bool = False
    total: bool = False


Item = Noun | AggregateItem | CountItem


class Comparison(NamedTuple):
    """`target operator constant`; `temporal` when said as of time: after, before, in."""

    target: Target
    operator: Operator
    constant: Constant
    temporal: bool = False
    near: Table | None = None


class Range(NamedTuple):
    """`target` between two constants, both included."""

    target: Target
    low: Constant
    high: Constant
    near: Table | None = None


class Likeness(NamedTuple):
    """A text column that contains, starts or ends with a text."""

    target: Target
    pattern: str
    negated: bool


class Missing(NamedTuple):
    """A column that is, or isn't, null."""

    target: Target
    negated: bool


class ValueMatch(NamedTuple):
    """Values found in the database; `column` and `table` narrow down where, when the question says so."""

    hits: tuple[ValueHit, ...]
    column: ColumnMention | None
    table: TableMention | None
    negated: bool
    near: Table | None = None


class AgainstAverage(NamedTuple):
    """`target` compared with its own average over the table."""

    target: Target
    operator: Operator


class Related(NamedTuple):
    """Rows that have, or have not, rows in another table."""

    table: TableMention
    negated: bool


Condition = Comparison | Range | Likeness | Missing | ValueMatch | AgainstAverage | Related


class CountOf(NamedTuple):
    """The number of rows of `table` (of the head, when None) in a group."""

    table: TableMention | None


class Order(NamedTuple):
    """One sort key."""

    key: Target | CountOf | AggregateItem
    direction: Direction


class GroupSize(NamedTuple):
    """A condition on the number of rows in a group."""

    counted: CountOf
    operator: Operator
    number: str


@dataclass
class Draft:
    """Everything parsed so far.

    `verbs` say something of their own unless they tie tables together; `ties` never do. `top` and `most` tell how
    an order was asked for, `common` that it is by frequency, `alternative` that an "or" awaits its other side.
    """

    items: list[Item] = field(default_factory=list)
    tables: list[TableMention] = field(default_factory=list)
    conditions: list[tuple[Condition, ...]] = field(default_factory=list)
    groups: list[Noun] = field(default_factory=list)
    sizes: list[GroupSize] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    owners: dict[int, Table] = field(default_factory=dict)
    limit: int | None = None
    top: bool = False
    distinct: bool = False
    common: bool = False
    most: bool = False
    verbs: list[str] = field(default_factory=list)
    ties: list[str] = field(default_factory=list)
    alternative: bool = False

    def require(self, condition: Condition) -> None:
        """Adds a condition: one more that must hold, or, after "or", an alternative to the previous one.

        It remembers the table named last before it, which may be what it is said of.
        """
        if self.tables and isinstance(condition, (Comparison, Range, ValueMatch)):
            condition = condition._replace(near=self.tables[-1].table)
        if self.alternative and self.conditions:
            self.conditions[-1] = (*self.conditions[-1], condition)
        else:
            self.conditions.append((condition,))
        self.alternative = False

    def restore(self, before: Draft) -> None:
        """Goes back to a copy, in place: whoever holds the draft holds the right one."""
        vars(self).update(vars(before))

    def copy(self) -> Draft:
        """A draft that can be gone back to."""
        lists: dict[str, Any] = {
            name: list(getattr(self, name))
            for name in ("items", "tables", "conditions", "groups", "sizes", "orders", "verbs", "ties")
        }
        return replace(self, owners=dict(self.owners), **lists)
