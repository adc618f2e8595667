"""Whether two questions mean the same, or differ in one value. When in doubt they don't."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from itertools import combinations
from typing import TypeAlias

import msgspec

from basejump_chat_agent.domain.verified.wording import Word, plain, words_of
from basejump_planner.synonyms import SYNONYMS
from basejump_planner.words import identifier_words, stems

Phrase: TypeAlias = tuple[str, ...]

_LONGEST_SYNONYM = 4
_LONGEST_VALUE = 6


class Vocabulary:
    """The words of a schema: synonyms of which it has more than one are told apart."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)

    @cached_property
    def _words(self) -> frozenset[str]:
        pieces = {word for name in self._names for word in name.lower().replace("_", " ").split()}
        return frozenset(stem for name in self._names for stem in stems(identifier_words(name, frozenset(pieces))))

    def names_one(self, phrases: Iterable[Phrase]) -> bool:
        """Whether just one of the phrases, as stems, names something here."""
        return sum(all(stem in self._words for stem in phrase) for phrase in phrases) == 1


class Apart(msgspec.Struct, frozen=True):
    """The one value in which two questions differ, as each of them says it. `number`: it is one."""

    verified: str
    asked: str
    number: bool


def mean_the_same(verified: str, asked: str, vocabulary: Vocabulary) -> bool:
    """Word for word the same, or synonyms of which the schema has one."""
    mine, theirs = words_of(verified), words_of(asked)
    return bool(mine) and _reaches(mine, theirs, vocabulary)


def one_value_apart(verified: str, asked: str, vocabulary: Vocabulary) -> Apart | None:
    """The value in which they differ, when all else means the same."""
    mine, theirs = words_of(verified), words_of(asked)
    for start in range(len(mine)):
        for length in range(1, min(_LONGEST_VALUE, len(mine) - start) + 1):
            old = mine[start : start + length]
            for new, rest in _replaced(old, start, len(mine), theirs):
                before, after = mine[:start], mine[start + length :]
                if _reaches(before, theirs[:start], vocabulary) and _reaches(after, rest, vocabulary):
                    return _apart(verified, asked, old, new)
    return None


def _replaced(
    old: tuple[Word, ...], start: int, whole: int, theirs: tuple[Word, ...]
) -> Iterator[tuple[tuple[Word, ...], tuple[Word, ...]]]:
    """What could stand in the place of `old`, and what follows it. Both sides end in the same way."""
    after = whole - start - len(old)
    new, rest = theirs[start : len(theirs) - after], theirs[len(theirs) - after :] if after else ()
    if 0 < len(new) <= _LONGEST_VALUE and _a_value(old) and _a_value(new) and _kind(old) == _kind(new):
        yield new, rest


def _a_value(words: tuple[Word, ...]) -> bool:
    if len(words) == 1:
        return words[0].kind != "sign"
    return all(word.kind == "word" for word in words)


def _kind(words: tuple[Word, ...]) -> str:
    kind = words[0].kind
    return "text" if kind in ("word", "quoted") else kind


def _apart(verified: str, asked: str, old: tuple[Word, ...], new: tuple[Word, ...]) -> Apart | None:
    was, now = _said(verified, old), _said(asked, new)
    return None if plain(was) == plain(now) else Apart(was, now, old[0].kind == "number")


def _said(question: str, words: tuple[Word, ...]) -> str:
    if len(words) == 1 and words[0].kind != "word":
        return words[0].said
    return question[words[0].start : words[-1].end]


def _reaches(mine: tuple[Word, ...], theirs: tuple[Word, ...], vocabulary: Vocabulary) -> bool:
    """Whether the two can be walked to their ends side by side, each step over the same word or two synonyms."""
    seen: set[tuple[int, int]] = set()
    ahead = [(0, 0)]
    while ahead:
        here = ahead.pop()
        if here == (len(mine), len(theirs)):
            return True
        if here not in seen:
            seen.add(here)
            ahead += _steps(mine, theirs, here, vocabulary)
    return False


def _steps(
    mine: tuple[Word, ...], theirs: tuple[Word, ...], here: tuple[int, int], vocabulary: Vocabulary
) -> Iterator[tuple[int, int]]:
    i, j = here
    if i < len(mine) and j < len(theirs) and _same(mine[i], theirs[j]):
        yield i + 1, j + 1
        return
    for phrase, size in _phrases(mine, i):
        for other, width in _phrases(theirs, j):
            groups = _synonyms().get(frozenset((phrase, other)), ())
            # “Goods” is an item or a product: where the schema has both, it may be either.
            if any(vocabulary.names_one(group) for group in groups):
                yield i + size, j + width


def _same(one: Word, other: Word) -> bool:
    if one.kind != other.kind or one.text != other.text:
        return False
    # “Adam” and “Adams” have one stem: what may be a name must be written alike.
    return one.kind != "word" or plain(one.said) == plain(other.said) or not (one.name or other.name)


def _phrases(words: tuple[Word, ...], start: int) -> Iterator[tuple[Phrase, int]]:
    for size in range(1, _LONGEST_SYNONYM + 1):
        part = words[start : start + size]
        if len(part) < size or any(word.kind != "word" for word in part):
            return
        yield tuple(word.text for word in part), size


@lru_cache(maxsize=1)
def _synonyms() -> Mapping[frozenset[Phrase], tuple[frozenset[Phrase], ...]]:
    """Of two phrases the groups that have both."""
    found: dict[frozenset[Phrase], tuple[frozenset[Phrase], ...]] = {}
    for group in (frozenset(stems(phrase) for phrase in phrases) for phrases in SYNONYMS):
        for pair in map(frozenset, combinations(group, 2)):
            found[pair] = (*found.get(pair, ()), group)
    return found
