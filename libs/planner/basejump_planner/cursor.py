"""A position in the tokens of a question, with what can be recognised there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from basejump_planner.linking import SYNONYM, ColumnMention, Lexicon, TableMention
from basejump_planner.model import ValueHit
from basejump_planner.reading import Constant, Draft
from basejump_planner.vocabulary import ARTICLES, GLUE, Phrase
from basejump_planner.words import Token, tokenize

T = TypeVar("T")
_LONGEST_CUE = 7


class Cursor:
    """Reads tokens from left to right into a draft; a rule that fails leaves both as they were."""

    def __init__(self, tokens: Sequence[Token], lexicon: Lexicon, values: Sequence[ValueHit]) -> None:
        self.tokens = tokens
        self.lexicon = lexicon
        self.draft = Draft()
        self.position = 0
        self._texts = [token.text for token in tokens]
        self._values = _by_phrase(values)
        self._columns: dict[int, list[ColumnMention]] = {}
        self._tables: dict[int, list[TableMention]] = {}

    @property
    def at_end(self) -> bool:
        return self.position >= len(self.tokens)

    @property
    def token(self) -> Token | None:
        return None if self.at_end else self.tokens[self.position]

    def advance(self) -> Token:
        token = self.tokens[self.position]
        self.position += 1
        return token

    def attempt(self, rule: Callable[[Cursor], T]) -> T | None:
        """What the rule returns; if that is None or False, the position is as before."""
        start, before = self.position, self.draft.copy()
        result = rule(self)
        if result is None or result is False:
            self.position = start
            self.draft.restore(before)
            return None
        return result

    def cue(self, table: Mapping[Phrase, T]) -> T | None:
        """The meaning of the longest phrase of `table` that stands here, consumed; None if none does."""
        for length in range(min(_LONGEST_CUE, len(self.tokens) - self.position), 0, -1):
            phrase = tuple(self._texts[self.position : self.position + length])
            if phrase in table and not self.tokens[self.position].is_quoted:
                self.position += length
                return table[phrase]
        return None

    def cue_length(self, table: Mapping[Phrase, object]) -> int:
        """How many tokens the longest phrase of `table` that stands here has; 0 if none does."""
        start = self.position
        self.cue(table)
        length, self.position = self.position - start, start
        return length

    def word(self, words: Collection[str]) -> str | None:
        token = self.token
        if token is not None and token.kind != "quoted" and token.text in words:
            self.position += 1
            return token.text
        return None

    def skip(self, words: Collection[str]) -> None:
        while self.word(words) is not None:
            pass

    def columns(self) -> list[ColumnMention]:
        if self.position not in self._columns:
            self._columns[self.position] = self.lexicon.columns_at(self.tokens, self.position)
        return self._columns[self.position]

    def tables(self) -> list[TableMention]:
        if self.position not in self._tables:
            mentions = self.lexicon.tables_at(self.tokens, self.position)
            self._tables[self.position] = [mention for mention in mentions if not self._holds_value(mention)]
        return self._tables[self.position]

    def column(self) -> ColumnMention | None:
        """The longest column mention here, consumed."""
        mentions = self.columns()
        if not mentions:
            return None
        self.position = mentions[0].end
        return mentions[0]

    def table(self) -> TableMention | None:
        """The longest table mention here, consumed."""
        mentions = self.tables()
        if not mentions:
            return None
        self.position = mentions[0].end
        return mentions[0]

    def number(self) -> str | None:
        token = self.token
        if token is not None and token.is_number:
            self.position += 1
            return token.text
        return None

    def values(self) -> tuple[ValueHit, ...]:
        """The hits of the longest phrase here that was found in the database, consumed."""
        for end in range(min(len(self.tokens), self.position + 12), self.position, -1):
            hits = self._values.get(tuple(text.lower() for text in self._texts[self.position : end]))
            if hits and not self._is_plain_glue(end):
                self.position = end
                return tuple(hits)
        return ()

    def constant(self) -> Constant | None:
        """A number, date or quoted text, consumed."""
        token = self.token
        if token is None or token.kind not in ("number", "date", "quoted"):
            return None
        self.position += 1
        kind = "text" if token.is_quoted else token.kind
        return Constant(kind, token.text)  # type: ignore[arg-type]

    def articles(self) -> None:
        self.skip(ARTICLES)

    def _holds_value(self, mention: TableMention) -> bool:
        """In "the playlist Music" the name that was found as a value is no other word for tracks."""
        said = (self.tokens[place] for place in range(max(mention.start, 1), mention.end))
        return mention.level <= SYNONYM and any(token.capital and (token.text,) in self._values for token in said)

    def _is_plain_glue(self, end: int) -> bool:
        first = self.tokens[self.position]
        return end == self.position + 1 and first.kind == "word" and first.text in GLUE and not first.capital


def _by_phrase(values: Sequence[ValueHit]) -> dict[tuple[str, ...], list[ValueHit]]:
    found: dict[tuple[str, ...], list[ValueHit]] = defaultdict(list)
    for hit in values:
        found[tuple(token.text.lower() for token in tokenize(hit.phrase))].append(hit)
        found[(hit.phrase.strip().lower(),)].append(hit)
    return {phrase: list(dict.fromkeys(hits)) for phrase, hits in found.items() if phrase}
