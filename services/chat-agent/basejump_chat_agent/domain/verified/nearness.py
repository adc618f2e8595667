"""Questions that may mean the same although their words say nothing of it, and what would speak against it.

That they are near only makes it worth looking: what decides is that they are answered by the same statement, which
holds every table, column, filter, order and aggregate; and that nothing which a question says itself contradicts it.
"""

import math
from collections import Counter
from collections.abc import Sequence

from basejump_chat_agent.domain.verified.wording import Word, depends_on_today, plain, words_of
from basejump_sqlguard import Refused, compare

MOST_NEAR = 10
_NEAR_BY_WORDS = 0.4
_NEAR_BY_VECTORS = 0.4
"""Cosines: of paraphrases they are 0.5 and more, of other questions over the same tables often as much."""

_VALUES = frozenset({"number", "date", "quoted"})
_NEGATIONS = frozenset({"not", "no", "never", "without", "neither", "nor", "except", "excluding", "cannot", "none"})
_NEGATIONS |= {"other than", "but not"}
_SAID_BY_BOTH = (_NEGATIONS, frozenset({"#or"}), frozenset({"#each", "each", "every"}))
# In which of these directions do they point? Both may keep silent, but not say the opposite.
_OPPOSITES = (
    ("#highest", "#lowest"),
    ("#most", "#least", "#fewest"),
    ("#more", "#less", "#at-least", "#at-most", "at least", "at most"),
    ("before", "after", "since", "until"),
    ("above", "below", "over", "under"),
    ("#ascending", "#descending", "#alphabetical"),
    ("first", "last", "top", "bottom"),
    ("earliest", "latest", "oldest", "youngest", "newest"),
    ("longest", "shortest", "best", "worst"),
    ("#average", "#total", "#count"),
    ("from", "to"),
    ("#and", "#or"),
)


def nearness(one: str, other: str, vectors: tuple[Sequence[float], Sequence[float]] | None = None) -> float:
    """1 and more is near enough, by words or by the vectors of both."""
    by_words = near_by_words(one, other) / _NEAR_BY_WORDS
    return by_words if vectors is None else max(by_words, near_by_vectors(*vectors) / _NEAR_BY_VECTORS)


def near_by_words(one: str, other: str) -> float:
    """The share of their words that both have."""
    mine, theirs = _bag(one), _bag(other)
    return len(mine & theirs) / max(1, len(mine | theirs))


def near_by_vectors(one: Sequence[float], other: Sequence[float]) -> float:
    """The cosine; 0 where one of them points nowhere, or they are of different models."""
    if len(one) != len(other):
        return 0.0
    lengths = math.hypot(*one) * math.hypot(*other)
    return sum(map(float.__mul__, one, other)) / lengths if lengths else 0.0


def contradict(verified: str, asked: str) -> bool:
    """Whether one says a value, a name, a negation, a grouping, a time or a direction that the other doesn't."""
    mine, theirs = words_of(verified), words_of(asked)
    return (
        not mine
        or not theirs
        or _values(mine) != _values(theirs)
        or _names(mine) != _names(theirs)
        or any(_times(mine, among) != _times(theirs, among) for among in _SAID_BY_BOTH)
        or depends_on_today(mine) != depends_on_today(theirs)
        or any(_turned(mine, theirs, among) for among in _OPPOSITES)
    )


def same_statement(one: str, other: str, dialect: str) -> bool:
    """Whether they differ in nothing but formatting, aliases and the order of what has none."""
    try:
        return compare(one, other, dialect).verdict in ("identical", "equivalent")
    except Refused:
        return False


def _bag(question: str) -> frozenset[str]:
    return frozenset(word.text for word in words_of(question))


def _values(words: Sequence[Word]) -> Counter[str]:
    return Counter(plain(word.text) for word in words if word.kind in _VALUES)


def _names(words: Sequence[Word]) -> Counter[str]:
    return Counter(plain(word.said) for word in words if word.name)


def _times(words: Sequence[Word], among: frozenset[str]) -> int:
    return sum(word.kind == "sign" and word.text in among for word in words)


def _turned(mine: Sequence[Word], theirs: Sequence[Word], among: Sequence[str]) -> bool:
    here, there = ({word.text for word in words} & set(among) for words in (mine, theirs))
    return bool(here) and bool(there) and here != there
