"""From rows to what is drawn: one value for each place on the axis, in an order that tells something."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from basejump_chat_agent.domain.charts.choosing import MOST_SERIES, READ_ROWS, Choice, NoChart
from basejump_chat_agent.domain.charts.fields import Field, Kind, Role, Table, in_order

MOST_CATEGORIES = 20
MOST_SLICES = 8
NO_VALUE = "(none)"

Number = int | float
Grid = dict[Any, dict[str, Number | None]]
"""The value of each trace at each place of the axis."""


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """Points of one name; x are texts, or numbers where the axis is one of numbers. A y of None is a gap."""

    name: str
    x: tuple[Any, ...]
    y: tuple[Number | None, ...]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn, and what a person must know of it, as ends of a sentence."""

    traces: tuple[Trace, ...]
    remarks: tuple[str, ...] = ()


def shape(table: Table, choice: Choice) -> Shape | NoChart:
    """Raises nothing: what can't be drawn honestly is no chart."""
    shaped = _points(table, choice) if choice.kind is Kind.SCATTER else _Places(table, choice).shape()
    if isinstance(shaped, NoChart):
        return shaped
    if not any(value is not None for trace in shaped.traces for value in trace.y):
        return NoChart(reason=f"{choice.measures[0].title} has no values")
    cut = (f"the result was cut at {table.row_count:,} rows",) if table.truncated else ()
    return msgspec.structs.replace(shaped, remarks=(*shaped.remarks, *cut))


# -- a point a row ------------------------------------------------------------------------------------------------


def _points(table: Table, choice: Choice) -> Shape:
    x, y = choice.x[0].cells, choice.measures[0].cells
    names = choice.series.cells if choice.series else (choice.measures[0].title,) * len(x)
    rows = [(str(NO_VALUE if n is None else n), a, b) for n, a, b in zip(names, x, y, strict=True)]
    rows = [row for row in rows if row[1] is not None and row[2] is not None]
    kept = _thinned(rows)
    counted = _largest(kept, lambda row: row[0])
    traces = []
    for name in counted[:MOST_SERIES]:
        points = [row for row in kept if row[0] == name]
        traces.append(Trace(name=name, x=tuple(p[1] for p in points), y=tuple(p[2] for p in points)))
    remarks = _sampled(len(kept), table.row_count if table.missing else len(rows))
    if len(counted) > MOST_SERIES:
        remarks += (f"the {MOST_SERIES} most frequent of {len(counted)} series are drawn",)
    return Shape(traces=tuple(traces), remarks=remarks)


def _largest(rows: Iterable[tuple[Any, ...]], key: Callable[[Any], str]) -> list[str]:
    """Names by how many rows they have."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[key(row)] = counts.get(key(row), 0) + 1
    return sorted(counts, key=lambda name: -counts[name])


def _thinned(rows: Sequence[Any]) -> list[Any]:
    step = -(-len(rows) // READ_ROWS) or 1
    return list(rows[::step])


def _sampled(drawn: int, all_rows: int) -> tuple[str, ...]:
    return (f"{drawn:,} evenly spaced rows of {all_rows:,} are drawn",) if drawn < all_rows else ()


# -- a value a place ----------------------------------------------------------------------------------------------


class _Places:
    def __init__(self, table: Table, choice: Choice) -> None:
        self._table = table
        self._choice = choice
        self._by_category = choice.x[0].role is Role.CATEGORY
        several_known = table.missing == 0  # of the rows that weren't picked, one column was added up at most
        self._measures = choice.measures if several_known else choice.measures[:1]
        self._additive = all(field.additive for field in self._measures)

    def shape(self) -> Shape | NoChart:
        grid, added = self._grid()
        if added and (not self._additive or self._table.missing):
            return NoChart(reason=f"several rows share one {self._choice.x[0].title}, and their values don't add up")
        names, remarks = self._names(grid)
        if added:
            remarks += (f"values of one {self._choice.x[0].title} are added up",)
        if self._by_category:
            return self._categories(grid, names, remarks)
        places = self._thinned_in_order(grid)
        remarks += _sampled(len(places), self._table.row_count if self._table.missing else len(grid))
        return Shape(traces=_traces(grid, names, places), remarks=remarks)

    def _grid(self) -> tuple[Grid, bool]:
        """The values, and whether several rows met in one."""
        series, added = self._choice.series, False
        grid: Grid = {}
        for row, place in enumerate(_labels(self._choice.x, self._by_category)):
            for field in self._measures:
                name = field.title if series is None else str(series.cells[row] or NO_VALUE)
                at = grid.setdefault(place, {})
                added = added or name in at
                at[name] = _plus(at.get(name), field.cells[row])
        return grid, added

    def _names(self, grid: Grid) -> tuple[list[str], tuple[str, ...]]:
        """The traces to draw; small ones are put together in `grid` where that means something, else left out."""
        series = self._choice.series
        found = list(dict.fromkeys(name for at in grid.values() for name in at))
        if series is not None and series.ordered:
            in_place = {str(cell): in_order(series)(cell) for cell in series.cells if cell is not None}
            found.sort(key=lambda name: (name not in in_place, in_place.get(name, 0)))
        if len(found) <= MOST_SERIES:
            return found, ()
        totals = {name: sum(abs(at.get(name) or 0) for at in grid.values()) for name in found}
        largest = sorted(found, key=lambda name: -totals[name])[: MOST_SERIES - 1]
        kept = [name for name in found if name in largest]
        remark = f"the {len(kept)} largest of {len(found)} series are drawn"
        if not self._additive:
            return kept, (remark,)
        rest = [name for name in found if name not in largest]
        other = f"Other ({len(rest)})"
        for at in grid.values():
            at[other] = _sum(at.get(name) for name in rest)
        return [*kept, other], (f"{remark}, the others added up",)

    def _thinned_in_order(self, grid: Grid) -> list[Any]:
        key = in_order(self._choice.x[0])
        known = [place for place in grid if place is not None]
        return _thinned(sorted(known, key=key))

    def _categories(self, grid: Grid, names: Sequence[str], remarks: tuple[str, ...]) -> Shape:
        totals = {place: _sum(at.get(name) for name in names) for place, at in grid.items()}
        upward = _goes_up([totals[place] for place in grid]) and self._choice.kind is not Kind.PIE
        places = sorted(grid, key=lambda place: _by_size(totals[place], upward))
        most = MOST_SLICES if self._choice.kind is Kind.PIE else MOST_CATEGORIES
        every = len(places) + self._table.missing
        if every <= most:
            return Shape(traces=_traces(grid, names, places), remarks=(*remarks, _sorted(upward)))
        kept, rest = places[:most], places[most:]
        remark = f"the {most} {'smallest' if upward else 'largest'} of {every:,} are drawn"
        if self._adds_rest(upward):
            left = every - most
            other = f"Other ({left:,})"
            grid[other] = {name: _sum(grid[place].get(name) for place in rest) for name in names}
            if self._table.missing:
                grid[other][names[0]] = _plus(grid[other][names[0]], self._table.rest)
            kept, remark = [*kept, other], f"{remark}, the other {left:,} added up"
        return Shape(traces=_traces(grid, names, kept), remarks=(*remarks, remark))

    def _adds_rest(self, upward: bool) -> bool:
        known = not self._table.missing or (self._table.rest is not None and self._choice.series is None)
        return self._additive and known and not upward


def _labels(x: Sequence[Field], by_category: bool) -> Iterable[Any]:
    if not by_category:
        return x[0].cells
    rows = zip(*(field.cells for field in x), strict=True)
    return (" ".join(str(cell) for cell in row if cell is not None) or NO_VALUE for row in rows)


def _traces(grid: Grid, names: Sequence[str], places: Sequence[Any]) -> tuple[Trace, ...]:
    return tuple(
        Trace(name=name, x=tuple(places), y=tuple(grid[place].get(name) for place in places)) for name in names
    )


def _plus(left: Number | None, right: Number | None) -> Number | None:
    return right if left is None else left if right is None else left + right


def _sum(values: Iterable[Number | None]) -> Number | None:
    total: Number | None = None
    for value in values:
        total = _plus(total, value)
    return total


def _goes_up(totals: Sequence[Number | None]) -> bool:
    known = [total for total in totals if total is not None]
    return len(set(known)) > 1 and known == sorted(known)


def _by_size(total: Number | None, upward: bool) -> tuple[bool, Number]:
    if total is None:
        return True, 0
    return False, total if upward else -total


def _sorted(upward: bool) -> str:
    return "from the lowest to the highest" if upward else "from the highest to the lowest"
