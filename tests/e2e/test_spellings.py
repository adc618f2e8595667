"""Every static segment is accepted with dashes and with underscores: the same call, told by its allowed methods."""

import re
from uuid import uuid4

import pytest

from basejump_gateway.routes import ROUTES, Route
from rest import Api

SPELLED = [route for route in ROUTES if "-" in re.sub(r"\{\w+\}", "", route.path)]


@pytest.mark.parametrize("route", SPELLED, ids=lambda route: f"{route.method} {route.path}")
def test_dashes_and_underscores_are_one_path(api: Api, route: Route) -> None:
    values = {name: str(uuid4()) for name in route.parameters}
    dashes = route.path.format(**values)
    underscores = re.sub(r"[^/]+", lambda part: _spelled(part.group(), values), dashes)
    assert "_" in underscores
    answers = [api.call(route.method, path) for path in (dashes, underscores, underscores.rstrip("/"))]
    assert len({(answer.status_code, answer.json()["detail"]) for answer in answers}) == 1
    allowed = [api.call("OPTIONS", path).headers["allow"] for path in (dashes, underscores)]
    assert allowed[0] == allowed[1]


def _spelled(part: str, values: dict[str, str]) -> str:
    return part if part in values.values() else part.replace("-", "_")
