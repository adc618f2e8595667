"""A settled query in words: "average salary of employees for each department_name"."""

from __future__ import annotations

from basejump_planner.query import Aggregated, Counted, Presence, Query, Selected, Shown, Test

_FUNCTIONS = {"avg": "average", "sum": "total", "max": "highest", "min": "lowest"}
_OPERATORS = {"=": "is", "<>": "is not", ">": "over", ">=": "at least", "<": "under", "<=": "at most"}


def restate(query: Query) -> str:
    """The question as it was understood, without a final full stop."""
    what = ", ".join(_selected(item, query) for item in _asked(query))
    parts = [f"{what} of {query.base.name}" if not _counts_base(query) else what]
    if query.tests:
        parts.append("where " + " and ".join(" or ".join(_test(test) for test in group) for group in query.tests))
    if query.sizes:
        sizes = (f"{_OPERATORS[size.operator]} {size.number} {size.counted.table.name}" for size in query.sizes)
        parts.append("with " + " and ".join(sizes))
    groups = [item.ref.column.name for item in query.selected if isinstance(item, Shown)] if query.group_by else []
    if groups and len(groups) < len(query.selected):
        parts.append("for each " + ", ".join(groups))
    if query.order_by:
        keys = (f"{_selected(key.key, query)} {_WAYS[key.direction]}" for key in query.order_by)
        parts.append("by " + ", ".join(keys))
    if query.limit is not None:
        parts.append(f"the first {query.limit}" if query.limit > 1 else "the first one")
    return _spaced(parts)


_WAYS = {"asc": "ascending", "desc": "descending"}


def _spaced(parts: list[str]) -> str:
    return " ".join(
        parts[:1] + [part if part.startswith(("where", "for", "with")) else f", {part}" for part in parts[1:]]
    ).replace(" ,", ",")


def _asked(query: Query) -> list[Selected]:
    measures: list[Selected] = [item for item in query.selected if not isinstance(item, Shown)]
    return measures if query.group_by and measures else query.selected


def _counts_base(query: Query) -> bool:
    return any(isinstance(item, Counted) and item.ref is None for item in _asked(query))


def _selected(item: Selected, query: Query) -> str:
    match item:
        case Shown(ref=ref):
            return ref.column.name if ref.table.key == query.base.key else f"{ref.table.name}.{ref.column.name}"
        case Aggregated(function=function, ref=ref):
            return f"{_FUNCTIONS[function]} {ref.column.name}"
        case Counted(table=table, ref=counted):
            return f"number of {table.name}" if counted is None else f"number of different {counted.column.name}"


def _test(test: Test | Presence) -> str:
    if isinstance(test, Presence):
        return f"{'without' if test.negated else 'with'} {test.table.name}"
    name = f"{test.ref.table.name}.{test.ref.column.name}"
    values = [constant.text for constant in test.constants]
    if test.average:
        return f"{name} {_OPERATORS[test.operator]} its average"
    match test.operator:
        case "null":
            return f"{name} is {'not ' if test.negated else ''}missing"
        case "like":
            return f"{name} is {'not ' if test.negated else ''}like {values[0]}"
        case "in":
            return f"{name} is {'not ' if test.negated else ''}{' or '.join(values)}"
        case "between":
            return f"{name} is between {values[0]} and {values[1]}"
        case operator:
            return f"{name} {_OPERATORS[operator]} {values[0]}"
