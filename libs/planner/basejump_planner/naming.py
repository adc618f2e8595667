"""What columns are by their types and names: those that name a row, hold time, can be added up."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from basejump_planner.linking import ColumnRef, Lexicon
from basejump_planner.model import Column, Table
from basejump_planner.vocabulary import STATES
from basejump_planner.words import stems

_NUMERIC = re.compile(r"^((tiny|small|medium|big)?int\d?|integer|numeric|decimal|real|double|float\d?|money)\b")
_TIME = re.compile(r"^(date|timestamp)")
_TEXT = re.compile(r"^((tiny|medium|long)?text|character|varchar|char|citext|name|bpchar|\"char\"|enum)")
_FLAGS = re.compile(r"^(smallint|integer|tinyint|int)\b")
_NAMES = (("name",), ("full", "name"), ("title",))
_PART_OF_NAME = frozenset(("first", "middl", "last", "given", "famili"))


def is_numeric(column: Column) -> bool:
    return _NUMERIC.match(column.type.lower()) is not None and "[]" not in column.type


def is_time(column: Column) -> bool:
    return _TIME.match(column.type.lower()) is not None and "[]" not in column.type


def is_text(column: Column) -> bool:
    return _TEXT.match(column.type.lower()) is not None and "[]" not in column.type


def is_truth(column: Column) -> bool:
    return column.type.lower() in ("boolean", "bool")


def is_flag(ref: ColumnRef) -> bool:
    """Whether the column says yes or no: a boolean, or an integer called by a state; `ordered` may be how many.

    MySQL's `boolean` is another word for `tinyint(1)`.
    """
    column = ref.column
    integer = _FLAGS.match(column.type.lower()) is not None and set(column.distinct_values) <= {"0", "1"}
    if column.type.lower() == "tinyint(1)" and integer:
        return not is_key(ref)
    return is_truth(column) or (integer and not is_key(ref) and column.name.lower() in STATES)


def primary_key(table: Table) -> tuple[ColumnRef, ...]:
    return tuple(ColumnRef(table, column) for column in table.columns if column.primary_key)


def is_key(ref: ColumnRef) -> bool:
    """Whether the column identifies rows, here or elsewhere; adding those up makes no sense."""
    return ref.column.primary_key or any(ref.column.name in foreign.columns for foreign in ref.table.foreign_keys)


def can_be_measured(ref: ColumnRef) -> bool:
    return is_numeric(ref.column) and not is_key(ref)


def name_columns(table: Table, lexicon: Lexicon) -> tuple[ColumnRef, ...]:
    """The columns by which people call a row: its name or title, or first and last name; empty when unclear."""
    refs = [ColumnRef(table, column) for column in table.columns]
    words = {ref: stems(lexicon.words_of(ref.column.name)) for ref in refs}
    own = stems(lexicon.words_of(table.name))
    for wanted in _NAMES:
        for ref in refs:
            if words[ref] == wanted or tuple(word for word in words[ref] if word not in own) == wanted:
                return (ref,)
    for ref in refs:
        if words[ref] == own and is_text(ref.column):
            return (ref,)
    first = [ref for ref in refs if words[ref][-2:] == ("first", "name")]
    last = [ref for ref in refs if words[ref][-2:] == ("last", "name")]
    if len(first) == len(last) == 1:
        return (first[0], last[0])
    ending = [ref for ref in refs if _ends_in_name(ref, words[ref]) and is_text(ref.column)]
    return (ending[0],) if len(ending) == 1 else _name_behind_key(refs, words)


def _name_behind_key(refs: Sequence[ColumnRef], words: Mapping[ColumnRef, tuple[str, ...]]) -> tuple[ColumnRef, ...]:
    """`company_name` right behind `supplier_id`: it names the rows, `contact_name` further on does not."""
    behind = next((ref for ref in refs if not ref.column.primary_key), None)
    keyed = bool(refs) and refs[0].column.primary_key
    if behind is None or not keyed or not is_text(behind.column):
        return ()
    named = words[behind][-1:] == ("name",) and not set(words[behind]) & _PART_OF_NAME
    return (behind,) if named else ()


def _ends_in_name(ref: ColumnRef, words: tuple[str, ...]) -> bool:
    return words[-1:] in (("name",), ("titl",)) or ref.column.name.lower().endswith("name")


def time_columns(table: Table, lexicon: Lexicon) -> tuple[ColumnRef, ...]:
    """The columns that hold a date, or a year as a number."""
    refs = [ColumnRef(table, column) for column in table.columns]
    return tuple(
        ref
        for ref in refs
        if is_time(ref.column) or (is_numeric(ref.column) and "year" in stems(lexicon.words_of(ref.column.name)))
    )
