"""Adjectives and verbs that measure something: "older", "cheapest", "earns", and the columns they may be about."""

from __future__ import annotations

from typing import NamedTuple

from basejump_planner.vocabulary import Direction, Phrase, phrases_in


class Quality(NamedTuple):
    """An adjective that measures something: in which columns it may be looked for, and which way is more of it."""

    nouns: tuple[str, ...]
    direction: Direction


def _qualities(*rows: tuple[str, str, Direction]) -> dict[Phrase, tuple[Quality, ...]]:
    found: dict[Phrase, tuple[Quality, ...]] = {}
    for text, nouns, direction in rows:
        quality = Quality(tuple(noun.strip() for noun in nouns.split("|")), direction)
        for phrase in phrases_in(text):
            found[phrase] = (*found.get(phrase, ()), quality)
    return found


_AGE, _BIRTH = "age", "birth date | date of birth | birthday | birth year | year of birth"
_COST = "price | cost | amount | fee | unit price | rate"
_TIME = "date | year | time | created | start date | opening date | release date | release year"
" | year opened | opening year"
QUALITIES = _qualities(
    ("oldest | eldest", _AGE, "desc"),
    ("oldest | eldest", _BIRTH, "asc"),
    ("youngest", _AGE, "asc"),
    ("youngest", _BIRTH, "desc"),
    ("tallest | highest", "height | elevation | altitude", "desc"),
    ("shortest | lowest", "height | length | duration | elevation | altitude", "asc"),
    ("longest", "length | duration | distance | running time | time", "desc"),
    ("heaviest", "weight | mass", "desc"),
    ("lightest", "weight | mass", "asc"),
    ("most expensive | costliest | priciest | dearest", _COST, "desc"),
    ("cheapest | least expensive", _COST, "asc"),
    ("largest | biggest | most spacious", "area | size | population | capacity", "desc"),
    ("smallest | tiniest", "area | size | population | capacity", "asc"),
    ("most populous | most populated", "population", "desc"),
    ("least populous | least populated", "population", "asc"),
    ("newest | latest | most recent | most recently", _TIME, "desc"),
    ("earliest | oldest", _TIME, "asc"),
    ("fastest | quickest", "speed | top speed", "desc"),
    ("slowest", "speed | top speed", "asc"),
    ("deepest", "depth", "desc"),
    ("richest | wealthiest", "wealth | money | balance | net worth | market value", "desc"),
    ("highest paid | best paid | highest earning | top earning", "salary | wage | pay | income | earnings", "desc"),
    ("lowest paid | worst paid | lowest earning", "salary | wage | pay | income | earnings", "asc"),
    ("best rated | highest rated | top rated", "rating | score | stars", "desc"),
    ("worst rated | lowest rated", "rating | score | stars", "asc"),
    ("widest", "width", "desc"),
    ("narrowest", "width", "asc"),
    ("hottest | warmest", "temperature", "desc"),
    ("coldest", "temperature", "asc"),
)
COMPARATIVES = _qualities(
    ("older than", _AGE, "desc"),
    ("younger than", _AGE, "asc"),
    ("taller than | higher than", "height | elevation | altitude", "desc"),
    ("shorter than", "height | length | duration", "asc"),
    ("longer than", "length | duration | distance | running time", "desc"),
    ("heavier than", "weight | mass", "desc"),
    ("lighter than", "weight | mass", "asc"),
    ("more expensive than | costlier than | costing more than | cost more than | costs more than", _COST, "desc"),
    ("cheaper than | less expensive than | costing less than | cost less than | costs less than", _COST, "asc"),
    ("larger than | bigger than", "area | size | population | capacity", "desc"),
    ("smaller than", "area | size | population | capacity", "asc"),
    ("faster than", "speed | top speed", "desc"),
    ("slower than", "speed | top speed", "asc"),
    ("deeper than", "depth", "desc"),
    (
        "earn more than | earns more than | earning more than | paid more than | make more than | makes more than",
        "salary | wage | pay | income | earnings",
        "desc",
    ),
    (
        "earn less than | earns less than | earning less than | paid less than | make less than | makes less than",
        "salary | wage | pay | income | earnings",
        "asc",
    ),
    ("weigh more than | weighs more than", "weight", "desc"),
    ("weigh less than | weighs less than", "weight", "asc"),
)
# A verb that takes "the most" or "at least 5000": what it measures.
MEASURING_VERBS = {
    word: tuple(noun.strip() for noun in nouns.split("|"))
    for words, nouns in (
        ("earn earns earning earned paid", "salary | wage | pay | income | earnings"),
        ("make makes", "salary | wage | pay | income | earnings"),
        ("cost costs costing", _COST),
        ("weigh weighs weighing weighed", "weight | mass"),
        ("last lasts lasted lasting", "duration | length"),
        ("aged", "age"),
    )
    for word in words.split()
}
