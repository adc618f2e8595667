"""The words of questions and of names: split, folded and stemmed, so that `OrderDetails` meets "order detail"."""

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

import snowballstemmer

_PIECES = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+|\d+")
_PLAIN = re.compile(r"[^\W\d_]+|\d+")
_stemmer = snowballstemmer.stemmer("english")

# Words of questions that say nothing about which table is meant.
STOP_WORDS = frozenset(
    """a about above all also am an and any are as ask at be been below between both but by can could did do does doing
    done each either ever every find for from get give given had has have having he her hers him his how i if in into is
    it its know let like list lists me more most much must my no nor not of off on only or other our out over per please
    return s shall she should show so some such t tell than that the their them then there these they this those to too
    under us use using very want was we were what when where whether which while who whom whose why will with without
    would you your many number count total average mean maximum minimum max min sum highest lowest least fewest largest
    smallest biggest top bottom first last different distinct unique sorted sort order ordered ascending descending
    alphabetical alphabetically greater less same value values name names named called display present describe
    """.split()  # noqa: SIM905 - a list of a hundred words reads better as text
)
# The few of them that are also things: they count, but little; so do numbers, which are mostly values.
_WEAK = frozenset("order name number value count total average".split())  # noqa: SIM905 - as above


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The stem of a word, folded: no case, no accents."""
    folded = unicodedata.normalize("NFKD", word.lower())
    return str(_stemmer.stemWord("".join(c for c in folded if not unicodedata.combining(c))))


@lru_cache(maxsize=50_000)
def name_terms(name: str) -> tuple[str, ...]:
    """The stems of an identifier's words, in order."""
    return tuple(stem(piece) for piece in _PIECES.findall(name))


def text_terms(text: str) -> tuple[str, ...]:
    """The stems of a comment's words, without those that say nothing."""
    return tuple(stem(word) for word in _PLAIN.findall(text) if word.lower() not in STOP_WORDS)


def question_terms(question: str) -> dict[str, float]:
    """The stems of a question in order, and how much each counts; neighbours also as one word (`home town`)."""
    words = _PLAIN.findall(question)
    terms: dict[str, float] = {}
    for word in words:
        lower = word.lower()
        if lower in _WEAK or word.isdecimal():
            terms.setdefault(stem(lower), 0.3)
        elif lower not in STOP_WORDS:
            terms[stem(lower)] = 1.0
    for one, other in pairwise(words):
        terms.setdefault(stem(one.lower() + other.lower()), 1.0)
    return terms
