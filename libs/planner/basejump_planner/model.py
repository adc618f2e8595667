"""What goes into the planner and what comes out: the schema slice, the found values, the plan or the refusal."""

from __future__ import annotations

from typing import Literal

import msgspec

Intent = Literal["count", "value", "list", "group"]


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column; `type` is PostgreSQL's own text, as `format_type` gives it: `character varying(20)`."""

    name: str
    type: str
    description: str = ""
    primary_key: bool = False
    distinct_values: tuple[str, ...] = ()


class ForeignKey(msgspec.Struct, frozen=True, kw_only=True):
    """A declared key; `columns[i]` references `references_columns[i]`."""

    columns: tuple[str, ...]
    references_schema: str
    references_table: str
    references_columns: tuple[str, ...]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table or view of the retrieved slice."""

    schema: str
    name: str
    description: str = ""
    columns: tuple[Column, ...]
    foreign_keys: tuple[ForeignKey, ...] = ()
    row_estimate: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        return (self.schema, self.name)


class ValueHit(msgspec.Struct, frozen=True, kw_only=True):
    """A phrase of the question that is a value of a text column; `value` has the stored spelling."""

    phrase: str
    schema: str
    table: str
    column: str
    value: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A question understood: one SELECT, and the question restated as it was understood.

    `intent` tells the shape of the result: `count` one number that counts rows, `value` one row of aggregates,
    `group` one row per group, `list` rows of the data.
    """

    sql: str
    reading: str
    intent: Intent


class CannotAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A question declined. `reason` completes "I can't answer that without a language model, because …"."""

    reason: str
    not_understood: tuple[str, ...] = ()
