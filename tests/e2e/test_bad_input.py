"""Bad input gets a problem document that names the field; a bad credential a 401; nothing is stored."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from rest import Api, Tenant, demo_database

JSON = {"Content-Type": "application/json"}


def problem(response: Any, status: int, field: str | None = None) -> dict[str, Any]:
    """The problem document, which every failed call answers."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    body: dict[str, Any] = response.json()
    assert body["detail"]
    assert body["status"] == status
    assert body["request_id"] == response.headers["x-request-id"]
    if field is not None:
        assert field in [error["field"] for error in body["errors"]], body
    return body


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        pytest.param(b'{"database_type": ', JSON, 422, id="malformed"),
        pytest.param(b'{"host": "\xff\xfe"}', JSON, 422, id="not UTF-8"),
        pytest.param(b"[1, 2]", JSON, 422, id="not an object"),
        pytest.param(b"a=b", {"Content-Type": "application/x-www-form-urlencoded"}, 415, id="a form"),
        pytest.param(b"[" * 100_000, JSON, 422, id="deep"),
        pytest.param(b'{"host": "' + b"x" * 3_000_000 + b'"}', JSON, 413, id="3 MB"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(
    tenant: Tenant, content: bytes, headers: dict[str, str], status: int
) -> None:
    response = tenant.user.call("POST", "/connection/database/", content=content, headers=headers)
    problem(response, status)


DATABASE_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"unknown": 1}, "unknown"),
    ({"schemas": [{"schema_nm": "hr_demo_db", "foo": 1}]}, "schemas[0].foo"),
    ({"database_type": "dbase"}, "database_type"),
    ({"host": 7}, "host"),
    ({"host": "a\u0000b"}, "host"),
    ({"port": 70_000}, "port"),
    ({"port": "many"}, "port"),
    ({"ssl_mode": "prefer"}, "ssl_mode"),
    ({"ssl": False}, "ssl"),
    ({"ssl_mode": "verify-full"}, "ssl_root_cert"),
    ({"ssl_mode": "verify-ca", "ssl_root_cert": "no certificate"}, "ssl_root_cert"),
    ({"query": {"options": "-c statement_timeout=0"}}, "query.options"),
    ({"schemas": [{"schema_nm": "hr{{region"}]}, "schemas[0].schema_nm"),
    ({"schemas": [{"schema_nm": "hr{{region}}"}]}, "schemas[0].jinja_values"),
    ({"schemas": [{"schema_nm": "hr demo"}]}, "schemas[0].schema_nm"),
    ({"schemas": []}, "schemas"),
    ({"username": "x" * 10_000}, "username"),
]


@pytest.mark.parametrize(("change", "field"), DATABASE_FIELDS, ids=[f"{c}"[:40] for c, _ in DATABASE_FIELDS])
def test_a_database_field_that_is_wrong_is_named(
    tenant: Tenant, stack: dict[str, str], change: dict[str, Any], field: str
) -> None:
    before = databases(tenant)
    for path in ("/connection/database/test/", "/connection/database/"):
        problem(tenant.user.call("POST", path, json=demo_database(stack) | change), 422, field)
    assert databases(tenant) == before


def databases(tenant: Tenant) -> list[str]:
    """The uuids of the client's databases."""
    return [row["db_uuid"] for row in tenant.user.get("/connection/database/", params={"limit": 200})["data"]]


def test_a_missing_field_is_named(tenant: Tenant, stack: dict[str, str]) -> None:
    body = demo_database(stack)
    del body["host"]
    problem(tenant.user.call("POST", "/connection/database/", json=body), 422, "host")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"port": 1}, "database_unreachable"),
        ({"host": "no-such-host.invalid"}, "database_unreachable"),
        ({"username": "nobody_here"}, "login_refused"),
        ({"password": "wrong"}, "login_refused"),
        ({"database_name": "no_such_database"}, "database_missing"),
        ({"schemas": [{"schema_nm": "no_such_schema"}]}, "schema_missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value)[:40],
)
def test_a_database_that_can_not_be_used_is_told_apart_and_not_stored(
    tenant: Tenant, stack: dict[str, str], change: dict[str, Any], code: str
) -> None:
    before = databases(tenant)
    for path in ("/connection/database/test/", "/connection/database/"):
        body = problem(tenant.user.call("POST", path, json=demo_database(stack) | change), 422)
        assert body["code"] == code, body
    assert databases(tenant) == before


def test_a_database_without_tls_is_refused(tenant: Tenant, stack: dict[str, str], plain_postgres: int) -> None:
    body = demo_database(stack) | {"port": plain_postgres}
    assert problem(tenant.user.call("POST", "/connection/database/", json=body), 422)["code"] == "tls_refused"


def test_a_certificate_of_another_authority_is_refused(
    tenant: Tenant, stack: dict[str, str], other_authority: str
) -> None:
    body = demo_database(stack) | {"ssl_mode": "verify-full", "ssl_root_cert": other_authority}
    assert problem(tenant.user.call("POST", "/connection/database/", json=body), 422)["code"] == "tls_refused"


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_the_right_certificate_is_accepted(tenant: Tenant, stack: dict[str, str], mode: str) -> None:
    authority = Path(stack["DEMO_DB_CA"]).read_text()
    body = demo_database(stack) | {"ssl_mode": mode, "ssl_root_cert": authority, "host": "localhost"}
    tenant.user.post("/connection/database/test/", json=body)


@pytest.mark.parametrize(
    ("method", "path", "arguments", "field"),
    [
        ("POST", "/account/user/", {"params": {"username": "a", "role": "KING"}}, "role"),
        ("POST", "/account/user/", {"params": {"role": "MEMBER"}}, "username"),
        ("POST", "/account/user/", {"params": {"username": "a", "colour": "red"}}, "colour"),
        ("POST", "/account/user/", {"params": {"username": "a\u0000"}}, "username"),
        ("POST", "/account/user/", {"params": {"username": "a"}, "json": {"username": "b"}}, "username"),
        ("POST", "/account/team/", {"params": {"team_name": ""}}, "team_name"),
        ("POST", "/account/team/", {"params": {"team_name": "x" * 10_000}}, "team_name"),
        ("GET", "/account/team/", {"params": {"limit": "201"}}, "limit"),
        ("GET", "/account/team/", {"params": {"limit": "few"}}, "limit"),
        ("GET", "/account/team/", {"params": {"cursor": "not-a-cursor"}}, "cursor"),
        ("GET", "/account/team/not-a-uuid/", {}, "team_uuid"),
        ("POST", "/chat/team/123/", {}, "team_uuid"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(
    tenant: Tenant, method: str, path: str, arguments: dict[str, Any], field: str
) -> None:
    problem(tenant.user.call(method, path, **arguments), 422, field)


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "prompt"), ({"prompt": ""}, "prompt"), ({"prompt": "x" * 5_000}, "prompt"), ({"prompt": "\u0000"}, "prompt")],
    ids=["missing", "empty", "too long", "NUL"],
)
def test_a_question_that_is_wrong_is_refused_before_it_is_stored(
    tenant: Tenant, body: dict[str, Any], field: str
) -> None:
    chat = tenant.user.post(f"/chat/team/{tenant.objects['team_uuid']}/")["chat_uuid"]
    problem(tenant.user.call("POST", f"/chat/{chat}/message/", json=body), 422, field)
    assert tenant.user.get(f"/chat/{chat}/message/")["data"] == []


@pytest.mark.parametrize("credential", ["none", "secret", "token", "both wrong"])
def test_a_credential_that_is_not_good_is_401(api: Api, credential: str) -> None:
    caller = {
        "none": api,
        "secret": api.with_secret("bj_dev_nothing"),
        "token": api.with_token("nothing"),
        "both wrong": Api(api.client, {"client-secret": "x", "Authorization": "Basic eDp5"}),
    }[credential]
    response = caller.call("GET", "/account/team/")
    problem(response, 401)
    assert response.headers["www-authenticate"]


def test_the_checks_come_in_the_order_401_403_422_404(api: Api, tenant: Tenant) -> None:
    path, nonsense = f"/account/user/{uuid4()}/team/not-a-uuid/", {"x": 1}
    assert api.call("POST", path, json=nonsense).status_code == 401
    member = Tenant.enter(api, tenant.secret.headers["client-secret"], role="MEMBER").user
    assert member.call("POST", path, json=nonsense).status_code == 403
    assert tenant.user.call("POST", path, json=nonsense).status_code == 422
    assert tenant.user.call("POST", f"/account/user/{uuid4()}/team/{uuid4()}/").status_code == 404


def test_what_is_not_there_is_a_problem_too(api: Api, tenant: Tenant) -> None:
    problem(tenant.user.call("GET", "/no/such/path/"), 404)
    response = tenant.user.call("PATCH", "/account/team/")
    problem(response, 405)
    assert "GET" in response.headers["allow"]
