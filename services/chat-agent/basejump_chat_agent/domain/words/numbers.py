"""Numbers in a text: digits in the ways people group them, percentages, scales ("1.2 million"), English words."""

import re
from collections.abc import Iterator
from decimal import Context, Decimal

import msgspec

_SCALES = {
    **{"k": 3, "thousand": 3, "m": 6, "mn": 6, "mio": 6, "million": 6},
    **{"b": 9, "bn": 9, "billion": 9, "t": 12, "tn": 12, "trillion": 12},
}
_LEAST = ("over", "more than", "just over", "above", "at least")
_MOST = ("nearly", "almost", "under", "less than", "just under", "below", "at most", "up to")
_ROUGHLY = ("about", "around", "approximately", "approx", "roughly", "circa", "ca", "some")
_ABOUT = "|".join(word.replace(" ", r"\s+") for word in sorted([*_LEAST, *_MOST, *_ROUGHLY], key=len, reverse=True))
_DIGITS = re.compile(
    rf"(?:(?P<about>\b(?:{_ABOUT})\b|[~≈])\.?\s*)?"
    r"(?P<sign>(?<![\w)\]])-)?(?P<digits>\d+(?:[.,'’]\d+)*)(?:e(?P<power>[+-]?\d{1,3}))?(?:⁄(?P<below>\d{1,9}))?"
    r"(?:\s?(?P<scale>thousand|million|billion|trillion|bn|mn|mio|tn)s?\b|(?P<letter>[kmbt])\b)?"
    r"(?P<percent>\s?(?:%|percent\b|per\s+cent\b|percentage\s+points?\b))?",
    re.IGNORECASE,
)
_GROUPED = re.compile(r"\d{1,3}(?:([.,'’])\d{3})(?:\1\d{3})*(?:[.,]\d+)?")
_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_UNITS = {word: number for number, word in enumerate(_SMALL)} | {"dozen": 12}
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_BIG = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_WORD = "|".join([*_UNITS, *_TENS, *_BIG])
_WORDS = re.compile(
    rf"\b(?:an?\s+(?={'|'.join(_BIG)}|dozen))?(?:{_WORD})(?:(?:[\s-]+(?:and\s+)?)(?:{_WORD}))*\b", re.IGNORECASE
)
TAKEN = "\x1f"
"""Stands in a text where something has been accounted for."""

_CLOSE = Decimal("0.05")
"""Rough words are held to a twentieth."""

_HUNDREDTH = Decimal("0.01")

_EXACT = Context(prec=200_000)
"""Room for every digit that a database's number can have: with less a remainder of large numbers is an error."""


class Reading(msgspec.Struct, frozen=True):
    """A number, and the last place that the text states of it."""

    value: Decimal
    step: Decimal = Decimal(1)


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A number as a text states it; `1.234` has two readings. `about`: the word that makes it a rough one.

    A figure without a sign may be that of a negative value: "fell by 5".
    """

    text: str
    start: int
    end: int
    readings: tuple[Reading, ...]
    about: str = ""
    is_negative: bool = False
    is_percentage: bool = False

    def states(self, value: Decimal) -> bool:
        """Whether it is that value, rounded as far as the text says."""
        if self.is_negative and value > 0:
            return False
        values = (abs(value), abs(value) * 100) if self.is_percentage else (abs(value),)
        return any(self._is(each, reading) for each in values for reading in self.readings)

    def _is(self, value: Decimal, said: Reading) -> bool:
        distance = abs(value - said.value)
        if distance == 0 or (distance <= said.step / 2 and _EXACT.remainder(value, said.step)):
            return True
        if not self.about or (self.about in _LEAST and value < said.value):
            return False
        if self.about in _MOST:
            return value <= said.value and distance <= value * _CLOSE
        nearest = value if self.about in _LEAST else _last_place(said.value) / 2
        return distance <= min(nearest, value * _CLOSE)


def figures(text: str) -> Iterator[Figure]:
    """Numbers in digits, then those in English words."""
    for found in _DIGITS.finditer(text):
        yield _in_digits(found)
    rest = _DIGITS.sub(lambda found: TAKEN * len(found.group()), text)
    for found in _WORDS.finditer(rest):
        words = [word for word in re.split(r"[\s-]+", found.group().lower()) if word not in ("and", "a", "an")]
        if words != ["one"]:  # mostly a pronoun
            reading = Reading(_spelled(words))
            yield Figure(text=found.group(), start=found.start(), end=found.end(), readings=(reading,))


def exact(text: str) -> Decimal | None:
    """A cell that is a number in digits."""
    try:
        value = Decimal(text)
    except ArithmeticError:
        return None
    return value if value.is_finite() else None


def _in_digits(found: re.Match[str]) -> Figure:
    power = int(found["power"] or 0) + _SCALES.get((found["scale"] or found["letter"] or "").lower(), 0)
    readings = [
        Reading(reading.value.scaleb(power), reading.step.scaleb(power)) for reading in _readings(found["digits"])
    ]
    if found["below"] and int(found["below"]):
        readings = [Reading(reading.value / int(found["below"]), _HUNDREDTH) for reading in readings]
    return Figure(
        text=found.group().strip(),
        start=found.start(),
        end=found.end(),
        readings=tuple(readings),
        about=" ".join((found["about"] or "").lower().split()),
        is_negative=found["sign"] is not None,
        is_percentage=found["percent"] is not None,
    )


def _readings(digits: str) -> list[Reading]:
    """In groups of three or with a fraction; `1.234` may be either, `1,234` is mostly English."""
    found = []
    grouped = _GROUPED.fullmatch(digits)
    if grouped:
        found.append(_plain(digits.replace(grouped[1], "").replace(",", ".")))
    if digits.isdigit() or re.fullmatch(r"\d+\.\d+|\d+,(?!\d{3}$)\d+", digits):
        found.append(_plain(digits.replace(",", ".")))
    return found or [_plain(re.sub(r"\D", "", digits))]


def _plain(text: str) -> Reading:
    value = Decimal(text)
    return Reading(value, Decimal(1).scaleb(int(value.as_tuple().exponent)))


def _last_place(said: Decimal) -> Decimal:
    """`24,000` may stand for any number that is nearer to it than to another thousand."""
    digits = said.normalize()
    return Decimal(1).scaleb(max(int(digits.as_tuple().exponent), 0))


def _spelled(words: list[str]) -> Decimal:
    total = part = 0
    for word in words:
        if word in _BIG and _BIG[word] > 2:
            total, part = total + max(part, 1) * 10 ** _BIG[word], 0
        elif word == "hundred":
            part = max(part, 1) * 100
        elif word == "dozen":
            part = max(part, 1) * 12
        else:
            part += _UNITS.get(word, _TENS.get(word, 0))
    return Decimal(total + part)
