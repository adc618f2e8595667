"""Dates and times in a text, in the spellings people use."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4})"
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?(?:\s*(?P<half>[ap])\.?m\b\.?)?"
_ZONE = r"(?:\s*(?:Z|UTC|GMT|[+-]\d{2}:?(?:\d{2})?))?"
_PATTERNS = tuple(
    re.compile(rf"(?<![\w.]){pattern}(?!\w)", re.IGNORECASE)
    for pattern in (
        rf"{_YEAR}-(?P<number>\d{{2}})-(?P<day>\d{{2}})(?:(?:T|\s+(?:at\s+)?){_CLOCK}{_ZONE})?",
        rf"{_YEAR}/(?P<number>\d{{1,2}})/(?P<day>\d{{1,2}})",
        r"(?P<one>\d{1,2})[/.](?P<two>\d{1,2})[/.](?P<year>\d{4})",
        rf"{_YEAR}-(?P<number>\d{{2}})(?![-\d])",
        rf"{_MONTH}\s+{_DAY}(?:,?\s+{_YEAR})?",
        rf"{_DAY}\s+(?:of\s+)?{_MONTH}(?:,?\s+{_YEAR})?",
        rf"{_MONTH}(?:\s+of|,)?\s+{_YEAR}",
        rf"{_CLOCK}{_ZONE}",
    )
)


class Moment(msgspec.Struct, frozen=True):
    """As much of a point in time as a text says."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    hour: int | None = None
    minute: int | None = None
    second: int | None = None

    def within(self, other: "Moment") -> bool:
        """Whether the other says all that this says."""
        pairs = zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True)
        return all(mine is None or mine == theirs for mine, theirs in pairs)


class Said(msgspec.Struct, frozen=True):
    """Where a text says a moment; day and month may be told apart in two ways."""

    start: int
    end: int
    readings: tuple[Moment, ...]


def moments(text: str) -> Iterator[Said]:
    """Every date and time of a text, each place once."""
    taken: list[tuple[int, int]] = []
    for pattern in _PATTERNS:
        for found in pattern.finditer(text):
            start, end = found.span()
            if all(end <= first or last <= start for first, last in taken):
                taken.append((start, end))
                yield Said(start, end, _readings(found.groupdict()))


def _readings(parts: dict[str, Any]) -> tuple[Moment, ...]:
    known = {name: int(text) for name, text in parts.items() if text and text.isdigit()}
    month = _MONTHS_BY_START.get((parts.get("month") or "")[:3].lower(), known.get("number"))
    hour = known.get("hour")
    if parts.get("half") and hour is not None:
        hour = hour % 12 + (12 if parts["half"].lower() == "p" else 0)
    rest = (hour, known.get("minute"), known.get("second"))
    if "one" in known:
        year, one, two = known["year"], known["one"], known["two"]
        return (Moment(year, two, one, *rest), Moment(year, one, two, *rest))
    return (Moment(known.get("year"), month, known.get("day"), *rest),)


_MONTHS_BY_START = {name[:3]: number for number, name in enumerate(_MONTHS, 1)}
