"""Traces as a Plotly figure: plain data with bounded texts, none of which a browser takes for markup or a formula."""

import re
from collections.abc import Sequence
from typing import Any

from basejump_chat_agent.domain.charts.choosing import Choice
from basejump_chat_agent.domain.charts.fields import Field, Kind, Role
from basejump_chat_agent.domain.charts.shaping import Shape, Trace

LONGEST_LABEL = 80
_LONG_LABEL = 14
_MANY_LABELS = 8
_FEW_POINTS = 50
_MARKUP = re.compile(r"<(?=[a-z/!])", re.IGNORECASE)
_ENTITY = re.compile(r"&(?=#?\w+;)")

Json = dict[str, Any]


def figure(choice: Choice, shape: Shape, title: str) -> Json:
    """`data` and `layout`, as plotly.js takes them."""
    if choice.kind is Kind.PIE:
        return {"data": [_pie(shape.traces[0])], "layout": {"title": {"text": safe(title)}, "showlegend": True}}
    sideways = choice.kind is Kind.BAR and choice.x[0].role is Role.CATEGORY and _is_long(shape.traces[0].x)
    traces = [_trace(choice, trace, sideways) for trace in shape.traces]
    place, value = _place_axis(choice.x, shape, sideways), _value_axis(choice.measures)
    layout: Json = {
        "title": {"text": safe(title)},
        "xaxis": value if sideways else place,
        "yaxis": place if sideways else value,
        "showlegend": len(traces) > 1,
    }
    if choice.kind is Kind.BAR:
        stacks = choice.series is not None and choice.measures[0].additive
        layout["barmode"] = "stack" if stacks else "group"
    return {"data": traces, "layout": layout}


def safe(text: str) -> str:
    """A text of the customer's that plotly.js shows as it is: it would take `<a href=…>` and `$…$` for more."""
    text = " ".join(text.split())
    short = text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"
    return _MARKUP.sub("&lt;", _ENTITY.sub("&amp;", short)).replace("$", "&#36;")


def _trace(choice: Choice, trace: Trace, sideways: bool) -> Json:
    places = _places(choice, trace.x)
    x, y = (list(trace.y), places) if sideways else (places, list(trace.y))
    common: Json = {"name": safe(trace.name), "x": x, "y": y}
    match choice.kind:
        case Kind.BAR:
            return {"type": "bar", **common} | ({"orientation": "h"} if sideways else {})
        case Kind.SCATTER:
            return {"type": "scatter", "mode": "markers", **common}
        case Kind.AREA if choice.series is not None:
            return {"type": "scatter", "mode": "lines", "stackgroup": "one", **common}
        case Kind.AREA:
            return {"type": "scatter", "mode": "lines", "fill": "tozeroy", **common}
        case _:
            return {"type": "scatter", "mode": "lines+markers" if len(x) <= _FEW_POINTS else "lines", **common}


def _pie(trace: Trace) -> Json:
    return {
        "type": "pie",
        "labels": _distinct([safe(str(label)) for label in trace.x]),
        "values": list(trace.y),
        "sort": False,
        "textinfo": "label+percent",
    }


def _places(choice: Choice, x: Sequence[Any]) -> list[Any]:
    if choice.x[0].role in (Role.NUMBER, Role.TIME):
        return list(x)
    return _distinct([safe(str(place)) for place in x])


def _distinct(labels: list[str]) -> list[str]:
    """Two that are the same once they are cut would be one place on the axis."""
    seen: dict[str, int] = {}
    found = []
    for label in labels:
        count = seen[label] = seen.get(label, 0) + 1
        found.append(label if count == 1 else f"{label} ({count})")
    return found


def _place_axis(x: Sequence[Field], shape: Shape, sideways: bool) -> Json:
    kinds = {Role.NUMBER: "linear", Role.TIME: "date"}
    axis: Json = {
        "title": {"text": safe(" ".join(field.title for field in x))},
        "type": kinds.get(x[0].role, "category"),
        "automargin": True,
    }
    if axis["type"] == "linear":
        return axis | _figures([cell for trace in shape.traces for cell in trace.x])
    return axis | ({"autorange": "reversed"} if sideways else {})


def _value_axis(measures: Sequence[Field]) -> Json:
    percent = all(field.is_percentage for field in measures)
    axis = {"title": {"text": safe(", ".join(field.title for field in measures))}, "automargin": True}
    return (
        axis | _figures([cell for field in measures for cell in field.cells]) | ({"ticksuffix": "%"} if percent else {})
    )


def _figures(cells: Sequence[Any]) -> Json:
    """Thousands apart, as people read them."""
    return {"tickformat": ","} if any(cell is not None and abs(cell) >= 1_000 for cell in cells) else {}


def _is_long(labels: Sequence[Any]) -> bool:
    return len(labels) > _MANY_LABELS or any(len(str(label)) > _LONG_LABEL for label in labels)
