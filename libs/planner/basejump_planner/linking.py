"""Phrases of the question to tables and columns of the schema slice.

Every table and column has a few *forms*: the word sequences by which people may call it. A phrase of the question links
to whatever has that sequence of stems among its forms; where nothing has, the phrase is tried again with its synonyms.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from basejump_planner.model import Column, Table
from basejump_planner.synonyms import GENERIC_ENDINGS, GENERIC_NAMES, NOT_ALONE, SYNONYMS
from basejump_planner.vocabulary import ACTION_VERBS, GLUE, RELATION_VERBS
from basejump_planner.words import Token, identifier_words, stem, stems

# All of a name; the name after its table's; the name without its table's; a synonym of one of those; a part.
EXACT, OWNED, BARE, SYNONYM, WEAK = 5, 4, 3, 2, 1
_LONGEST_PHRASE = 5
Stems = tuple[str, ...]


class ColumnRef(NamedTuple):
    """A column of a table of the slice."""

    table: Table
    column: Column

    @property
    def id(self) -> tuple[str, str, str]:
        return (self.table.schema, self.table.name, self.column.name)


class Candidate(NamedTuple):
    """What a phrase may mean, and how surely (`EXACT` … `WEAK`)."""

    ref: ColumnRef
    level: int


class ColumnMention(NamedTuple):
    """A phrase of the question, tokens `start` to `end`, that names a column."""

    start: int
    end: int
    candidates: tuple[Candidate, ...]
    text: str


class TableMention(NamedTuple):
    """A phrase of the question, tokens `start` to `end`, that names a table."""

    start: int
    end: int
    table: Table
    level: int


def _synonym_index() -> dict[Stems, set[Stems]]:
    index: dict[Stems, set[Stems]] = defaultdict(set)
    for group in SYNONYMS:
        members = [stems(phrase) for phrase in group]
        for member in members:
            index[member].update(other for other in members if other != member)
    return dict(index)


_SYNONYMS = _synonym_index()


@lru_cache(maxsize=4_096)
def rephrasings(phrase: Stems) -> tuple[Stems, ...]:
    """The phrase with one or two of its parts replaced by a synonym."""
    once = _replaced(phrase)
    twice = {again for one in once for again in _replaced(one)} if len(phrase) > 1 else set()
    return tuple(sorted((once | twice) - {phrase}))


def _replaced(phrase: Stems) -> set[Stems]:
    found = set()
    for start in range(len(phrase)):
        for end in range(start + 1, len(phrase) + 1):
            for other in _SYNONYMS.get(phrase[start:end], ()):
                found.add(phrase[:start] + other + phrase[end:])
    return found


class Lexicon:
    """The forms of every table and column of one slice."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self.tables = tables
        self._known = _schema_words(tables)
        self._columns: dict[Stems, dict[tuple[str, str, str], Candidate]] = defaultdict(dict)
        self._tables: dict[Stems, dict[tuple[str, str], tuple[Table, int]]] = defaultdict(dict)
        for table in tables:
            self._add_table(table)

    def words_of(self, name: str) -> tuple[str, ...]:
        return identifier_words(name, self._known)

    def columns_at(self, tokens: Sequence[Token], start: int) -> list[ColumnMention]:
        """The column mentions that begin at a token, longest first."""
        found = []
        for end, phrase in _phrases_from(tokens, start):
            last = tokens[end - 1].text
            # What customers placed is no place of theirs.
            rephrased = last not in _PAST_ACTIONS and (end - start > 1 or last not in RELATION_VERBS)
            candidates = self._column_candidates(phrase, rephrased=rephrased)
            if candidates:
                text = " ".join(token.text for token in tokens[start:end])
                found.append(ColumnMention(start, end, candidates, text))
        return found

    def tables_at(self, tokens: Sequence[Token], start: int) -> list[TableMention]:
        """The table mentions that begin at a token, longest first; a phrase that may mean two tables is none."""
        found = []
        for end, phrase in _phrases_from(tokens, start):
            table, level = self._table_of(phrase)
            if table is not None:
                found.append(TableMention(start, end, table, level))
        return found

    def named(self, noun: str, table: Table) -> ColumnRef | None:
        """The column of `table` that an English noun names exactly, if exactly one does."""
        found = [c for c in self._columns.get(stems(noun.split()), {}).values() if c.ref.table.key == table.key]
        best = max((c.level for c in found), default=0)
        refs = [c.ref for c in found if c.level == best]
        return refs[0] if len(refs) == 1 and best > WEAK else None

    def _column_candidates(self, phrase: Stems, *, rephrased: bool) -> tuple[Candidate, ...]:
        found = dict(self._columns.get(phrase, {}))
        for other in rephrasings(phrase) if rephrased else ():
            for key, candidate in self._columns.get(other, {}).items():
                level = min(candidate.level, SYNONYM)
                if key not in found or found[key].level < level:
                    found[key] = Candidate(candidate.ref, level)
        return tuple(found.values())

    def _table_of(self, phrase: Stems) -> tuple[Table | None, int]:
        hits = list(self._tables.get(phrase, {}).values())
        if not hits:
            hits = [
                (table, min(level, SYNONYM))
                for other in rephrasings(phrase)
                for table, level in self._tables.get(other, {}).values()
            ]
        best = max((level for _, level in hits), default=0)
        tables = {table.key: table for table, level in hits if level == best}
        if len(tables) != 1:
            return None, 0
        return next(iter(tables.values())), best

    def _add_table(self, table: Table) -> None:
        words = self.words_of(table.name)
        for form, level in _table_forms(stems(words)):
            current = self._tables[form].get(table.key)
            if current is None or current[1] < level:
                self._tables[form][table.key] = (table, level)
        for column in table.columns:
            self._add_column(ColumnRef(table, column), stems(words))

    def _add_column(self, ref: ColumnRef, table_words: Stems) -> None:
        words = _unprefixed(self.words_of(ref.column.name), self.words_of(ref.table.name))
        for form, level in _column_forms(stems(words), table_words):
            self._remember(form, ref, level)
        described = stems(identifier_words(ref.column.description))
        if 0 < len(described) <= 3:
            self._remember(described, ref, OWNED)

    def _remember(self, form: Stems, ref: ColumnRef, level: int) -> None:
        current = self._columns[form].get(ref.id)
        if current is None or current.level < level:
            self._columns[form][ref.id] = Candidate(ref, level)


def _schema_words(tables: Iterable[Table]) -> frozenset[str]:
    words: set[str] = set()
    for table in tables:
        for name in (table.name, *(column.name for column in table.columns)):
            words.update(word for word in name.lower().split("_") if len(word) > 2)
    return frozenset(words | {word[:-1] for word in words if word.endswith("s") and len(word) > 3})


def _unprefixed(words: tuple[str, ...], table_words: tuple[str, ...]) -> tuple[str, ...]:
    """`stu name`, `stuid` in table `student`: what abbreviates the table's own name is that name."""
    if len(words) == 1:
        for ending in ("id", "name", "code"):
            start = words[0].removesuffix(ending)
            if start and start != words[0] and (len(start) > 2 or ending == "id"):
                for word in table_words:
                    if word.startswith(start):
                        return (word, ending)
    if len(words) > 1 and len(words[0]) >= 3:
        for word in table_words:
            if word != words[0] and word.startswith(words[0]):
                return (word, *words[1:])
    return words


def _phrases_from(tokens: Sequence[Token], start: int) -> Iterator[tuple[int, Stems]]:
    for end in range(min(len(tokens), start + _LONGEST_PHRASE), start, -1):
        span = tokens[start:end]
        if all(token.kind == "word" for token in span):
            yield end, tuple(token.stem for token in span)


def _table_forms(words: Stems) -> Iterator[tuple[Stems, int]]:
    yield words, EXACT
    if len(words) > 1 and words[0] in _TABLE_PREFIXES:
        yield words[1:], OWNED
    if len(words) > 1 and words[-1] not in GLUE:
        yield words[-1:], WEAK
        yield words[:1] + words[-1:], WEAK


def _column_forms(words: Stems, table_words: Stems) -> Iterator[tuple[Stems, int]]:
    if not words:
        return
    yield words, BARE if len(words) == 1 and words[0] in _GENERIC_NAMES else EXACT
    own = tuple(word for word in words if word not in table_words)
    if own and own not in (words, ("number",)):
        yield own, BARE
    for prefix in {table_words, table_words[-1:]}:
        yield prefix + words, OWNED
        if own:
            yield prefix + own, OWNED
    bare = own or words
    if len(words) > 1 and words[-1] in _GENERIC and words[:-1] not in _NOT_ALONE:
        yield words[:-1], WEAK
    while len(bare) > 1 and bare[-1] in _GENERIC:
        bare = bare[:-1]
        if bare not in _NOT_ALONE:
            yield bare, WEAK
    if len(own or words) > 1 and words[-1] != "number":
        yield (own or words)[-1:], WEAK


_PAST_ACTIONS = frozenset(verb for verb in ACTION_VERBS if verb.endswith("ed"))
_TABLE_PREFIXES = frozenset(stem(word) for word in ("ref", "reference", "dim", "fact", "tb", "all", "list"))
_GENERIC = frozenset(stem(word) for word in GENERIC_ENDINGS)
_GENERIC_NAMES = frozenset(stem(word) for word in GENERIC_NAMES)
_NOT_ALONE = frozenset((stem(word),) for word in NOT_ALONE)
