"""A chart asked for in the words of a question: "Plot the salaries by department", "… as a pie chart"."""

import re
from collections.abc import Sequence

import msgspec

from basejump_chat_agent.domain.charts.choosing import Wish
from basejump_chat_agent.domain.charts.fields import Kind

_CHART = (
    r"(?:(?P<kind>bar|column|line|area|scatter|pie|donut|doughnut)[ -])?"
    r"(?:charts?|graphs?|plots?|diagrams?|visuali[sz]ations?)"
)
_PLEASE = r"^(?:(?:please|can you|could you|now|then|and),?\s+)*"
_OF = r"\s+(?:of|for|with|showing|that shows|about)\s+(?P<rest>.+)$"
_DRAW = r"(?:plot|chart|graph|visuali[sz]e)"
_THIS = r"(?:it|them|this|that|those|these)"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # "Show me a bar chart of …", "A pie chart of …"
        rf"{_PLEASE}(?:(?:show|give|make|create|generate|build|display|draw|plot)(?:\s+(?:me|us))?\s+)?an?\s+{_CHART}{_OF}",
        # "… as a bar chart", "… and show it in a graph"
        rf"^(?P<rest>.*?),?\s*(?:(?:and\s+)?(?:show|draw|display|plot|put)\s+{_THIS}\s+)?\b(?:as|in|on|with)\s+an?\s+{_CHART}$",
        # "… and plot it"
        rf"^(?P<rest>.*?),?\s*\b(?:and\s+)?(?:{_DRAW}|draw)\s+{_THIS}$",
        # "Plot …"
        rf"{_PLEASE}{_DRAW}\s+(?P<rest>.+)$",
    )
)
_NOTHING_ELSE = re.compile(rf"{_PLEASE}(?:(?:show|draw|display|give|and|the same|me|{_THIS})\s*)*$", re.IGNORECASE)
_KINDS = {"column": Kind.BAR, "donut": Kind.PIE, "doughnut": Kind.PIE}


class AskedChart(msgspec.Struct, frozen=True, kw_only=True):
    """`rest`: the question without the wish; empty when the chart is of what was asked before."""

    wish: Wish
    rest: str


def asked_chart(question: str) -> AskedChart | None:
    """None when the question asks for no chart."""
    rest, wish = question, None
    # Twice: "Plot the salaries as a bar chart".
    for _ in range(2):
        found = _wish_in(" ".join(rest.split()).rstrip(" .!?"))
        if found is None:
            break
        wish = found.wish if wish is None or wish.kind is None else wish
        rest = found.rest
    return None if wish is None else AskedChart(wish=wish, rest=rest)


def without_wishes(questions: Sequence[str]) -> tuple[str, ...]:
    """What the questions ask of the data; those that ask for nothing but a chart are left out."""
    asked = ((question, asked_chart(question)) for question in questions)
    rests = (question if found is None else found.rest for question, found in asked)
    return tuple(rest for rest in rests if rest)


def _wish_in(text: str) -> AskedChart | None:
    for pattern in _PATTERNS:
        found = pattern.match(text)
        if found is not None:
            rest = found["rest"].strip(" ,.;:")
            return AskedChart(wish=Wish(kind=_kind(found)), rest="" if _NOTHING_ELSE.match(f"{rest} ") else rest)
    return None


def _kind(found: re.Match[str]) -> Kind | None:
    word = (found.groupdict().get("kind") or "").lower()
    return (_KINDS.get(word) or Kind(word)) if word else None
