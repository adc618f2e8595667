"""The whole way from rows to a chart and the sentence that explains it."""

from collections.abc import Sequence
from typing import Any

import msgspec

from basejump_chat_agent.domain.charts.choosing import Choice, NoChart, Wish, choose
from basejump_chat_agent.domain.charts.fields import Field, Kind, Table
from basejump_chat_agent.domain.charts.figure import figure
from basejump_chat_agent.domain.charts.shaping import shape

_LONGEST_TITLE = 120


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """`figure`: Plotly's `data` and `layout`, at most 300 kB of JSON. `explanation`: one sentence."""

    figure: dict[str, Any]
    explanation: str


class Visual(msgspec.Struct, frozen=True, kw_only=True):
    """The chart of an answer: neither field where none was asked for, `explanation` alone where none could be drawn."""

    figure: dict[str, Any] | None = None
    explanation: str | None = None

    @classmethod
    def of(cls, drawn: Chart | NoChart) -> "Visual":
        """What was drawn, or why nothing was."""
        if isinstance(drawn, NoChart):
            return cls(explanation=drawn.sentence)
        return cls(figure=drawn.figure, explanation=drawn.explanation)


def draw(table: Table, wish: Wish) -> Chart | NoChart:
    """The chart of a result; `table` holds all of its rows, or those that `reading` picked."""
    choice = choose(table, wish)
    if isinstance(choice, NoChart):
        return choice
    shaped = shape(table, choice)
    if isinstance(shaped, NoChart):
        return shaped
    title = wish.title or _title(choice)
    return Chart(figure=figure(choice, shaped, title), explanation=_explain(choice, shaped.remarks))


def _title(choice: Choice) -> str:
    title = f"{_and([field.title for field in choice.measures])} by {_axis(choice.x)}"
    return f"{title} and {_small(choice.series)}" if choice.series else title


def _explain(choice: Choice, remarks: Sequence[str]) -> str:
    article = "An" if choice.kind is Kind.AREA else "A"
    measures = _and([_small(field) for field in choice.measures])
    said = f"{article} {choice.kind} chart of {measures} by {_axis(choice.x)}"
    if choice.series:
        said += f", a series for each {_small(choice.series)}"
    parts = [said, *remarks]
    if choice.instead:
        parts.append(f"not what was asked for, because {choice.instead}")
    if choice.left_out:
        names = _and([_small(field) for field in choice.left_out[:3]])
        parts.append(f"{names} {'is' if len(choice.left_out) == 1 else 'are'} not drawn")
    return "; ".join(parts) + "."


def _axis(x: Sequence[Field]) -> str:
    return _and([_small(field) for field in x])


def _small(field: Field) -> str:
    title = field.title[:_LONGEST_TITLE]
    return title[:1].lower() + title[1:]


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
