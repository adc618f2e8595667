"""The planner's front door: `plan` and `value_phrases`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from basejump_planner.building import build
from basejump_planner.joining import Joins, Unsure
from basejump_planner.linking import Lexicon
from basejump_planner.model import CannotAnswer, Intent, Plan, Table, ValueHit
from basejump_planner.parsing import NotUnderstood, parse
from basejump_planner.query import Query, Shown
from basejump_planner.restating import restate
from basejump_planner.settling import settle
from basejump_planner.words import tokenize

_MOST_TOKENS = 60


@lru_cache(maxsize=64)
def lexicon_of(tables: tuple[Table, ...]) -> Lexicon:
    return Lexicon(tables)


def plan(
    question: str, tables: Sequence[Table], values: Sequence[ValueHit] = (), *, dialect: str = "postgres"
) -> Plan | CannotAnswer:
    """The SELECT that answers a question, or why none can be given.

    `tables` is the retrieved slice, best first; `values` are phrases of the question found in its text columns.
    """
    tokens = tokenize(question)
    if not tokens:
        return CannotAnswer(reason="there is no question")
    if not tables:
        return CannotAnswer(reason="no table of the database fits the question")
    if len(tokens) > _MOST_TOKENS:
        return CannotAnswer(reason=f"the question is longer than {_MOST_TOKENS} words")
    slice_ = tuple(tables)
    try:
        draft = parse(tokens, lexicon_of(slice_), (*values, *_declared_values(question, slice_)))
        joins = Joins(slice_)
        query = settle(draft, lexicon_of(slice_), joins)
        tree = build(query, joins)
    except NotUnderstood as error:
        return CannotAnswer(reason=_unknown(error.words), not_understood=error.words)
    except Unsure as error:
        return CannotAnswer(reason=str(error))
    return Plan(sql=tree.sql(dialect=dialect), reading=restate(query), intent=_intent(query))


def _declared_values(question: str, tables: Sequence[Table]) -> list[ValueHit]:
    lowered = question.lower()
    return [
        ValueHit(phrase=value, schema=table.schema, table=table.name, column=column.name, value=value)
        for table in tables
        for column in table.columns
        for value in column.distinct_values
        if value and value.lower() in lowered
    ]


def _unknown(words: Sequence[str]) -> str:
    quoted = ", ".join(f"“{word}”" for word in words[:6])
    return f"I don't know what {quoted} {'means' if len(words) == 1 else 'mean'} here"


def _intent(query: Query) -> Intent:
    measures = [item for item in query.selected if not isinstance(item, Shown)]
    if query.group_by and measures and not query.count_groups:
        return "group"
    if not measures:
        return "list"
    return "count" if len(measures) == 1 and measures[0].__class__.__name__ == "Counted" else "value"
