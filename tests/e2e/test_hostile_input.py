"""What schemathesis doesn't send, to every call that takes a body or a text: never a 500, always a problem document."""

import json
from typing import Any
from uuid import uuid4

import pytest

from basejump_common.security.principal import Credential, Role
from basejump_gateway.routes import DELETE, GET, POST, PUT, ROUTES, Route
from gateway_backend import problem_of
from rest import Api, Tenant, as_user

JSON = {"Content-Type": "application/json"}
OWNERS = [
    route
    for route in ROUTES
    if Credential.ACCESS in route.operation.access.credentials and route.operation.access.least is not Role.INTERNAL
]
"""What an OWNER may call with an access token."""

WRITES = [route for route in OWNERS if route.method in (POST, PUT)]
BODIES = {
    "invalid UTF-8": (b'{"a": "\xff\xfe\xfa"}', JSON, {422}),
    "half a surrogate": (b'{"a": "\\ud800"}', JSON, {422}),
    "NUL": (b'{"a\\u0000": "b\\u0000"}', JSON, {422}),
    "a raw NUL": (b'{"a": "\x00"}', JSON, {422}),
    "a BOM": (b"\xef\xbb\xbf{}", JSON, {422}),
    "deep objects": (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, JSON, {422}),
    "deep lists": (b"[" * 100_000, JSON, {422}),
    "a number of 100,000 digits": (b'{"a": ' + b"9" * 100_000 + b"}", JSON, {422}),
    "not a number": (b'{"a": NaN}', JSON, {422}),
    "an endless exponent": (b'{"a": 1e999999999}', JSON, {422}),
    "10,000 names": (json.dumps({f"n{n}": n for n in range(10_000)}).encode(), JSON, {422}),
    "a name of 10,000 characters": (json.dumps({"n" * 10_000: 1}).encode(), JSON, {422}),
    "the same name twice": (b'{"a": 1, "a": 2}', JSON, {422}),
    "10 MB": (b'{"a": "' + b"x" * 10_000_000 + b'"}', JSON, {413}),
    "text": (b"{}", {"Content-Type": "text/plain"}, {415}),
    "a form": (b"a=b", {"Content-Type": "application/x-www-form-urlencoded"}, {415}),
    "files": (b"--x\r\n\r\n--x--", {"Content-Type": "multipart/form-data; boundary=x"}, {415}),
    "XML": (b"<a/>", {"Content-Type": "application/xml"}, {415}),
    "no type": (b"{}", {"Content-Type": ""}, {415}),
    "an odd type": (b"{}", {"Content-Type": "application/json-patch+json"}, {415}),
}
TEXTS = {
    "10,000 characters": "x" * 10_000,
    "right to left": "\u202eevil\u202c \u0645\u0631\u062d\u0628\u0627",
    "zero width": "a\u200b\u200d\ufeffb",
    "only zero width": "\u200b",
    "combining marks": "e" + "\u0301" * 50,
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "quotes": "'; drop table team; --",
    "a template": "{{7*7}}${7*7}<script>alert(1)</script>",
    "line ends": "a\r\nX-Injected: 1",
    "controls": "\x01\x1b[31m\x7f",
}


def paths(route: Route) -> str:
    return route.path.format(**{name: uuid4() for name in route.parameters})


@pytest.fixture(scope="module")
def owner(operator: Api, api: Api) -> Api:
    """An OWNER of a client of its own, whose settings and names may become anything."""
    client = operator.post("/account/client/", json={"client_name": "hostile"})
    return as_user(api.with_secret(client["client_secret"]), client["owner_user_uuid"])


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_is_refused_by_every_call(owner: Api, name: str) -> None:
    content, headers, statuses = BODIES[name]
    for route in WRITES:
        response = owner.call(route.method, paths(route), content=content, headers=headers)
        assert response.status_code in statuses, (route.path, response.status_code, response.text[:300])
        problem_of(response, response.status_code)


def texts_of(route: Route) -> list[str]:
    """The fields that take any text."""
    return [
        name
        for name in route.fields
        if name.endswith(("_name", "_desc", "description", "reason", "prompt", "username"))
    ]


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_text_is_stored_as_it_came_or_refused_by_name(owner: Api, name: str) -> None:
    text = TEXTS[name]
    for route in WRITES:
        for field in texts_of(route):
            response = owner.call(route.method, paths(route), json={field: text})
            assert response.status_code in (200, 404, 422), (route.path, field, response.text[:300])
            if response.status_code == 200 and field in response.json():
                assert response.json()[field] == text
            assert "x-injected" not in response.headers


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_text_in_query_path_and_headers_is_no_defect(owner: Api, name: str) -> None:
    text = TEXTS[name]
    for path in ("/account/team/", "/chat/", "/result/"):
        refused = problem_of(owner.call("GET", path, params={"cursor": text}), 422)
        assert refused["errors"][0]["field"] == "cursor"
        problem_of(owner.call("GET", path, params={text: "1"}), 422)
    for route in OWNERS:
        if route.parameters and route.method == GET:
            odd = "%2e%2e%00" if name == "controls" else f"x{name}"
            path = route.path.format(**dict.fromkeys(route.parameters, odd))
            assert owner.call("GET", path).status_code in (404, 422), path
    printable = bytes(byte for byte in text.encode() if byte >= 0x20 and byte != 0x7F)
    for header in (
        b"Idempotency-Key",
        b"Prefer",
        b"X-Request-Id",
        b"traceparent",
        b"Last-Event-ID",
        b"Origin",
        b"Accept",
    ):
        sent = {b"Authorization": owner.headers["Authorization"].encode(), header: printable}
        response = owner.client.request("POST", "/account/team/", headers=sent, json={"team_name": "a"})
        assert response.status_code in (200, 422), (header, response.text[:300])


def test_what_is_another_tenants_is_not_there_for_any_call(owner: Api, tenant: Tenant) -> None:
    """With the other's own UUIDs in the path: as if they were made up."""
    message = tenant.ask("How many employees are there?")
    theirs = tenant.objects | {
        "chat_uuid": message["chat_uuid"],
        "msg_uuid": message["msg_uuid"],
        "parent_msg_uuid": message["msg_uuid"],
        "result_uuid": message["result_uuid"],
        "tbl_uuid": tenant.user.get(f"/connection/database/{tenant.objects['db_uuid']}/table/")["data"][0]["tbl_uuid"],
    }
    looked_at = 0
    for route in OWNERS:
        if not set(route.parameters) & theirs.keys():
            continue
        named = {name: theirs.get(name, str(uuid4())) for name in route.parameters}
        answers = []
        for values in (named, {name: str(uuid4()) for name in route.parameters}):
            response = owner.call(route.method, route.path.format(**values), json=right(route, theirs))
            answers.append((response.status_code, told(response.json(), values)))
        assert answers[0] == answers[1], route.path
        looked_at += answers[0][0] == 404
    assert looked_at > 20
    assert tenant.user.get(f"/chat/message/{message['msg_uuid']}/")["msg_uuid"] == message["msg_uuid"]


def right(route: Route, objects: dict[str, str]) -> dict[str, Any] | None:
    """A body that is right, for the calls that need one."""
    bodies: dict[str, dict[str, Any]] = {
        "chat.message.ask": {"prompt": "hi"},
        "chat.message.judge": {"thumbs_up": True},
        "connection.grant.add": {"team_uuids": [objects["team_uuid"]]},
    }
    assert bodies.keys() <= {one.operation.name for one in ROUTES}
    return bodies.get(route.operation.name, {}) if route.method not in (GET, DELETE) else None


def told(body: dict[str, Any], values: dict[str, str]) -> str:
    """What the answer says, without what differs by nature."""
    text = json.dumps({name: value for name, value in body.items() if name != "request_id"}, sort_keys=True)
    for value in values.values():
        text = text.replace(value, "…")
    return text
