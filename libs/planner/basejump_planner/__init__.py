"""From a question and a retrieved schema to SQL, without a language model; pure, no I/O, deterministic.

A question passes through these rooms, each a module:

    words      tokens, stems, the words that identifiers are made of
    linking    phrases to tables and columns, by their names, comments and synonyms
    parsing    tokens to a draft, by rules: what is asked (asking, ranking, nouns), of which rows (conditions,
               predicates), in which groups and order (arranging); a word that no rule accounts for is named, never
               skipped
    settling   a draft to a query: the table it is about (heading), what each phrase means there (choosing, meaning),
               groups (grouping), and whether the parts fit together
    building   a query to a sqlglot tree, joined by declared keys where there is one way to do it (joining)
    following  a question that leaves out what earlier ones said, put together again
    restating  the query in words, and describing the result in words

The English is in vocabulary, qualities and synonyms. A wrong answer is worse than none: what is ambiguous is declined.
"""

from __future__ import annotations

from collections.abc import Sequence

from basejump_planner.describing import describe
from basejump_planner.following import follow_up, nth, row_of
from basejump_planner.model import CannotAnswer, Column, ForeignKey, Plan, Table, ValueHit
from basejump_planner.planning import lexicon_of, plan
from basejump_planner.values import phrases_to_look_up, supposed_values
from basejump_planner.vocabulary import FIGURES


def value_phrases(question: str, tables: Sequence[Table]) -> tuple[str, ...]:
    """Phrases worth looking up as values in text columns, most promising first, at most 12."""
    return phrases_to_look_up(question, lexicon_of(tuple(tables)))


def values_as_said(question: str, tables: Sequence[Table]) -> tuple[ValueHit, ...]:
    """What the question says of text columns that it names, taken as their values."""
    return supposed_values(question, lexicon_of(tuple(tables)))


__all__ = [
    "FIGURES",
    "CannotAnswer",
    "Column",
    "ForeignKey",
    "Plan",
    "Table",
    "ValueHit",
    "describe",
    "follow_up",
    "nth",
    "plan",
    "row_of",
    "value_phrases",
    "values_as_said",
]
