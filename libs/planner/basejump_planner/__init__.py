"""From a question and a retrieved schema to SQL, without a language model; pure, no I/O."""

from __future__ import annotations

from collections.abc import Sequence

from basejump_planner.describing import describe
from basejump_planner.model import CannotAnswer, Column, ForeignKey, Plan, Table, Turn, ValueHit
from basejump_planner.planning import lexicon_of, plan
from basejump_planner.values import phrases_to_look_up


def value_phrases(question: str, tables: Sequence[Table]) -> tuple[str, ...]:
    """Phrases worth looking up as values in text columns, most promising first, at most 12."""
    return phrases_to_look_up(question, lexicon_of(tuple(tables)))


__all__ = [
    "CannotAnswer",
    "Column",
    "ForeignKey",
    "Plan",
    "Table",
    "Turn",
    "ValueHit",
    "describe",
    "plan",
    "value_phrases",
]
