"""Every error has a status, and its document tells what it should and nothing more."""

import json

import pytest

from basejump_common.errors import (
    BasejumpError,
    FieldError,
    Forbidden,
    Internal,
    InvalidInput,
    NotFound,
    NotProved,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    all_errors,
)
from basejump_gateway.problems import STATUS, MethodNotAllowed, problem, response


def test_every_error_has_a_row() -> None:
    assert set(STATUS) == set(all_errors())


def test_a_status_never_says_success() -> None:
    assert all(400 <= status < 600 for status, _ in STATUS.values())


@pytest.mark.parametrize("kind", STATUS, ids=lambda kind: kind.code)
def test_a_document_has_all_its_members(kind: type[BasejumpError]) -> None:
    details = {"allow": "GET"} if kind is MethodNotAllowed else {}
    answer = response(kind("what happened", details=details), "id-1")
    body = json.loads(answer.content)
    assert answer.media_type == "application/problem+json"
    assert body["status"] == answer.status_code == STATUS[kind][0]
    assert body["code"] == kind.code
    assert body["type"] == f"urn:basejump:error:{kind.code}"
    assert body["title"]
    assert body["request_id"] == "id-1"
    assert body["errors"] == []
    assert (body["detail"] == "what happened") is (kind is not Internal)


def test_the_fields_that_are_wrong_are_listed() -> None:
    found = problem(InvalidInput.field("schemas[0].schema_nm", "is required"), "id")
    assert found.errors == (FieldError(field="schemas[0].schema_nm", message="is required"),)


def test_details_are_passed_on() -> None:
    assert problem(NotProved("no", details={"code": "unknown_column"}), "id").details == {"code": "unknown_column"}


def test_an_internal_error_tells_nothing() -> None:
    error = Internal("password=hunter2", details={"a": 1}, errors=(FieldError(field="x", message="y"),))
    assert b"hunter2" not in response(error, "id").content
    assert json.loads(response(error, "id").content).keys() >= {"request_id"}
    assert "details" not in json.loads(response(error, "id").content)


def test_an_error_without_a_row_is_internal() -> None:
    assert problem(BasejumpError("x"), "id").status == 500


def test_the_headers_that_a_status_calls_for() -> None:
    assert response(Unauthenticated("x"), "id").headers["www-authenticate"] == 'Bearer realm="basejump"'
    assert response(Unavailable("x"), "id").headers["retry-after"] == "1"
    assert response(TooManyRequests("x", retry_after=2.3), "id").headers["retry-after"] == "3"
    assert response(MethodNotAllowed("x", details={"allow": "GET"}), "id").headers["allow"] == "GET"
    assert "retry-after" not in response(NotFound("x"), "id").headers
    assert "www-authenticate" not in response(Forbidden("x"), "id").headers
