"""Errors as HTTP answers: one table from error class to status, and RFC 9457 problem documents."""

import math
from typing import Any

import msgspec
from litestar import Response
from litestar.exceptions import HTTPException
from msgspec import UNSET, UnsetType

from basejump_common import errors
from basejump_common.errors import BasejumpError, FieldError


class BadRequest(BasejumpError):
    """What came is no HTTP, or its line and headers are too long."""

    code = "bad_request"


class UnsupportedMediaType(errors.InvalidInput):
    """The body is not sent as JSON."""

    code = "unsupported_media_type"


class MethodNotAllowed(BasejumpError):
    """The path exists, the method does not; `details["allow"]` lists those that do."""

    code = "method_not_allowed"


STATUS: dict[type[BasejumpError], tuple[int, str]] = {
    BadRequest: (400, "Bad request"),
    errors.InvalidInput: (422, "Invalid input"),
    errors.HostForbidden: (422, "Host forbidden"),
    errors.DatabaseUnreachable: (422, "Database unreachable"),
    errors.TlsRefused: (422, "TLS refused"),
    errors.LoginRefused: (422, "Login refused"),
    errors.DatabaseMissing: (422, "Database missing"),
    errors.SchemaMissing: (422, "Schema missing"),
    errors.StorageUnreachable: (422, "Storage unreachable"),
    errors.StorageRefused: (422, "Storage refused"),
    errors.BucketMissing: (422, "Bucket missing"),
    errors.NotProved: (422, "Not proved"),
    errors.ValuesMissing: (422, "Values missing"),
    errors.EstimateTooHigh: (422, "Estimate too high"),
    errors.QueryFailed: (422, "Query failed"),
    errors.ResultTooLarge: (422, "Result too large"),
    errors.Unauthenticated: (401, "Unauthenticated"),
    errors.Forbidden: (403, "Forbidden"),
    errors.NotFound: (404, "Not found"),
    MethodNotAllowed: (405, "Method not allowed"),
    errors.Conflict: (409, "Conflict"),
    errors.Canceled: (409, "Canceled"),
    errors.TooLarge: (413, "Too large"),
    UnsupportedMediaType: (415, "Unsupported media type"),
    errors.TooManyRequests: (429, "Too many requests"),
    errors.TooManyStatements: (429, "Too many statements"),
    errors.Internal: (500, "Internal error"),
    errors.Unavailable: (503, "Unavailable"),
    errors.StorageAway: (503, "Storage away"),
    errors.DeadlineExceeded: (504, "Deadline exceeded"),
    errors.StatementTimeout: (504, "Statement timeout"),
}
"""Every error class has its own row; a test walks them all."""

MEDIA_TYPE = "application/problem+json"
_RETRY_STATUSES = (429, 503)
_OUR_FAULT = "something went wrong on our side; report it with the request id"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A problem document (RFC 9457). `errors` names the fields that are wrong; `details` holds facts for programs."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: tuple[FieldError, ...] = ()
    details: dict[str, Any] | UnsetType = UNSET


def problem(error: BasejumpError, request_id: str) -> Problem:
    """The document for an error. An internal one tells the request id and nothing else."""
    kind = type(error) if type(error) in STATUS else errors.Internal
    status, title = STATUS[kind]
    ours = kind is errors.Internal
    return Problem(
        type=f"urn:basejump:error:{kind.code}",
        title=title,
        status=status,
        detail=_OUR_FAULT if ours else error.message or title,
        code=kind.code,
        request_id=request_id,
        errors=() if ours else error.errors,
        details=UNSET if ours or not error.details else error.details,
    )


def response(error: BasejumpError, request_id: str) -> Response[bytes]:
    """The whole answer, with the headers that its status calls for."""
    document = problem(error, request_id)
    return Response(
        msgspec.json.encode(document),
        status_code=document.status,
        media_type=MEDIA_TYPE,
        headers=_headers(error, document.status),
    )


def _headers(error: BasejumpError, status: int) -> dict[str, str]:
    if status == 401:
        return {"www-authenticate": 'Bearer realm="basejump"'}
    if status == 405:
        return {"allow": error.details["allow"]}
    if status in _RETRY_STATUSES:
        return {"retry-after": str(max(1, math.ceil(error.retry_after or 1)))}
    return {}


def from_framework(error: HTTPException) -> BasejumpError:
    """What the router refuses, in our words."""
    if error.status_code == 404:
        return errors.NotFound("there is no such path")
    if error.status_code == 405:
        allowed = (error.headers or {}).get("allow", "")
        return MethodNotAllowed(f"this path takes {allowed}", details={"allow": allowed})
    if error.status_code < 500:
        return errors.InvalidInput(error.detail)
    return errors.Internal(error.detail)
