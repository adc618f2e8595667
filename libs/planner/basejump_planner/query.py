"""A question settled on tables and columns; what remains is writing it as SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from basejump_planner.linking import ColumnRef
from basejump_planner.model import Table
from basejump_planner.reading import Constant
from basejump_planner.vocabulary import Aggregate, Direction, Operator


class Shown(NamedTuple):
    """A column as it is."""

    ref: ColumnRef


class Aggregated(NamedTuple):
    """An aggregate of a column."""

    function: Aggregate
    ref: ColumnRef
    distinct: bool


class Counted(NamedTuple):
    """A number of rows of `table`, or of different values of `ref` where that is given."""

    table: Table
    ref: ColumnRef | None


Selected = Shown | Aggregated | Counted


class Test(NamedTuple):
    """A condition on one column; `like` takes one constant, `between` two, `in` any, `null` and `average` none."""

    ref: ColumnRef
    operator: Operator | Literal["between", "like", "in", "null"]
    constants: tuple[Constant, ...]
    negated: bool = False
    average: bool = False


class Presence(NamedTuple):
    """A related row in `table` exists, or doesn't."""

    table: Table
    negated: bool


class Size(NamedTuple):
    """A condition on a count, per group."""

    counted: Counted
    operator: Operator
    number: str


class SortKey(NamedTuple):
    """One key to order by."""

    key: Selected
    direction: Direction


@dataclass
class Query:
    """One SELECT to be written.

    `base` is the table whose rows are shown, counted or measured. With `keep_empty` the counted table is joined so that
    rows of `base` without any count as 0. With `count_groups` the answer is how many groups there are.
    """

    base: Table
    selected: list[Selected]
    tests: list[tuple[Test | Presence, ...]] = field(default_factory=list)
    group_by: list[ColumnRef] = field(default_factory=list)
    sizes: list[Size] = field(default_factory=list)
    order_by: list[SortKey] = field(default_factory=list)
    limit: int | None = None
    distinct: bool = False
    keep_empty: bool = False
    count_groups: bool = False
