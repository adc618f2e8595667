"""Which phrases of a question are worth looking up as values in the database's text columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from basejump_planner.linking import BARE, SYNONYM, Lexicon
from basejump_planner.model import ValueHit
from basejump_planner.naming import is_text
from basejump_planner.qualities import COMPARATIVES, MEASURING_VERBS, QUALITIES
from basejump_planner.vocabulary import (
    AGGREGATES,
    ARTICLES,
    COMMON,
    COMPARISONS,
    COUNT,
    DIRECTIONS,
    DISTINCT,
    EACH,
    GLUE,
    MOST,
    OPENERS,
    ORDER,
    RELATION_VERBS,
    words_in,
)
from basejump_planner.words import Token, tokenize

_MOST_PHRASES = 12
_LINKS = words_in("is are was were not = equals equal to of called named like")
_TIES = words_in("of the and for de la in on")
_CUE_WORDS = frozenset(
    word
    for table in (
        OPENERS,
        COUNT,
        DISTINCT,
        AGGREGATES,
        COMPARISONS,
        COMPARATIVES,
        EACH,
        ORDER,
        DIRECTIONS,
        MOST,
        COMMON,
        QUALITIES,
    )
    for phrase in table
    for word in phrase
)
_NEVER = GLUE | ARTICLES | RELATION_VERBS | _CUE_WORDS | frozenset(MEASURING_VERBS) | words_in("or not no and but")


def phrases_to_look_up(question: str, lexicon: Lexicon) -> tuple[str, ...]:
    """At most 12 phrases, the most promising first: quoted, then capitalised, then words that link to nothing."""
    tokens = tokenize(question)
    linked = _linked(tokens, lexicon)
    found: dict[str, str] = {}
    for start, end in (*_quoted(tokens), *_capitalised(tokens), *_unlinked(tokens, linked)):
        phrase = _phrase(question, tokens, start, end)
        if phrase and len(phrase) <= 200:
            found.setdefault(phrase.lower(), phrase)
    return tuple(found.values())[:_MOST_PHRASES]


def supposed_values(question: str, lexicon: Lexicon) -> tuple[ValueHit, ...]:
    """Quoted and capitalised phrases as values of the text columns they stand behind, whether they are or not."""
    tokens = tokenize(question)
    spans = dict.fromkeys((*_quoted(tokens), *_capitalised(tokens)))
    mentions = [mention for start in range(len(tokens)) for mention in lexicon.columns_at(tokens, start)]
    found = {
        (_phrase(question, tokens, start, end), candidate.ref.id): None
        for start, end in spans
        for mention in mentions
        if mention.end <= start and all(token.text in _LINKS for token in tokens[mention.end : start])
        for candidate in mention.candidates
        if candidate.level >= BARE and is_text(candidate.ref.column)
    }
    return tuple(
        ValueHit(phrase=phrase, schema=schema, table=table, column=column, value=phrase)
        for phrase, (schema, table, column) in found
    )


def _phrase(question: str, tokens: Sequence[Token], start: int, end: int) -> str:
    if tokens[start].is_quoted:
        return tokens[start].text
    return question[tokens[start].start : tokens[end - 1].end].strip()


def _linked(tokens: Sequence[Token], lexicon: Lexicon) -> set[int]:
    """Positions of words that name a table or column."""
    linked: set[int] = set()
    for start in range(len(tokens)):
        for table in lexicon.tables_at(tokens, start):
            linked.update(range(start, table.end))
        for column in lexicon.columns_at(tokens, start):
            if max(candidate.level for candidate in column.candidates) >= SYNONYM:
                linked.update(range(start, column.end))
    return linked


def _quoted(tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    for position, token in enumerate(tokens):
        if token.is_quoted:
            yield position, position + 1


def _capitalised(tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Runs of capitalised words and numbers, with "of" and the like between; the first word counts only in a run."""
    position = 1
    while position < len(tokens):
        if not tokens[position].capital:
            position += 1
            continue
        end = position + 1
        while end < len(tokens) and _goes_on(tokens, end):
            end += 1
        yield position, end
        if end - position > 1:
            words = [p for p in range(position, end) if tokens[p].capital]
            yield position, words[-1] + 1
            yield from ((p, p + 1) for p in words)
        position = end


def _goes_on(tokens: Sequence[Token], position: int) -> bool:
    token = tokens[position]
    if token.capital or token.is_number:
        return True
    return token.text in _TIES and position + 1 < len(tokens) and tokens[position + 1].capital


def _unlinked(tokens: Sequence[Token], linked: set[int]) -> Iterator[tuple[int, int]]:
    """Runs of lower-case words that mean nothing else, each run first and then its words."""
    free = [
        token.kind == "word" and not token.is_quoted and position not in linked and token.text not in _NEVER
        for position, token in enumerate(tokens)
    ]
    position = 0
    while position < len(tokens):
        if not free[position]:
            position += 1
            continue
        end = position
        while end < len(tokens) and free[end]:
            end += 1
        yield position, end
        if end < len(tokens) and end in linked:
            yield position, end + 1
        if end - position > 1:
            yield from ((p, p + 1) for p in range(position, end))
        position = end
