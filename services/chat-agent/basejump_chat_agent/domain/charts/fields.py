"""What each column of a result can be on a chart, from its type, its name and its cells."""

import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

import msgspec

from basejump_common.contracts.connection import ResultColumn

EXACT = 2**53
"""Integers up to here are exact in a browser."""

_NUMERIC = re.compile(
    r"\b(?:(?:tiny|small|medium|big|huge|u)*int(?:eger)?\d*|numeric|decimal|number|dec|fixed|real|float\d*|double|year"
    r"|(?:small|big)?serial)\b",
    re.IGNORECASE,
)
_TIME = re.compile(r"^(?:date|timestamp|datetime|smalldatetime)", re.IGNORECASE)
_NOT_DRAWN = re.compile(
    r"\[\]|^(?:json|bytea|blob|\w*blob|binary|varbinary|image|array|map|struct|geo|point|line|polygon|box|path|circle|xml"
    r"|tsvector|vector)",
    re.IGNORECASE,
)
_DAY = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01])(?:[T ]\d{2}:\d{2}.*)?)?")
_PERIOD = re.compile(r"\d{4}[- ]?(?:Q[1-4]|W\d{1,2}|H[12])|Q[1-4][- ]?\d{4}", re.IGNORECASE)
_PERIODS = frozenset({"year", "yr", "quarter", "month", "week", "weekday", "dow", "day", "hour", "decade", "isodow"})
_LABELS = frozenset({"id", "ids", "uuid", "key", "code", "zip", "zipcode", "postcode", "phone", "number", "no", "nr"})
_NAMES_IN_ORDER = (
    (
        *("january", "february", "march", "april", "may", "june"),
        *("july", "august", "september", "october", "november", "december"),
    ),
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
)
_UNITS = {
    **{unit: unit.upper() for unit in ("usd", "eur", "gbp", "chf", "jpy", "cad", "aud", "inr", "cny")},
    **{unit: unit for unit in ("kg", "km", "cm", "mm", "ms", "kwh", "mb", "gb")},
    **{"pct": "%", "percent": "%", "percentage": "%"},
}


class Kind(StrEnum):
    """The charts there are."""

    BAR = "bar"
    LINE = "line"
    AREA = "area"
    SCATTER = "scatter"
    PIE = "pie"


class Role(StrEnum):
    """`time` and `period` ("2024-Q1", month 3, "Monday") have an order of their own, `category` has none."""

    NUMBER = "number"
    TIME = "time"
    PERIOD = "period"
    CATEGORY = "category"
    NOT_DRAWN = "not drawn"


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a result, JSON values; `row_count` counts all that were kept, `truncated`: the database had more.

    `additive`: the columns of which sums mean something. `rest`: the sum over the rows that aren't here, of the column
    by which those that are were picked; None where nobody added up.
    """

    columns: tuple[ResultColumn, ...]
    rows: tuple[tuple[Any, ...], ...]
    row_count: int
    truncated: bool = False
    additive: frozenset[int] = frozenset()
    rest: float | None = None

    @property
    def missing(self) -> int:
        """Kept rows that aren't here."""
        return max(self.row_count - len(self.rows), 0)


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A column: numbers are int, float or None, everything else is text or None. `title` is for people."""

    place: int
    name: str
    title: str
    role: Role
    cells: tuple[Any, ...]
    additive: bool = False

    @property
    def ordered(self) -> bool:
        """Whether its values have an order that isn't the alphabet's."""
        return self.role in (Role.TIME, Role.PERIOD)

    @property
    def is_percentage(self) -> bool:
        """Whether its name says so."""
        return self.title.endswith("(%)")


def fields(table: Table) -> tuple[Field, ...]:
    """Every column; those that can't be drawn too."""
    cells: Sequence[Sequence[Any]] = list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
    return tuple(
        _field(place, column, cells[place], place in table.additive) for place, column in enumerate(table.columns)
    )


def in_order(field: Field) -> Callable[[Any], Any]:
    """A sort key for the cells of an ordered column; nulls come last."""
    names = _names(field.cells)
    if names is not None:
        return lambda cell: len(names) if cell is None else names[str(cell).lower()]
    if field.role is Role.PERIOD and all(str(cell).lstrip("-").isdigit() for cell in field.cells if cell is not None):
        return lambda cell: math.inf if cell is None else int(cell)
    return lambda cell: (cell is None, _year_first(str(cell)))


def number(cell: Any) -> int | float | None:
    """A number that JSON and a browser can hold, nearest to the cell; None for what isn't a finite one."""
    if cell is None or isinstance(cell, bool):
        return None
    try:
        exact = Decimal(cell) if isinstance(cell, str) else Decimal(str(cell))
        near = float(exact)
    except (InvalidOperation, ValueError, OverflowError):
        return None
    if not math.isfinite(near):
        return None
    return int(exact) if exact == exact.to_integral_value() and abs(exact) <= EXACT else near


def titled(name: str) -> str:
    """`avg_salary_usd` as `Avg salary (USD)`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").split()
    unit = _UNITS.get(words[-1].lower()) if len(words) > 1 else None
    text = " ".join(words[:-1] if unit else words).lower() if name != "?column?" else "value"
    return f"{text[:1].upper()}{text[1:]}" + (f" ({unit})" if unit else "") or "Value"


def _field(place: int, column: ResultColumn, cells: Sequence[Any], additive: bool) -> Field:
    role = _role(column, cells)
    shown = tuple(number(cell) if role is Role.NUMBER else _text(cell) for cell in cells)
    return Field(
        place=place,
        name=column.name,
        title=titled(column.name),
        role=role,
        cells=shown,
        additive=additive and role is Role.NUMBER,
    )


def _role(column: ResultColumn, cells: Sequence[Any]) -> Role:
    known = [cell for cell in cells if cell is not None]
    if _NOT_DRAWN.search(column.type) or any(isinstance(cell, list | dict) for cell in known):
        return Role.NOT_DRAWN
    if _TIME.search(column.type):
        return Role.TIME if all(_DAY.fullmatch(str(cell)) for cell in known) else Role.CATEGORY
    if _NUMERIC.search(column.type):
        return _role_of_numbers(column.name, known)
    if known and all(isinstance(cell, str) for cell in known):
        return _role_of_texts(known)
    return Role.CATEGORY


def _role_of_numbers(name: str, known: Sequence[Any]) -> Role:
    last = (re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().split("_") or [""])[-1]
    numbers = [number(cell) for cell in known]
    whole = all(isinstance(found, int) for found in numbers)
    if whole and last in _PERIODS and all(-10_000 < (found or 0) < 10_000 for found in numbers):
        return Role.PERIOD
    if whole and last in _LABELS and "of" not in name.lower().split("_"):
        return Role.CATEGORY
    return Role.NUMBER if known == [] or any(found is not None for found in numbers) else Role.CATEGORY


def _role_of_texts(known: Sequence[str]) -> Role:
    if all(_DAY.fullmatch(cell) for cell in known):
        return Role.TIME
    if all(_PERIOD.fullmatch(cell) for cell in known) or _names(known) is not None:
        return Role.PERIOD
    return Role.CATEGORY


def _names(cells: Sequence[Any]) -> dict[str, int] | None:
    """The places of months or days of the week, when the cells are nothing else."""
    known = {str(cell).lower() for cell in cells if cell is not None}
    for names in _NAMES_IN_ORDER:
        places = {name: place for place, name in enumerate(names)}
        places |= {name[:3]: place for name, place in places.items()}
        if known and known <= places.keys():
            return places
    return None


def _year_first(text: str) -> str:
    """`Q1 2024` sorts as `2024 Q1`."""
    return f"{text[-4:]} {text[:-4]}" if text[:1] in "Qq" and text[-4:].isdigit() else text


def _text(cell: Any) -> str | None:
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return str(cell)
