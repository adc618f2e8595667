"""Whether a text states a figure that is neither in the result nor in what was asked. Deterministic; English words.

A link is held to the same: who shows the text may follow it, or load it as a picture, and its address could carry what
the text's author has read.

Every digit of the text is accounted for. What may stand: values of the result, rounded as far as the text says; the
number of its rows; and, exactly, the numbers of the question, the statement and the texts in the result.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

import msgspec

from basejump_chat_agent.domain.words.dates import Moment, moments
from basejump_chat_agent.domain.words.numbers import TAKEN, Figure, exact, figures

_SHORTEST_NAME = 2
_LONGEST_CELL = 1_000
_MARKER = re.compile(r"(?m)^\s*(\d{1,3})[.)](?=\s)")
_RANKED = re.compile(r"\b(?:first|last|next|top|bottom)\s+$", re.IGNORECASE)
_ORDINAL = re.compile(r"\b(\d{1,4})(?:st|nd|rd|th)\b", re.IGNORECASE)
_WORD = re.compile(r"\w[\w-]*")
_SHARE = re.compile(
    r"\b(?:half|halves|twice|thrice|doubled?|tripled?|quadrupled?|\w+fold"
    r"|(?:an?|one|two|three)[\s-]+(?:third|quarter|fifth|tenth)s?(?=\s+of))\b",
    re.IGNORECASE,
)
_MAGNITUDE = re.compile(r"\b(tens|dozens|hundreds|thousands|millions|billions)\s+of\b", re.IGNORECASE)
_MAGNITUDES = {"tens": 1, "dozens": 1, "hundreds": 2, "thousands": 3, "millions": 6, "billions": 9}
_ONLY = r"(?:only|just|exactly)\s+"
_ONE = re.compile(rf"\b(?:(?:is|was|has|have|had|found)\s+(?:{_ONLY})?|{_ONLY})one\b(?!\s+of\b)", re.IGNORECASE)
_NONE = re.compile(
    r"\b(?:there\s+(?:is|are|was|were)\s+(?:no|none|nothing|nobody|not\s+any)"
    r"|(?:found|has|have|had|shows?|returned)\s+(?:no|none|nothing))\b",
    re.IGNORECASE,
)

_LINK = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s<>()\"]+|\bwww\.[^\s<>()\"]+|(?<=\]\()[^\s)]+", re.IGNORECASE)


class Facts(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What a text may rest on. `texts`: the question, the statement, the question as it was understood, names of
    columns. `rows` may be the first of `row_count` alone; None where there is no result at all."""

    texts: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    row_count: int | None = None

    @cached_property
    def values(self) -> tuple[Decimal, ...]:
        """What may be rounded."""
        cells = (value for cell in _cells(self.rows) if (value := _number(cell)) is not None)
        return (*cells, *(() if self.row_count is None else (Decimal(self.row_count),)))

    @cached_property
    def said(self) -> str:
        """All texts, those in the rows too."""
        return _plain(
            "\n".join([*self.texts, *(cell[:_LONGEST_CELL] for cell in _cells(self.rows) if isinstance(cell, str))])
        )

    @cached_property
    def exactly(self) -> frozenset[Decimal]:
        """Numbers that stand in the texts."""
        undated = self.said
        for said in moments(self.said):
            undated = _blanked(undated, said.start, said.end)
        years = (Decimal(moment.year) for moment in self.moments if moment.year is not None)
        return frozenset([*(reading.value for figure in figures(undated) for reading in figure.readings), *years])

    @cached_property
    def moments(self) -> tuple[Moment, ...]:
        """Dates and times that stand in the texts."""
        return tuple(reading for said in moments(self.said) for reading in said.readings)

    @property
    def alone(self) -> Any:
        """The value of a result that is one value; None otherwise, and where it is nothing."""
        return self.rows[0][0] if self.row_count == 1 and self.rows and len(self.rows[0]) == 1 else None


def check(text: str, facts: Facts) -> tuple[str, ...]:
    """What is wrong with the text, a phrase each; nothing when every figure in it is known."""
    checking = _Checking(_plain(text), facts)
    return (*checking.strange(), *checking.unsaid())


class _Checking:
    """`_text` loses what has been accounted for."""

    def __init__(self, text: str, facts: Facts) -> None:
        self._whole = text
        self._text = text
        self._facts = facts

    def strange(self) -> Iterator[str]:
        """Links and figures that come from nowhere."""
        yield from (f'"{link[:60]}" is not in the result' for link in self._links())
        self._take_names()
        for spot in (self._dates, self._ordinals, self._mixed, self._figures, self._vague):
            yield from (f'"{figure.strip()[:60]}" is not in the result' for figure in spot())
        rest = re.search(r"\S*\d\S*", self._text)
        if rest is not None:
            yield f'"{rest.group()[:60]}" is not in the result'

    def unsaid(self) -> Iterator[str]:
        """The one value of the result, when the text doesn't state it."""
        alone = self._facts.alone
        value = _number(alone)
        if value is not None:
            small = value in (0, 1) and (_ONE.search(self._whole) or _NONE.search(self._whole))
            if not small and not any(figure.states(value) for figure in figures(self._whole)):
                yield "the value of the result is not stated"
        elif isinstance(alone, str) and not self._says(alone):
            yield "the value of the result is not stated"

    def _says(self, value: str) -> bool:
        plain = _plain(value)
        if plain.casefold()[:200] in self._whole.casefold():
            return True
        wanted = [reading for said in moments(plain) for reading in said.readings]
        told = [reading for said in moments(self._whole) for reading in said.readings]
        return any(part.within(whole) for whole in wanted for part in told)

    def _links(self) -> Iterator[str]:
        known = self._facts.said.casefold()
        links = (found.group().rstrip(".,;:!?'") for found in _LINK.finditer(self._whole))
        return (link for link in links if link.casefold() not in known)

    # -- what is accounted for, one kind after the other

    def _take_names(self) -> None:
        """Texts of the result that hold digits are names, as "Book 12" is."""
        names = {_plain(cell[:_LONGEST_CELL]) for cell in _cells(self._facts.rows) if isinstance(cell, str)}
        with_digits = [n for n in names if len(n) >= _SHORTEST_NAME and re.search(r"\d", n) and exact(n) is None]
        for name in sorted(with_digits, key=len, reverse=True):
            self._take(re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE))
        for found in _MARKER.finditer(self._text):
            if int(found[1]) <= (self._facts.row_count or 0):
                self._blank(found.start(1), found.end(1))

    def _dates(self) -> Iterator[str]:
        for said in list(moments(self._text)):
            if not any(reading.within(known) for reading in said.readings for known in self._facts.moments):
                yield self._text[said.start : said.end]
            self._blank(said.start, said.end)

    def _ordinals(self) -> Iterator[str]:
        """The 2nd: a place among the rows."""
        for found in list(_ORDINAL.finditer(self._text)):
            if not self._is_place(Decimal(found[1])):
                yield found.group()
            self._blank(*found.span())

    def _mixed(self) -> Iterator[str]:
        """Words with digits in them, as `Q1` is, must be words of the texts."""
        known = self._facts.said.casefold()
        words = (found for found in _WORD.finditer(self._text) if found.group()[0].isalpha())
        for found in [word for word in words if re.search(r"\d", word.group())]:
            if not re.search(rf"(?<!\w){re.escape(found.group().casefold())}(?!\w)", known):
                yield found.group()
            self._blank(*found.span())

    def _figures(self) -> Iterator[str]:
        for figure in list(figures(self._text)):
            if not self._is_known(figure):
                yield figure.text
            self._blank(figure.start, figure.end)

    def _vague(self) -> Iterator[str]:
        """Shares, magnitudes, one and none: figures without a number."""
        said = self._facts.said.casefold()
        yield from (f.group() for f in _SHARE.finditer(self._text) if f.group().casefold() not in said)
        for found in _MAGNITUDE.finditer(self._text):
            least = Decimal(10) ** _MAGNITUDES[found[1].lower()]
            if not any(least <= abs(value) < least * 1000 for value in self._facts.values):
                yield found.group()
        yield from (f.group() for f in _ONE.finditer(self._text) if not self._has(1))
        yield from (f.group() for f in _NONE.finditer(self._text) if not self._has(0))

    def _is_known(self, figure: Figure) -> bool:
        if any(reading.value in self._facts.exactly for reading in figure.readings):
            return True
        if _RANKED.search(self._text, 0, figure.start) and self._is_place(figure.readings[0].value):
            return True
        return any(figure.states(value) for value in self._facts.values)

    def _is_place(self, number: Decimal) -> bool:
        return number <= (self._facts.row_count or 0) or number in self._facts.exactly

    def _has(self, number: int) -> bool:
        nothing = number == 0 and self._facts.row_count == 1 and self._facts.alone is None
        return nothing or number in self._facts.values or number in self._facts.exactly

    def _take(self, pattern: re.Pattern[str]) -> None:
        self._text = pattern.sub(lambda found: TAKEN * len(found.group()), self._text)

    def _blank(self, start: int, end: int) -> None:
        self._text = _blanked(self._text, start, end)


def _blanked(text: str, start: int, end: int) -> str:
    return f"{text[:start]}{TAKEN * (end - start)}{text[end:]}"


def _cells(rows: Sequence[Sequence[Any]]) -> Iterable[Any]:
    for row in rows:
        for cell in row:
            yield from _cells([cell]) if isinstance(cell, list | tuple) else (cell,)


def _number(cell: Any) -> Decimal | None:
    if isinstance(cell, bool) or cell is None:
        return None
    if isinstance(cell, int | float | Decimal):
        return exact(str(cell))
    return exact(cell) if isinstance(cell, str) else None


def _plain(text: str) -> str:
    """One spelling of digits, minus signs and spaces; a space that doesn't break a line may group digits."""
    grouped = re.sub(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))", "’", text)
    spelled = unicodedata.normalize("NFKC", grouped).replace("−", "-").replace("–", "-").replace("—", " - ")
    return "".join(str(unicodedata.digit(c)) if not c.isascii() and c.isdigit() else c for c in spelled)
