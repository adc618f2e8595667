"""Which tables is a question about? Lexical ranking over names, columns and comments, without a model.

Weighted term matching after BM25F (Robertson, Zaragoza, "The Probabilistic Relevance Framework", 2009): a term counts
by how rare it is and by where it stands. Tables that belong together (one hop by foreign keys, or a small schema) lend
each other what they match, so that a question's tables come together with those that a join needs on its way.
"""

import heapq
import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from basejump_connection_indexer.domain.definition import IndexedTable
from basejump_connection_indexer.domain.postings import Postings
from basejump_connection_indexer.domain.synonyms import SYNONYMS
from basejump_connection_indexer.domain.words import STOP_WORDS, name_terms, question_terms, stem, text_terms

TABLE_NAME, PART_OF_NAME, COLUMN_NAME, COMMENT, VALUE = 1.0, 0.8, 0.7, 0.35, 0.6
SYNONYM, PREFIX = 0.75, 0.4
TOGETHER = 0.55
LENGTH = 0.1
SMALL_SCHEMA = 40
MOST_SCORED = 400
MOST_COMMENT_WORDS = 60


@dataclass(frozen=True, slots=True)
class Ranked:
    """A table and how well it fits; more is better, 0 is not at all."""

    table: IndexedTable
    score: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """Best first. `coverage` is the share of the question's words that the tables know, 0 to 1."""

    tables: tuple[Ranked, ...]
    coverage: float


class RetrievalIndex:
    """Built once for the tables that one connection sees; ignored tables and columns aren't in it."""

    def __init__(self, tables: Sequence[IndexedTable]) -> None:
        self._tables = [table for table in tables if not table.notes.ignore]
        self._length = array("d")
        self._postings = Postings(self._documents())
        self._neighbours = _neighbours(self._tables)
        self._schemas = _small_schemas(self._tables)

    def _documents(self) -> Iterator[dict[str, float]]:
        for table in self._tables:
            document = _document(table)
            self._length.append(LENGTH * math.log1p(len(document)))
            yield document

    def rank(self, question: str, limit: int) -> Ranking:
        """The best tables, at most `limit`, completed by those that connect them."""
        terms = self._weighted_terms(question)
        matches = self._matches(terms)
        own = {number: sum(found.values()) - self._length[number] for number, found in matches.items()}
        scored = heapq.nlargest(MOST_SCORED, own, key=own.__getitem__)
        scores = {number: own[number] + TOGETHER * self._lent(number, matches) for number in scored}
        for number in scored[:limit]:
            for neighbour in self._neighbours.get(number, ()):
                scores.setdefault(neighbour, TOGETHER * self._lent(neighbour, matches))
        best = heapq.nlargest(limit, scores.items(), key=lambda item: (item[1], -item[0]))
        ranked = tuple(Ranked(self._tables[number], score) for number, score in best)
        return Ranking(tables=ranked, coverage=self._coverage(terms, [number for number, _ in best], matches))

    def rank_all(self, question: str) -> Ranking:
        """Every table, for databases so small that all of them fit."""
        ranking = self.rank(question, len(self._tables))
        known = {ranked.table.tbl_uuid for ranked in ranking.tables}
        rest = (Ranked(table, 0.0) for table in self._tables if table.tbl_uuid not in known)
        return Ranking(tables=(*ranking.tables, *rest), coverage=ranking.coverage)

    def __len__(self) -> int:
        return len(self._tables)

    def _weighted_terms(self, question: str) -> dict[str, float]:
        """The question's terms by weight: how much each counts times how rare it is."""
        count = len(self._tables)
        found = {}
        for term, weight in question_terms(question).items():
            known = [spelled for spelled, _ in self._spellings(term)]
            if known:
                frequency = max(self._postings.frequency(spelled) for spelled in known)
                found[term] = weight * math.log(1 + (count - frequency + 0.5) / (frequency + 0.5))
        return found

    def _spellings(self, term: str) -> Iterable[tuple[str, float]]:
        """The terms of the index that may stand for a word of the question, each with its trust."""
        if term in self._postings:
            yield term, 1.0
        for other in SYNONYMS.get(term, ()):
            if other in self._postings:
                yield other, SYNONYM
        if term not in self._postings and len(term) >= 5:
            yield from ((longer, PREFIX) for longer in self._postings.beginning_with(term, at_most=5))
            for end in range(3, len(term)):
                if term[:end] in self._postings:
                    yield term[:end], PREFIX * end / len(term)

    def _matches(self, terms: Mapping[str, float]) -> dict[int, dict[str, float]]:
        """By table: the question's terms that it matches, and how much each is worth there."""
        found: dict[int, dict[str, float]] = defaultdict(dict)
        for term, weight in terms.items():
            for spelled, trust in self._spellings(term):
                for number, place in self._postings.of(spelled):
                    worth = weight * trust * place
                    if worth > found[number].get(term, 0.0):
                        found[number][term] = worth
        return found

    def _lent(self, number: int, matches: Mapping[int, Mapping[str, float]]) -> float:
        """What the tables around it match and it doesn't, or less well."""
        own = matches.get(number, {})
        best: dict[str, float] = {}
        for other in self._around(number):
            for term, worth in matches.get(other, {}).items():
                if worth > best.get(term, 0.0):
                    best[term] = worth
        return sum(max(worth - own.get(term, 0.0), 0.0) for term, worth in best.items())

    def _around(self, number: int) -> Iterable[int]:
        yield from self._neighbours.get(number, ())
        yield from self._schemas.get(self._tables[number].definition.schema, ())

    def _coverage(
        self, terms: Mapping[str, float], best: Sequence[int], matches: Mapping[int, Mapping[str, float]]
    ) -> float:
        whole = sum(terms.values())
        found = (max((matches.get(n, {}).get(term, 0.0) for n in best), default=0.0) for term in terms)
        return sum(found) / whole if whole else 0.0


def _document(table: IndexedTable) -> dict[str, float]:
    """The table's terms, each with the weight of the best place it stands in."""
    found: dict[str, float] = {}

    def add(terms: Iterable[str], weight: float) -> None:
        for term in terms:
            if found.get(term, 0.0) < weight:
                found[term] = weight

    name = name_terms(table.definition.name)
    # `customer` is more about customers than `customer_contact_channel` is.
    add(name, PART_OF_NAME + (TABLE_NAME - PART_OF_NAME) / max(len(name), 1))
    add((stem("".join(name)),), TABLE_NAME)
    add(text_terms(table.text)[:MOST_COMMENT_WORDS], COMMENT)
    for column in table.columns:
        notes = table.notes.of_column(column.name)
        if notes.ignore:
            continue
        add(name_terms(column.name), COLUMN_NAME)
        described = column.comment if notes.description is None else notes.description
        add(text_terms(described)[:MOST_COMMENT_WORDS], COMMENT)
        for value in notes.distinct_values:
            add(text_terms(value), VALUE)
    return {term: weight for term, weight in found.items() if term not in STOP_WORDS or weight > COMMENT}


def _neighbours(tables: Sequence[IndexedTable]) -> dict[int, set[int]]:
    """By table: those one foreign key away, in either direction; tables without any are left out."""
    numbers = {(t.definition.schema, t.definition.name): number for number, t in enumerate(tables)}
    found: dict[int, set[int]] = defaultdict(set)
    for number, table in enumerate(tables):
        for key in table.foreign_keys:
            other = numbers.get((key.schema, key.table))
            if other is not None and other != number:
                found[number].add(other)
                found[other].add(number)
    return dict(found)


def _small_schemas(tables: Sequence[IndexedTable]) -> dict[str, list[int]]:
    """The tables of each schema that is small enough to be about one thing, when there are several schemas."""
    sizes = Counter(table.definition.schema for table in tables)
    found: dict[str, list[int]] = defaultdict(list)
    for number, table in enumerate(tables):
        if len(sizes) > 1 and sizes[table.definition.schema] <= SMALL_SCHEMA:
            found[table.definition.schema].append(number)
    return found
