"""Paths, bodies, errors, ids and logs."""

import logging
import re
import time
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpx
import pytest

from basejump_common.security.principal import Role
from basejump_common.security.tokens import Signer
from gateway_backend import Account, bearer, problem_of, token


async def test_a_call_goes_to_its_service_and_the_reply_comes_back(api: httpx.AsyncClient, signer: Signer) -> None:
    response = await api.post("/api/v1/account/team/", params={"team_name": "analysts"}, headers=bearer(token(signer)))
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json()["team_name"] == "analysts"


async def test_an_empty_json_body_is_an_empty_object(api: httpx.AsyncClient, signer: Signer) -> None:
    headers = bearer(token(signer), **{"Content-Type": "application/json"})
    response = await api.post("/api/v1/account/team/?team_name=a", headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/auth/jwks", "/api/v1/auth/jwks/", "/api/v1/auth//jwks/"])
async def test_slashes_are_tolerated(api: httpx.AsyncClient, path: str) -> None:
    assert (await api.get(path)).json() == {"keys": []}


@pytest.mark.parametrize("path", ["/api/v1/auth/access_token/", "/api/v1/auth/access-token/"])
async def test_a_path_is_spelled_with_dashes_or_underscores(api: httpx.AsyncClient, path: str) -> None:
    problem_of(await api.post(path), 401)


async def test_an_unknown_path_is_404_and_a_wrong_method_405(api: httpx.AsyncClient) -> None:
    problem_of(await api.get("/api/v1/nowhere/"), 404)
    problem_of(await api.get("/"), 404)
    response = await api.patch("/api/v1/account/team/")
    problem_of(response, 405)
    assert set(response.headers["allow"].split(", ")) >= {"GET", "POST"}


async def test_checks_come_in_order(api: httpx.AsyncClient, signer: Signer) -> None:
    url = "/api/v1/account/team/"
    wrong = {"nonsense": "1"}
    member = bearer(token(signer, Role.MEMBER))
    admin = bearer(token(signer))
    assert problem_of(await api.post(url, params=wrong), 401)["code"] == "unauthenticated"
    assert problem_of(await api.post(url, params=wrong, headers=member), 403)["code"] == "forbidden"
    found = problem_of(await api.post(url, params=wrong, headers=admin), 422)
    assert {error["field"] for error in found["errors"]} == {"nonsense", "team_name"}
    problem_of(await api.get(f"{url}{uuid4()}/", headers=admin), 404)


async def test_an_error_of_a_service_becomes_its_problem(api: httpx.AsyncClient, signer: Signer) -> None:
    headers = bearer(token(signer))
    conflict = await api.post("/api/v1/account/team/?team_name=conflict", headers=headers)
    assert problem_of(conflict, 409)["detail"] == "taken"
    defect = await api.post("/api/v1/account/team/?team_name=defect", headers=headers)
    assert problem_of(defect, 500)["code"] == "internal"
    assert "hunter2" not in defect.text


async def test_a_service_that_nobody_answers_for_is_503_at_once(api: httpx.AsyncClient, signer: Signer) -> None:
    started = time.perf_counter()
    response = await api.get("/api/v1/connection/database/", headers=bearer(token(signer)))
    assert problem_of(response, 503)["code"] == "unavailable"
    assert int(response.headers["retry-after"]) >= 1
    assert time.perf_counter() - started < 1


async def test_a_wrong_content_type_is_415(api: httpx.AsyncClient, signer: Signer) -> None:
    url = "/api/v1/account/team/"
    for kind in ("text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"):
        headers = bearer(token(signer), **{"Content-Type": kind})
        problem_of(await api.post(url, content=b'{"team_name": "a"}', headers=headers), 415)
    headers = bearer(token(signer), **{"Content-Type": "Application/JSON; charset=utf-8"})
    assert (await api.post(url, content=b'{"team_name": "a"}', headers=headers)).status_code == 200


@pytest.mark.parametrize("body", [b"{", b'{"team_name": "\xff"}', b"[]", b'{"team_name": "\\u0000"}'])
async def test_a_malformed_body_is_422(api: httpx.AsyncClient, signer: Signer, body: bytes) -> None:
    headers = bearer(token(signer), **{"Content-Type": "application/json"})
    found = problem_of(await api.post("/api/v1/account/team/", content=body, headers=headers), 422)
    assert found["errors"][0]["field"] in ("body", "team_name")


async def test_an_oversized_body_is_413_announced_or_streamed(api: httpx.AsyncClient, signer: Signer) -> None:
    headers = bearer(token(signer), **{"Content-Type": "application/json"})
    url = "/api/v1/account/team/"
    problem_of(await api.post(url, content=b" " * 1_100_000, headers=headers), 413)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 65_536

    problem_of(await api.post(url, content=chunks(), headers=headers), 413)


async def test_a_body_just_within_the_limit_reaches_the_service(api: httpx.AsyncClient, signer: Signer) -> None:
    body = b'{"team_name": "a"}'.ljust(1_032_192)
    headers = bearer(token(signer), **{"Content-Type": "application/json"})
    assert (await api.post("/api/v1/account/team/", content=body, headers=headers)).status_code == 200


async def test_a_request_id_and_a_trace_are_kept(
    api: httpx.AsyncClient, signer: Signer, account_service: Account
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = bearer(token(signer), **{"X-Request-Id": "mine-1", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    response = await api.post("/api/v1/account/team/?team_name=a", headers=headers)
    assert response.headers["x-request-id"] == "mine-1"
    seen = account_service.contexts[-1]
    assert seen.request_id == "mine-1"
    assert seen.traceparent.split("-")[1] == trace
    assert seen.traceparent.split("-")[2] != "00f067aa0ba902b7"


@pytest.mark.parametrize("given", ["has space", "x" * 200, 'quo"te', ""])
async def test_a_strange_request_id_is_replaced(api: httpx.AsyncClient, given: str) -> None:
    response = await api.get("/health/live", headers={"X-Request-Id": given})
    UUID(response.headers["x-request-id"])


async def test_the_access_log_tells_the_route_and_no_values(
    api: httpx.AsyncClient, signer: Signer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="basejump.gateway")
    secret = token(signer)
    await api.get(f"/api/v1/account/team/{uuid4()}/?planted=value-in-query", headers=bearer(secret))
    await api.get("/api/v1/value-in-path/")
    lines = [vars(record) for record in caplog.records if record.name == "basejump.gateway"]
    assert [line["route"] for line in lines] == ["/api/v1/account/team/{team_uuid}", ""]
    assert [line["status"] for line in lines] == [422, 404]
    assert all(line["ms"] > 0 and line["method"] == "GET" and line["request_id"] for line in lines)
    assert not any(planted in str(line) for line in lines for planted in ("value-in", secret))


# -- the reference ------------------------------------------------------------------------------------------------


async def test_the_document_and_the_reference_are_public(api: httpx.AsyncClient) -> None:
    document = await api.get("/api/openapi.json")
    assert document.json()["openapi"] == "3.1.0"
    page = await api.get("/api/api-reference/")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for path in re.findall(r'(?:src|href)="(/[^"]+)"', page.text):
        assert (await api.get(path)).status_code == 200


async def test_the_documented_calls_are_the_served_ones(api: httpx.AsyncClient) -> None:
    for path, methods in (await api.get("/api/openapi.json")).json()["paths"].items():
        filled = re.sub(r"\{\w+\}", str(uuid4()), path)
        for method in ("GET", "POST", "PUT", "DELETE"):
            status = (await api.request(method, filled)).status_code
            assert (status != 405) is (method.lower() in methods), (method, path, status)
            assert status in (200, 401, 405), (method, path, status)


async def test_an_idempotency_key_is_bounded_and_reaches_the_service_alone(
    api: httpx.AsyncClient, signer: Signer, account_service: Account
) -> None:
    async def create_team(key: bytes) -> httpx.Response:
        headers = {b"Authorization": f"Bearer {token(signer)}".encode(), b"Idempotency-Key": key}
        return await api.post("/api/v1/account/team/", params={"team_name": "a"}, headers=headers)

    for key in (b"", b"x" * 256, "caf\u00e9".encode()):
        assert problem_of(await create_team(key), 422)["errors"][0]["field"] == "Idempotency-Key"
    assert (await create_team(b"x" * 255)).status_code == 200
    assert account_service.contexts[-1].idempotency_key is None, "what follows from a call has no key"
