"""The OpenAPI document: valid, whole, and true to the routes."""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from basejump_common.contracts import account, auth, chat
from basejump_common.contracts.registry import operations
from basejump_common.errors import all_errors
from basejump_gateway import problems  # its own errors belong to the tree that is walked here
from basejump_gateway.binding import Binder
from basejump_gateway.examples import example
from basejump_gateway.openapi import document
from basejump_gateway.routes import POST, PREFIX, ROUTES, Route
from basejump_gateway.versions import VERSIONS, Retirement, Served

SERVED = Served(VERSIONS, Retirement())
DOCUMENT: dict[str, Any] = json.loads(document(SERVED))


def described(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][PREFIX + route.path][route.method.lower()]
    return found


def resolve(reference: dict[str, Any]) -> dict[str, Any]:
    found: Any = DOCUMENT
    for name in reference["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    assert isinstance(found, dict)
    return found


def test_it_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    validate(DOCUMENT, cls=OpenAPIV31SpecValidator)


def test_it_is_the_same_every_time() -> None:
    assert document(SERVED) == document(SERVED)


def test_every_operation_for_the_gateway_has_exactly_one_route() -> None:
    for_the_edge = (auth.EXCHANGE_SECRET, chat.REDEEM_STREAM_TICKET, account.CLIENT_CHOICES, account.CHECK_ORIGIN)
    edge_only = {operation.name for operation in for_the_edge}
    expected = {operation.name for operation in operations() if "gateway" in operation.callers} - edge_only
    assert sorted(route.operation.name for route in ROUTES) == sorted(expected)


def test_no_two_routes_are_spelled_alike() -> None:
    spelled = [(route.method, re.sub(r"\{\w+\}", "{}", route.path)) for route in ROUTES]
    assert len(set(spelled)) == len(spelled)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation.name)
def test_every_field_of_a_request_has_one_place(route: Route) -> None:
    call = described(route)
    fields = [p["name"] for p in call["parameters"] if p["in"] in ("path", "query")]
    if "requestBody" in call:
        schema = call["requestBody"]["content"]["application/json"]["schema"]
        fields += (resolve(schema) if "$ref" in schema else schema)["properties"]
    assert sorted(fields) == sorted(route.fields)
    assert route.path.startswith("/")
    assert route.path.endswith("/")
    assert "_" not in re.sub(r"\{\w+\}", "", route.path)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation.name)
def test_every_call_says_who_what_and_what_can_go_wrong(route: Route) -> None:
    call = described(route)
    assert call["operationId"] == route.operation.name
    assert call["summary"]
    assert call["description"]
    assert call["tags"][0] in {tag["name"] for tag in DOCUMENT["tags"]}
    assert bool(call["security"]) is bool(route.operation.access.credentials)
    for error in route.operation.errors:
        refusal = resolve(call["responses"][str(problems.STATUS[error][0])])
        assert f"`{error.code}`" in refusal["description"]
        assert problems.MEDIA_TYPE in refusal["content"]


def shown(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every example with its schema."""
    if isinstance(value, dict):
        if "schema" in value:
            yield from ((value["schema"], value["example"]) for _ in ("example",) if "example" in value)
            yield from ((value["schema"], each["value"]) for each in value.get("examples", {}).values())
        for inner in value.values():
            yield from shown(inner)


def check(schema: Any, value: Any) -> None:
    whole = schema | {"components": DOCUMENT["components"]}
    OAS31Validator(whole, format_checker=oas31_format_checker).validate(value)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation.name)
def test_every_call_has_examples_that_fit_their_schemas(route: Route) -> None:
    call = described(route)
    for kind, media in call["responses"]["200"]["content"].items():
        assert "example" in media, kind
    if "requestBody" in call:
        assert "example" in call["requestBody"]["content"]["application/json"]
    for schema, value in shown(call):
        check(schema, value)


def test_every_problem_has_an_example_for_each_of_its_codes() -> None:
    for response in DOCUMENT["components"]["responses"].values():
        media = response["content"][problems.MEDIA_TYPE]
        assert list(media["examples"]) == re.findall(r"`(\w+)`", response["description"])
        for schema, value in shown(media):
            check(schema, value)


def test_a_request_that_is_shown_is_a_request_that_is_bound() -> None:
    for route in ROUTES:
        if not route.sent:
            continue
        body = described(route)["requestBody"]["content"]["application/json"]["example"]
        needed = {name: example(route.operation.takes)[name] for name in (*route.parameters, *route.queried)}
        Binder(route.operation.takes, query=(), body=route.fields).bind({}, b"", json.dumps(needed | body).encode())


def test_headers_of_requests_and_answers_are_described() -> None:
    for route in ROUTES:
        call = described(route)
        sent = {parameter["name"] for parameter in call["parameters"] if parameter["in"] == "header"}
        expected = {"Idempotency-Key"} if route.method == POST else set()
        expected |= ({"Prefer"} if route.waits else set()) | ({"Last-Event-ID"} if route.streams else set())
        assert sent == expected, route.path
        assert {"RateLimit", "RateLimit-Policy", "X-Request-Id"} <= call["responses"]["200"]["headers"].keys()
        assert "Retry-After" in resolve(call["responses"]["429"])["headers"]


def test_where_an_object_may_be_of_several_kinds_a_field_tells_which() -> None:
    """Today none may; one that comes needs a discriminator."""
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for field, described_field in schema.get("properties", {}).items():
            kinds = [one for one in described_field.get("anyOf", ()) if "$ref" in one]
            objects = [one for one in kinds if resolve(one).get("type") == "object"]
            assert len(objects) < 2 or "discriminator" in described_field, f"{name}.{field}"


def test_streams_are_events_of_messages() -> None:
    paths: Any = DOCUMENT["paths"]
    message: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/Message"}}
    asked = paths[f"{PREFIX}/chat/{{chat_uuid}}/message/"]["post"]["responses"]["200"]["content"]
    message["example"] = asked["application/json"]["example"]
    assert asked == {"application/json": message, "text/event-stream": message}
    stream = paths[f"{PREFIX}/chat/{{chat_uuid}}/stream/"]["get"]
    assert stream["responses"]["200"]["content"] == {"text/event-stream": message}
    assert stream["security"] == [{"accessToken": []}, {}]
    assert {"Last-Event-ID", "last_event_id", "ticket"} <= {parameter["name"] for parameter in stream["parameters"]}
    assert {"StreamEnd", "StreamGap"} <= DOCUMENT["components"]["schemas"].keys()


def test_secrets_are_marked_as_such() -> None:
    schema = DOCUMENT["components"]["schemas"]["CreateDatabase"]["properties"]["password"]
    assert schema["format"] == "password"


def test_it_names_no_code_that_does_not_exist() -> None:
    known = {error.code for error in all_errors()}
    for response in DOCUMENT["components"]["responses"].values():
        assert set(re.findall(r"`(\w+)`", response["description"])) <= known


def test_times_are_said_to_be_such() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    message, user = schemas["Message"]["properties"], schemas["User"]["properties"]
    assert message["timestamp"] == user["created_at"] == {"type": "string", "format": "date-time"}
    assert {"type": "string", "format": "date-time"} in message["prompt_time"]["anyOf"]
    named = re.compile(r"(?:_at|_time|^timestamp)$")
    for name, schema in schemas.items():
        for field, inner in schema.get("properties", {}).items():
            if named.search(field) and inner.get("type") != "integer":
                assert "date-time" in str(inner), (name, field)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_reference_leads_somewhere() -> None:
    for reference in set(references(DOCUMENT)):
        assert resolve({"$ref": reference})


@pytest.mark.parametrize("name", ["index.html", "reference.css", "reference.js"])
def test_the_reference_page_loads_nothing_from_elsewhere(name: str) -> None:
    text = (files("basejump_gateway") / "reference" / name).read_text()
    assert not re.findall(r"(?:https?:)?//[\w.-]+\.\w+", re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))
    assert "innerHTML" not in text
