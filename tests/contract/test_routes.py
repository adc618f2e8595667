"""What holds for every route: the names of its parameters, the spellings of its path, its pages."""

import re
from typing import Any
from uuid import UUID

import msgspec
import pytest

from basejump_common.contracts import webhook
from basejump_common.contracts.common import PageRequest
from basejump_common.contracts.wire import decode_custom
from basejump_common.errors import InvalidInput
from basejump_gateway.binding import Binder
from basejump_gateway.routes import GET, ROUTES, Route

QUERIED = [(route, name) for route in ROUTES if route.method != GET for name in route.query]
UUIDS = ("1b4e28ba-2fa1-11d2-883f-0016d3cca427", "1b4e28ba-2fa1-11d2-883f-0016d3cca428")
UNPAGED = {webhook.LIST_SECRETS.name: "a client has two or three that sign"}


def binder(route: Route) -> Binder[Any]:
    return Binder(route.operation.takes, query=route.queried, body=route.fields)


def two_values(route: Route, name: str) -> tuple[str, str]:
    """Two texts that the field takes."""
    kind = next(field.type for field in msgspec.structs.fields(route.operation.takes) if field.name == name)
    words = ("STRICT", "EXPLORE", "ADMIN", "MEMBER", "one", "two", "true", "false")
    candidates = (*words, *UUIDS, "a@example.com", "b@example.com")
    found = []
    for text in candidates:
        try:
            msgspec.convert(text, kind, strict=False, dec_hook=decode_custom)
        except msgspec.ValidationError:
            continue
        found.append(text)
    assert len(found) >= 2, f"no two values for {name}"
    return found[0], found[1]


def json_value(text: str) -> str | bool:
    """In JSON a truth is no text."""
    return text == "true" if text in ("true", "false") else text


def rest_of(route: Route, name: str) -> dict[str, str]:
    """What else the request needs."""
    fields = msgspec.structs.fields(route.operation.takes)
    return {field.name: two_values(route, field.name)[0] for field in fields if field.required and field.name != name}


@pytest.mark.parametrize(("route", "name"), QUERIED, ids=lambda value: getattr(value, "path", value))
def test_a_query_parameter_may_come_in_the_body(route: Route, name: str) -> None:
    (one, other), rest = two_values(route, name), rest_of(route, name)
    path = {field: rest.pop(field) for field in route.parameters}
    body = msgspec.json.encode(rest | {name: json_value(one)})
    in_body = binder(route).bind(path, b"", body)
    assert binder(route).bind(path, f"{name}={one}".encode(), msgspec.json.encode(rest)) == in_body
    assert binder(route).bind(path, f"{name}={one}".encode(), body) == in_body, "twice the same is once"
    with pytest.raises(InvalidInput) as refused:
        binder(route).bind(path, f"{name}={other}".encode(), body)
    assert [error.field for error in refused.value.errors] == [name]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_path_parameter_is_repeated_in_query_or_body_with_the_same_value_alone(route: Route) -> None:
    for name in route.parameters:
        path = dict.fromkeys(route.parameters, UUIDS[0])
        with pytest.raises(InvalidInput) as refused:
            binder(route).bind(path, b"", msgspec.json.encode({name: UUIDS[1]}))
        assert name in [error.field for error in refused.value.errors]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_an_empty_body_is_an_empty_object(route: Route) -> None:
    path = dict.fromkeys(route.parameters, UUIDS[0])
    outcomes = []
    for body in (b"", b"{}"):
        try:
            outcomes.append(binder(route).bind(path, b"", body))
        except InvalidInput as error:
            outcomes.append({one.message for one in error.errors})
    assert outcomes[0] == outcomes[1]
    assert outcomes[0] == {"is required"} or isinstance(outcomes[0], route.operation.takes)


def test_every_list_is_paged_with_a_limit_of_200() -> None:
    lists = [r for r in ROUTES if r.method == GET and "next_cursor" in r.operation.gives.__struct_fields__]
    assert len(lists) > 10
    unpaged = {r.operation.name for r in lists if not issubclass(r.operation.takes, PageRequest)}
    assert unpaged == set(UNPAGED)
    for route in lists:
        if route.operation.name in UNPAGED:
            continue
        path = dict.fromkeys(route.parameters, UUIDS[0])
        assert binder(route).bind(path, b"limit=200&cursor=x", b"").limit == 200
        for wrong in (b"limit=201", b"limit=0", b"limit=-1"):
            with pytest.raises(InvalidInput):
                binder(route).bind(path, wrong, b"")


def test_parameters_in_paths_are_uuids() -> None:
    for route in ROUTES:
        kinds = {field.name: field.type for field in msgspec.structs.fields(route.operation.takes)}
        assert all(kinds[name] is UUID for name in route.parameters), route.path


def test_static_segments_are_spelled_with_dashes_here() -> None:
    """tests/e2e/test_spellings.py calls each with underscores as well."""
    for route in ROUTES:
        assert re.fullmatch(r"(/([a-z]+(-[a-z]+)*|\{[a-z]+(_[a-z]+)*\}))+/", route.path), route.path
