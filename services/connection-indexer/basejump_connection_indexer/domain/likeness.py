"""Which stored values are like a phrase: the same in another form, with a typo, or with words more or less.

`shapes` tells a database which of its values may be; `closest` ranks what it gave. A value within one edit of a phrase
of six characters or more keeps one of the phrase's three pieces whole (one edit breaks at most two of them, where it
swaps two letters), so that no value is missed for the sake of asking for few.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from rapidfuzz.distance import OSA

from basejump_common.contracts.connection import Likeness

MOST_CLOSEST = 5
LONGEST_PHRASE = 100
LONGEST_VALUE = 200

_SHORTEST_IN_PIECES = 6
_SHORTEST_WORD = 4
_PIECES = 3
_LONGER = 3
"""So many characters more or less may a value have: "companies" for "company"."""


class Shape(NamedTuple):
    """A pattern of LIKE, whatever the case, and how long the values are."""

    like: str
    shortest: int
    longest: int


class Alike(NamedTuple):
    """A value that is like a phrase; `edits` in its plain form."""

    value: str
    likeness: Likeness
    edits: int


def shapes(phrase: str) -> tuple[Shape, ...]:
    """What values like the phrase look like; nothing for a phrase that is too long to be a name."""
    text = phrase.strip()
    size = len(text)
    if not 0 < size <= LONGEST_PHRASE:
        return ()
    shortest, longest = max(1, size - _LONGER), size + _LONGER
    pieces = _pieces(text)
    words = [word for word in text.split() if len(word) >= _SHORTEST_WORD]
    return (
        Shape(f"%{_literal(text)}%", size, LONGEST_VALUE),
        *(Shape(f"%{_literal(piece)}%", shortest, longest) for piece in pieces),
        *(Shape(_literal(word), len(word), len(word)) for word in words if len(words) > 1),
    )


def variants(phrase: str) -> tuple[str, ...]:
    """The phrase in the forms that columns mostly have: an index finds them, however large the table."""
    numbers = (phrase, _singular(phrase), f"{phrase}s", _without_marks(phrase))
    spelled = (form for text in numbers for form in (text, text.lower(), text.upper(), text.capitalize(), text.title()))
    return tuple(dict.fromkeys(spelled))


def closest(phrase: str, values: Iterable[str]) -> list[Alike]:
    """The values that are like the phrase, best first, at most five."""
    alike = [found for value in dict.fromkeys(values) if (found := _compare(phrase, value)) is not None]
    alike.sort(key=lambda one: (one.likeness is not Likeness.FORM, one.edits, abs(len(one.value) - len(phrase)), one))
    return alike[:MOST_CLOSEST]


def only_form(alike: Iterable[Alike]) -> str | None:
    """The value that differs in nothing but form, where there is just one."""
    same = [one.value for one in alike if one.likeness is Likeness.FORM]
    return same[0] if len(same) == 1 else None


def core_of(pattern: str) -> str | None:
    """The text that a pattern of LIKE looks for, where it is one text with something before or behind it."""
    text = pattern.strip("%_ ")
    return text if text and not re.search(r"[%_\\]", text) else None


@lru_cache(maxsize=50_000)
def plain(text: str) -> str:
    """Without case, accents and punctuation, its words apart by one space."""
    words = re.findall(r"\w+", _without_marks(text.casefold()))
    return " ".join(words) or text.strip().casefold()


def _compare(phrase: str, value: str) -> Alike | None:
    wanted, stored = plain(phrase), plain(value)
    if wanted == stored or _singular(wanted) == _singular(stored):
        return Alike(value, Likeness.FORM, int(wanted != stored))
    most = _edits_allowed(len(wanted))
    # A value with another number in it is another thing.
    if re.findall(r"\d+", wanted) != re.findall(r"\d+", stored):
        return None
    edits = OSA.distance(wanted, stored, score_cutoff=most)
    if edits <= most:
        return Alike(value, Likeness.NEAR, edits)
    return Alike(value, Likeness.NEAR, abs(len(wanted) - len(stored))) if _is_part(wanted, stored) else None


def _edits_allowed(size: int) -> int:
    """Of two or three letters nearly every other word would be near."""
    return 0 if size < _SHORTEST_WORD else min(3, 1 + (size - 1) // _SHORTEST_IN_PIECES)


def _is_part(one: str, other: str) -> bool:
    """Whether the words of one are among those of the other."""
    fewer, more = sorted((one.split(), other.split()), key=len)
    return max(map(len, fewer)) >= _SHORTEST_WORD and set(fewer) < set(more)


def _pieces(text: str) -> list[str]:
    """What one of must be in a value; any value will do where they would be single letters."""
    if len(text) < _SHORTEST_IN_PIECES:
        return [""] if len(text) >= _SHORTEST_WORD else []
    count = max(_PIECES, _edits_allowed(len(text)) + 1)
    edges = [len(text) * place // count for place in range(count + 1)]
    return [text[start:end] for start, end in pairwise(edges)]


def _singular(text: str) -> str:
    """Each word without the ending of an English plural."""
    return " ".join(map(_singular_word, text.split(" ")))


def _singular_word(word: str) -> str:
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word.removesuffix(ending) + instead
    return word[:-1] if len(word) >= _SHORTEST_WORD and word.endswith("s") and word[-2] not in "sui" else word


def _without_marks(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def _literal(text: str) -> str:
    """Escaped, so that LIKE takes it as it is."""
    return re.sub(r"([\\%_])", r"\\\1", text)
