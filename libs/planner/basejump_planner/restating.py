"""A settled query in words: "average salary of employees for each department name"."""

from __future__ import annotations

from basejump_planner.linking import ColumnRef
from basejump_planner.model import Table
from basejump_planner.naming import is_text, is_time
from basejump_planner.plurals import plural
from basejump_planner.query import Aggregated, Counted, Presence, Query, Selected, Shown, SortKey, Test
from basejump_planner.vocabulary import Aggregate

_FUNCTIONS = {"avg": "average", "sum": "total"}
_OPERATORS = {"=": "is", "<>": "is not", ">": "over", ">=": "at least", "<": "under", "<=": "at most"}
_TIME_OPERATORS = {">": "after", ">=": "not before", "<": "before", "<=": "not after"}
_WAYS = {"asc": "lowest", "desc": "highest"}
_TIME_WAYS = {"asc": "earliest", "desc": "latest"}
_TEXT_WAYS = {"asc": "in alphabetical order", "desc": "in reverse alphabetical order"}


def restate(query: Query) -> str:
    """The question as it was understood, without a final full stop."""
    parts = [_subject(query), *_presences(query), *_tests(query), *_sizes(query), *_groups(query)]
    text = " ".join(parts)
    return text + (_foremost(query) or _ordered(query))


def _foremost(query: Query) -> str:
    """`, the 5 with the highest salary`; empty where more than one thing, or the alphabet, says which come first."""
    key = query.order_by[0] if len(query.order_by) == 1 else None
    if key is None or query.limit is None or _is_text(key):
        return ""
    which = "the one" if query.limit == 1 else f"the {query.limit}"
    return f", {which} with the {_way(key)} {_selected(key.key, query)}"


def _ordered(query: Query) -> str:
    keys = " and ".join(f"{_selected(key.key, query)}, {_order(key)}" for key in query.order_by)
    first = "" if query.limit is None else f", only the first {query.limit}" if query.limit > 1 else ", only the first"
    return f", by {keys}{first}" if keys else first


def _order(key: SortKey) -> str:
    return _TEXT_WAYS[key.direction] if _is_text(key) else f"{_way(key)} first"


def _way(key: SortKey) -> str:
    of_time = isinstance(key.key, Shown) and is_time(key.key.ref.column)
    return (_TIME_WAYS if of_time else _WAYS)[key.direction]


def _is_text(key: SortKey) -> bool:
    return isinstance(key.key, Shown) and is_text(key.key.ref.column)


def _subject(query: Query) -> str:
    measures: list[Selected] = [item for item in query.selected if not isinstance(item, Shown)]
    asked = measures if query.group_by and measures else query.selected
    what = ", ".join(_selected(item, query) for item in asked)
    if query.distinct:
        what = f"different {what}"
    counts_rows = any(isinstance(item, Counted) and item.ref is None for item in asked)
    return what if counts_rows else f"{what} of {_rows(query.base)}"


def _presences(query: Query) -> list[str]:
    found = [test for group in query.tests for test in group if isinstance(test, Presence)]
    return [f"{'without' if test.negated else 'with'} {_rows(test.table)}" for test in found]


def _tests(query: Query) -> list[str]:
    groups = [[_test(test, query) for test in group if isinstance(test, Test)] for group in query.tests]
    spoken = " and ".join(" or ".join(group) for group in groups if group)
    return [f"where {spoken}"] if spoken else []


def _sizes(query: Query) -> list[str]:
    sizes = [f"{_OPERATORS[size.operator]} {size.number} {_rows(size.counted.table)}" for size in query.sizes]
    return [f"with {' and '.join(sizes)}"] if sizes else []


def _groups(query: Query) -> list[str]:
    shown = [_selected(item, query) for item in query.selected if isinstance(item, Shown)]
    return [f"for each {', '.join(shown)}"] if query.group_by and len(shown) < len(query.selected) and shown else []


def _selected(item: Selected, query: Query) -> str:
    match item:
        case Shown(ref=ref):
            return _named(ref, query)
        case Aggregated(function=function, ref=ref):
            how, what = _function(function, ref), _spoken(ref.column.name)
            return what if what == how else f"{how} {what}"
        case Counted(table=table, ref=counted):
            what = _rows(table) if counted is None else f"different {plural(_named(counted, query))}"
            return f"number of {what}"


def _function(function: Aggregate, ref: ColumnRef) -> str:
    of_time = _TIME_WAYS if is_time(ref.column) else _WAYS
    return {"max": of_time["desc"], "min": of_time["asc"]}.get(function) or _FUNCTIONS[function]


def _named(ref: ColumnRef, query: Query) -> str:
    """A column by its name alone where no other table of the query may have one like it."""
    column = _spoken(ref.column.name)
    clear = ref.table.key == query.base.key or " " in column
    return column if clear else f"{_spoken(ref.table.name)} {column}"


def _rows(table: Table) -> str:
    return plural(_spoken(table.name))


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _test(test: Test, query: Query) -> str:
    name = _named(test.ref, query)
    values = [constant.text for constant in test.constants]
    negation = "not " if test.negated else ""
    if test.average:
        return f"{name} is {_OPERATORS[test.operator]} its average"
    match test.operator:
        case "null":
            return f"{name} is {negation}missing"
        case "like":
            return f"{name} is {negation}like {values[0]}"
        case "in":
            return f"{name} is {negation}{' or '.join(values)}"
        case "between":
            return f"{name} is between {values[0]} and {values[1]}"
        case "=" | "<>":
            return f"{name} {_OPERATORS[test.operator]} {values[0]}"
        case operator:
            said = _TIME_OPERATORS if is_time(test.ref.column) else _OPERATORS
            return f"{name} is {said[operator]} {values[0]}"
