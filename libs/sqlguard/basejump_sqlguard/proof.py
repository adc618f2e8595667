"""What a proof says: one struct for the reply, the stream and the stored result."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

import msgspec


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What an admin decides: rows at most, and functions beyond the dialect's list.

    These are `name` or `schema.name`: the name in lower case, the schema as the dialect reads it. One with a schema may
    be called without it, if no other schema has one of that name.
    """

    row_limit: int = 10_000
    extra_functions: frozenset[str] = frozenset()


class TableProof(msgspec.Struct, frozen=True, kw_only=True):
    schema: str
    name: str
    alias: str
    proved: bool
    why: str


class ColumnProof(msgspec.Struct, frozen=True, kw_only=True):
    schema: str
    table: str
    column: str
    type: str
    proved: bool
    why: str


class JoinProof(msgspec.Struct, frozen=True, kw_only=True):
    """A join, or a way in which joining changes what an aggregate means (`fan_out`)."""

    left: str
    right: str
    on: str
    proved: bool
    why: str
    fan_out: bool = False


class FilterProof(msgspec.Struct, frozen=True, kw_only=True):
    """One condition on rows. Unproved while one of its text values hasn't been found in its column."""

    sql: str
    literals: tuple[TextLiteral, ...]
    proved: bool
    why: str


class FunctionProof(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    proved: bool
    why: str


class TextLiteral(msgspec.Struct, frozen=True, kw_only=True):
    """A text value that a column is compared with; `ignore_case` when the query compares without case, `pattern` when
    `value` is a pattern of LIKE, `negated` when the query asks for rows that don't have it."""

    schema: str
    table: str
    column: str
    value: str
    ignore_case: bool = False
    pattern: bool = False
    negated: bool = False


class LookUp(StrEnum):
    """What came of looking a text value up in its column."""

    FOUND = "found"
    MISSING = "missing"
    EXCLUDED = "excluded"
    UNKNOWN = "unknown"


class Proof(msgspec.Struct, frozen=True, kw_only=True, tag="proof"):
    """A query that may run, as `sql`; every part says whether it is proved, and why or why not."""

    dialect: str
    sql: str
    fingerprint: str
    limit: int
    tables: tuple[TableProof, ...] = ()
    columns: tuple[ColumnProof, ...] = ()
    joins: tuple[JoinProof, ...] = ()
    filters: tuple[FilterProof, ...] = ()
    functions: tuple[FunctionProof, ...] = ()
    literals: tuple[TextLiteral, ...] = ()

    @property
    def fully_proved(self) -> bool:
        groups = (self.tables, self.columns, self.joins, self.filters, self.functions)
        return all(part.proved for group in groups for part in group)

    def with_looked_up(self, outcomes: Mapping[TextLiteral, LookUp]) -> Proof:
        """The same proof after its literals, or some of them, were looked up in the data."""
        filters = tuple(_settled(item, outcomes) for item in self.filters)
        return msgspec.structs.replace(self, filters=filters)


class Refusal(msgspec.Struct, frozen=True, kw_only=True, tag="refusal"):
    """A query that doesn't run. `code` is stable; `reason` is a sentence for a person and for the model;
    `where` is the piece of SQL it is about; `suggestions` are names that were perhaps meant."""

    code: str
    reason: str
    where: str | None = None
    suggestions: tuple[str, ...] = ()


class Refused(Exception):
    """Raised anywhere inside a proof; `prove` returns what it carries."""

    def __init__(self, code: str, reason: str, where: str | None = None, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.refusal = Refusal(code=code, reason=reason, where=where, suggestions=suggestions)


def _settled(item: FilterProof, outcomes: Mapping[TextLiteral, LookUp]) -> FilterProof:
    known = {literal: outcomes[literal] for literal in item.literals if literal in outcomes}
    if not known:
        return item
    open_ = [literal for literal in item.literals if literal not in known and not literal.pattern]
    said = [_SENTENCES[outcome](literal) for literal, outcome in known.items() if outcome in _SENTENCES]
    if open_:
        said.append(not_looked_up(open_))
    why = " ".join(said) or "Each value was found in its column."
    return msgspec.structs.replace(item, proved=not said, why=why)


def not_looked_up(literals: Collection[TextLiteral]) -> str:
    """The sentence for text values that nobody has looked for in their columns."""
    return f"Not yet looked up in the data: {', '.join(map(_named, literals))}."


def _missing(literal: TextLiteral) -> str:
    if literal.pattern:
        return f"No value of {literal.table}.{literal.column} is like '{literal.value}'."
    return f"'{literal.value}' is not a value of {literal.table}.{literal.column}."


def _named(literal: TextLiteral) -> str:
    return f"'{literal.value}' in {literal.table}.{literal.column}"


def _excluded(literal: TextLiteral) -> str:
    return f"Not looked up: {_named(literal)}; an administrator excluded this column."


def _unknown(literal: TextLiteral) -> str:
    return f"Not looked up: {_named(literal)}; the database didn't tell in time."


_SENTENCES = {LookUp.MISSING: _missing, LookUp.EXCLUDED: _excluded, LookUp.UNKNOWN: _unknown}
