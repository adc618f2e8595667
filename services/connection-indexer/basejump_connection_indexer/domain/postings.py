"""Which documents hold a term: an inverted index in three arrays."""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate


class Postings:
    """The terms in order, the entries of all of them one after the other, and where those of each term begin.

    Twelve bytes an entry, and nothing for the garbage collector to visit; a list of pairs takes ten times as much.
    """

    def __init__(self, documents: Iterable[Mapping[str, float]]) -> None:
        ids: dict[str, int] = {}
        terms, numbers, weights = array("I"), array("I"), array("d")
        for number, document in enumerate(documents):
            for term, weight in document.items():
                terms.append(ids.setdefault(term, len(ids)))
                numbers.append(number)
                weights.append(weight)
        self._terms = sorted(ids)
        places = {ids[term]: place for place, term in enumerate(self._terms)}
        counts = Counter(terms)
        self._starts = array("I", accumulate((counts[ids[term]] for term in self._terms), initial=0))
        order = sorted(range(len(terms)), key=lambda entry: places[terms[entry]])
        self._numbers = array("I", (numbers[entry] for entry in order))
        self._weights = array("d", (weights[entry] for entry in order))

    def __contains__(self, term: str) -> bool:
        return self._place(term) is not None

    def of(self, term: str) -> Iterator[tuple[int, float]]:
        """The documents that hold the term, by number, each with the term's weight there."""
        start, end = self._span(term)
        return zip(self._numbers[start:end], self._weights[start:end], strict=True)

    def frequency(self, term: str) -> int:
        """How many documents hold the term."""
        start, end = self._span(term)
        return end - start

    def beginning_with(self, start: str, at_most: int) -> list[str]:
        """The first terms in order that begin so."""
        place = bisect_left(self._terms, start)
        return [term for term in self._terms[place : place + at_most] if term.startswith(start)]

    def _span(self, term: str) -> tuple[int, int]:
        place = self._place(term)
        return (0, 0) if place is None else (self._starts[place], self._starts[place + 1])

    def _place(self, term: str) -> int | None:
        place = bisect_left(self._terms, term)
        return place if place < len(self._terms) and self._terms[place] == term else None
