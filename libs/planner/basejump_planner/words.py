"""Text into words: tokens of a question, the words an identifier is made of, stems."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import snowballstemmer

from basejump_planner.synonyms import ABBREVIATIONS, COMMON_PARTS
from basejump_planner.vocabulary import NUMBER_WORDS, words_in

_STEMMER = snowballstemmer.stemmer("english")
_IRREGULAR = {
    "people": "person", "persons": "person", "men": "man", "women": "woman", "children": "child", "feet": "foot",
    "staffs": "staff", "criteria": "criterion", "data": "data", "media": "media",
}  # fmt: skip

_TOKEN = re.compile(
    r"""
    "(?P<double>[^"]{1,200})" | “(?P<curly>[^”]{1,200})” | ‘(?P<single_curly>[^’]{1,200})’
    | (?<!\w)'(?P<single>[^'\n]{1,200}?)'(?!\w) | (?<!\w)`(?P<tick>[^`]{1,200})`
    | (?P<date>\d{4}-\d{1,2}-\d{1,2})(?!\w)
    | (?P<number>-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?)(?![\w])
    | (?P<possessive>['’]s?\b|['’](?!\w))
    | (?P<word>\w+(?:['’](?!s\b)\w+)?)
    | (?P<symbol><=|>=|<>|!=|[^\s\w])
    """,
    re.VERBOSE,
)
_QUOTED = ("double", "curly", "single_curly", "single", "tick")
_CONTRACTIONS = {
    "don't": "do not", "doesn't": "does not", "didn't": "did not", "isn't": "is not", "aren't": "are not",
    "wasn't": "was not",    "weren't": "were not", "haven't": "have not", "hasn't": "has not", "can't": "can not",
    "i'd": "i would", "i'm": "i am",
}  # fmt: skip
_PREFIXES = frozenset(("max", "min", "avg", "num", "total"))
_SHARING = words_in("first middle last full given family")
_NOT_SPOKEN = frozenset("?!.$€£%():/\\-*#+[]{}|~^@_…")


class Token(NamedTuple):
    """A word, number, date, quoted text or symbol; `start` and `end` are offsets into the question."""

    text: str
    stem: str
    start: int
    end: int
    kind: str
    capital: bool = False

    @property
    def is_number(self) -> bool:
        return self.kind == "number"

    @property
    def is_quoted(self) -> bool:
        return self.kind == "quoted"


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """The stem of a lower-case English word; irregular plurals fall together with their singular."""
    irregular = _IRREGULAR.get(word)
    return irregular if irregular is not None else str(_STEMMER.stemWord(word))


def stems(phrase: Iterable[str]) -> tuple[str, ...]:
    return tuple(stem(word) for word in phrase)


def tokenize(question: str) -> list[Token]:
    """The tokens of a question, in order; punctuation that is never spoken is dropped."""
    tokens: list[Token] = []
    for match in _TOKEN.finditer(question):
        if match.group() in ".?!;" and tokens and tokens[-1].kind != "stop":
            tokens.append(Token(".", ".", *match.span(), "stop"))
        tokens.extend(_tokens_of(match))
    while tokens and tokens[-1].kind == "stop":
        tokens.pop()
    return _with_shared_noun(tokens)


def _with_shared_noun(tokens: list[Token]) -> list[Token]:
    """ "First and last names" as "first names and last names"."""
    found: list[Token] = []
    for position, token in enumerate(tokens):
        found.append(token)
        if token.text in _SHARING and (noun := _shared_noun(tokens, position)) is not None:
            found.append(noun)
    return found


def _shared_noun(tokens: Sequence[Token], position: int) -> Token | None:
    following = position + 1
    while following < len(tokens) and tokens[following].text in (",", "and", "&", "or", "the"):
        following += 1
    if following == position + 1 or following + 1 >= len(tokens) or tokens[following].text not in _SHARING:
        return None
    noun = following + 1
    while tokens[noun].text in (",", "and", "the", *_SHARING) and noun + 1 < len(tokens):
        noun += 1
    return tokens[noun] if tokens[noun].stem == "name" else None


def _tokens_of(match: re.Match[str]) -> list[Token]:
    kind = match.lastgroup or "symbol"
    text = match.group(kind)
    start, end = match.span()
    if kind in _QUOTED:
        return [Token(text.strip(), text.strip().lower(), start, end, "quoted")]
    if kind == "number":
        return [Token(text.replace(",", ""), text, start, end, "number")]
    if kind == "possessive" or (kind == "symbol" and text in _NOT_SPOKEN):
        return []
    lowered = text.lower().replace("’", "'")
    if lowered in NUMBER_WORDS:
        return [Token(NUMBER_WORDS[lowered], lowered, start, end, "number")]
    parts = _CONTRACTIONS.get(lowered, lowered).split()
    capital = text[0].isupper()
    return [Token(part, stem(part), start, end, kind, capital) for part in parts]


def identifier_words(name: str, known: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """The English words of an identifier: `hireDate`, `hire_date` and `hiredate` are all hire, date.

    `known` are words of the same schema, with which identifiers written in one piece are taken apart.
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z]{2})(?=\d)", " ", name)
    words: list[str] = []
    for part in re.split(r"[\W_]+", spaced.lower()):
        for piece in _pieces(part, known):
            words.extend(ABBREVIATIONS.get(piece, piece).split())
    return tuple(words)


def _pieces(part: str, known: frozenset[str]) -> tuple[str, ...]:
    if not part or part in ABBREVIATIONS or part in COMMON_PARTS or len(part) < 5:
        return (part,) if part else ()
    for cut in range(len(part) - 2, 2, -1):
        head, tail = part[:cut], part[cut:]
        if head in known and (tail in COMMON_PARTS or tail in known):
            return (head, tail)
        if head in _PREFIXES and len(tail) > 4:
            return (head, tail)
        if head in COMMON_PARTS and len(head) > 2 and (tail in COMMON_PARTS or tail in known) and len(tail) > 2:
            return (head, tail)
    return (part,)
