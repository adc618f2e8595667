"""Which chart: its kind, what stands on its axes, and which rows it is drawn from. Nothing is drawn here."""

from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from basejump_chat_agent.domain.charts.fields import Field, Kind, Role, Table, fields
from basejump_common.contracts.connection import Pick

READ_ROWS = 2_000
"""Rows that a chart is drawn from at most: a screen shows no more points."""

MOST_SERIES = 10
_MOST_MEASURES = 4
_LIKE_SIZES = 20
"""Measures are drawn on one axis when their sizes differ by less than this."""

_MOST_LABELS = 3
_MOST_SHARES = 40
"""A pie of more is refused; of fewer, the smallest are one slice together."""

ColumnName = Annotated[str, Meta(max_length=200)]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asked for; what is left open is chosen. `x`, `y` and `series` are names of columns."""

    kind: Kind | None = None
    x: ColumnName | None = None
    y: Annotated[tuple[ColumnName, ...], Meta(max_length=20)] = ()
    series: ColumnName | None = None
    title: Annotated[str, Meta(max_length=200)] | None = None


class NoChart(msgspec.Struct, frozen=True, kw_only=True):
    """`reason` completes "No chart fits, because …"."""

    reason: str

    @property
    def sentence(self) -> str:
        """The whole sentence."""
        return f"No chart fits, because {self.reason}."


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """`x` is several columns when only together they name a row. `instead`: why it isn't the kind asked for."""

    kind: Kind
    x: tuple[Field, ...]
    measures: tuple[Field, ...]
    series: Field | None = None
    left_out: tuple[Field, ...] = ()
    instead: str | None = None


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What to read of the stored result. `by`: the column whose values count for `largest`."""

    columns: tuple[int, ...]
    pick: Pick = Pick.FIRST
    by: int | None = None


def choose(table: Table, wish: Wish) -> Choice | NoChart:
    """The chart of these rows."""
    if table.row_count == 0:
        return NoChart(reason="the result is empty")
    found = fields(table)
    unknown = [name for name in _asked_columns(wish) if _named(found, name) is None]
    if unknown:
        names = ", ".join(field.name for field in found[:20])
        return NoChart(reason=f'the result has no column "{unknown[0][:80]}"; it has {names}')
    numbers = [field for field in found if field.role is Role.NUMBER]
    if not numbers:
        return NoChart(reason="no column of the result holds figures to draw")
    if table.row_count == 1:
        return NoChart(reason="the result is a single row")
    return _Choosing(found, numbers, wish).choice()


def reading(table: Table, choice: Choice) -> Reading:
    """What to read of a stored result to draw this of all of it; `table` may hold its first rows alone."""
    used = [*choice.x, *choice.measures, *([choice.series] if choice.series else [])]
    # Labels that aren't needed for the first rows may be for the rest.
    labels = [field for field in fields(table) if field.role is Role.CATEGORY]
    columns = tuple(sorted({field.place for field in [*used, *labels[:_MOST_LABELS]]}))
    if table.row_count <= READ_ROWS:
        return Reading(columns=columns)
    by_category = choice.kind in (Kind.BAR, Kind.PIE) and not choice.x[0].ordered
    if by_category:
        return Reading(columns=columns, pick=Pick.LARGEST, by=choice.measures[0].place)
    return Reading(columns=columns, pick=Pick.EVEN)


def _asked_columns(wish: Wish) -> Iterable[str]:
    return (name for name in (wish.x, *wish.y, wish.series) if name)


def _named(found: Sequence[Field], name: str) -> Field | None:
    exact = [field for field in found if field.name == name]
    alike = [field for field in found if field.name.lower() == name.lower()]
    return next(iter(exact or alike), None)


class _Choosing:
    def __init__(self, found: Sequence[Field], numbers: Sequence[Field], wish: Wish) -> None:
        self._found = found
        self._numbers = numbers
        self._wish = wish
        self._rows = len(found[0].cells)

    def choice(self) -> Choice | NoChart:
        wish = self._wish
        asked_y = [field for name in wish.y if (field := _named(self._found, name)) is not None]
        not_numbers = [field for field in asked_y if field.role is not Role.NUMBER]
        if not_numbers:
            return NoChart(reason=f'the column "{not_numbers[0].name}" holds no figures')
        x = self._x(asked_y)
        if not x:
            return NoChart(reason="there is nothing to put the figures against")
        measures = asked_y or self._measures(x)
        if not measures:
            return NoChart(reason=f'there is no other column with figures to put against "{x[0].name}"')
        series = self._series(x)
        x = self._label(x, series)
        kind, instead = self._kind(x, measures, series)
        one = series is not None or kind in (Kind.PIE, Kind.SCATTER, Kind.AREA)
        measures = measures[: 1 if one else _MOST_MEASURES]
        left = tuple(field for field in self._numbers if field not in measures and field not in x)
        return Choice(kind=kind, x=x, measures=tuple(measures), series=series, left_out=left, instead=instead)

    # -- what stands on the axes

    def _x(self, asked_y: Sequence[Field]) -> tuple[Field, ...]:
        if self._wish.x:
            field = _named(self._found, self._wish.x)
            return (field,) if field is not None and field.role is not Role.NOT_DRAWN else ()
        by_role = {role: [field for field in self._found if field.role is role] for role in Role}
        labels = by_role[Role.CATEGORY]
        ordered = by_role[Role.TIME] or by_role[Role.PERIOD]
        if ordered and not self._names_rows(labels, ordered[0]):
            return (ordered[0],)
        if labels:
            return self._person() or (self._best_label(labels),)
        others = [field for field in self._numbers if field not in asked_y]
        return (others[0],) if others and len(self._numbers) > 1 else ()

    def _names_rows(self, labels: Sequence[Field], ordered: Field) -> bool:
        """Whether a few rows are named by a label rather than by their time, as the ten largest orders are."""
        if not labels or self._rows > MOST_SERIES * 2 or self._wish.kind in (Kind.LINE, Kind.AREA):
            return False
        return _distinct(labels[0]) == self._rows and _distinct(ordered) > 1

    def _person(self) -> tuple[Field, ...]:
        """First and last name belong together."""
        parts = tuple(field for name in ("first_name", "last_name") if (field := _named(self._found, name)) is not None)
        return parts if len(parts) == 2 else ()

    def _best_label(self, labels: Sequence[Field]) -> Field:
        """The first column that names every row, else the one with the most names."""
        asked_series = _named(self._found, self._wish.series) if self._wish.series else None
        free = [field for field in labels if field is not asked_series] or list(labels)
        texts = [field for field in free if not _is_code(field)] or free
        unique = [field for field in texts if _distinct(field) == self._rows]
        return unique[0] if unique else max(texts, key=_distinct)

    def _label(self, x: tuple[Field, ...], series: Field | None) -> tuple[Field, ...]:
        """Several labels together, where one alone doesn't name a row."""
        if self._wish.x or series or len(x) > 1 or x[0].role is not Role.CATEGORY or _distinct(x[0]) == self._rows:
            return x
        labels = [field for field in self._found if field.role is Role.CATEGORY and not _is_code(field)]
        together = tuple(labels[:_MOST_LABELS])
        names_rows = (
            len(set(zip(*(field.cells for field in together), strict=True))) == self._rows if together else False
        )
        return together if names_rows else x

    def _measures(self, x: Sequence[Field]) -> list[Field]:
        """The figures that the rows are sorted by, else those of like size as the last."""
        free = [field for field in self._numbers if field not in x]
        if not free:
            return []
        main = next((field for field in free if _is_sorted(field)), free[-1])
        size = _size(main)
        if _is_sorted(main):
            return [main]
        return [f for f in free if f.is_percentage == main.is_percentage and _is_like(_size(f), size)]

    def _series(self, x: Sequence[Field]) -> Field | None:
        if self._wish.series:
            asked = _named(self._found, self._wish.series)
            return asked if asked not in x else None
        whole = len(x) > 1 or x[0].role is Role.NUMBER or _distinct(x[0]) == self._rows
        if whole or self._wish.kind is Kind.PIE:
            return None
        for field in self._found:
            if field in x or field.role not in (Role.CATEGORY, Role.PERIOD) or _is_code(field):
                continue
            pairs = set(zip(x[0].cells, field.cells, strict=True))
            if len(pairs) == self._rows and 1 < _distinct(field) <= max(self._rows // 2, 2):
                return field
        return None

    # -- the kind

    def _kind(self, x: Sequence[Field], measures: Sequence[Field], series: Field | None) -> tuple[Kind, str | None]:
        natural = self._natural(x, series)
        match self._wish.kind:
            case None:
                return natural, None
            case Kind.PIE:
                why = _why_no_pie(x, measures[0], series, self._rows)
                return (natural, why) if why else (Kind.PIE, None)
            case Kind.LINE | Kind.AREA as asked if not (x[0].ordered or x[0].role is Role.NUMBER):
                return natural, f"{_a(asked)} needs an order on its axis, which {x[0].title} has not"
            case Kind.AREA if series is not None and not measures[0].additive:
                return Kind.LINE, f"{measures[0].title} can't be stacked: its values don't add up"
            case Kind.SCATTER if x[0].role is not Role.NUMBER and not x[0].ordered:
                return natural, f"a scatter chart needs figures on both axes, and {x[0].title} has none"
            case asked:
                return asked, None

    def _natural(self, x: Sequence[Field], series: Field | None) -> Kind:
        if x[0].role is Role.NUMBER:
            return Kind.SCATTER
        if not x[0].ordered:
            return Kind.BAR
        places = len(set(x[0].cells)) if series is None else self._rows
        return Kind.LINE if places == self._rows else Kind.SCATTER


def _why_no_pie(x: Sequence[Field], measure: Field, series: Field | None, rows: int) -> str | None:
    values = [value for value in measure.cells if value is not None]
    if series is not None:
        return "a pie shows one set of shares, not several"
    if not (measure.additive or measure.is_percentage):
        return f"the values of {measure.title} don't add up to a whole"
    if any(value < 0 for value in values) or not any(values):
        return "shares of a whole are above zero"
    if rows > _MOST_SHARES or _distinct(x[0]) < 2:
        return f"{rows} slices are too many for a pie"
    return None


def _distinct(field: Field) -> int:
    return len(set(field.cells))


def _is_code(field: Field) -> bool:
    """An identifying number: it names rows, but says nothing to a person."""
    last = field.name.lower().replace("-", "_").split("_")[-1]
    return last in ("id", "uuid", "key") or (last.endswith("id") and field.name != field.name.lower())


def _is_sorted(field: Field) -> bool:
    known = [cell for cell in field.cells if cell is not None]
    return len(set(known)) > 1 and (known == sorted(known) or known == sorted(known, reverse=True))


def _size(field: Field) -> float:
    return max((abs(cell) for cell in field.cells if cell is not None), default=0.0)


def _is_like(size: float, other: float) -> bool:
    low, high = sorted((size, other))
    return high == 0 or (low > 0 and high / low < _LIKE_SIZES)


def _a(kind: Kind) -> str:
    return f"{'an' if kind is Kind.AREA else 'a'} {kind} chart"
