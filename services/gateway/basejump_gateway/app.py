"""The HTTP application: routes, reference, health, and how errors become answers."""

import logging
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files

from litestar import Litestar, Response, get
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler

from basejump_common.errors import BasejumpError, Internal, Unavailable
from basejump_gateway import problems
from basejump_gateway.edge import exchange_of
from basejump_gateway.endpoints import AnyRequest, Endpoints
from basejump_gateway.openapi import document
from basejump_gateway.versions import Served, Version

log = logging.getLogger("basejump.gateway")

OPENAPI_PATH = "/api/openapi.json"
REFERENCE_PATH = "/api/api-reference"

_REFERENCE = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/reference.js": ("reference.js", "text/javascript; charset=utf-8"),
    "/reference.css": ("reference.css", "text/css; charset=utf-8"),
}
_ONLY_OURS = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def application(endpoints: Endpoints, served: Served, ready: Callable[[], bool]) -> Litestar:
    """The application, all its parts given. `ready` says whether requests can be served just now."""
    return Litestar(
        route_handlers=[
            # First: Litestar gives a path without a handler of OPTIONS one of its own.
            *(endpoints.preflight(path, methods) for path, methods in _methods(served.versions).items()),
            *(
                endpoints.handler(route, version, served.farewell(version, route))
                for version in served.versions
                for route in version.routes
            ),
            *_reference(document(served)),
            *_health(ready),
        ],
        exception_handlers={
            BasejumpError: _problem,
            HTTPException: _refused_by_router,
            Exception: _unexpected,
        },
        openapi_config=None,
        logging_config=None,
    )


def _methods(versions: Iterable[Version]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for version in versions:
        for route in version.routes:
            found.setdefault(version.prefix + route.path, []).append(route.method)
    return found


def _problem(request: AnyRequest, error: BasejumpError) -> Response[bytes]:
    if isinstance(error, Internal):
        log.error("a service failed: %s", error.message, extra={"request_id": exchange_of(request.scope).request_id})
    return problems.response(error, exchange_of(request.scope).request_id)


def _refused_by_router(request: AnyRequest, error: HTTPException) -> Response[bytes]:
    return _problem(request, problems.from_framework(error))


def _unexpected(request: AnyRequest, error: Exception) -> Response[bytes]:
    request_id = exchange_of(request.scope).request_id
    log.error("unexpected failure", exc_info=error, extra={"request_id": request_id})
    return problems.response(Internal("unexpected"), request_id)


def _reference(openapi: bytes) -> list[HTTPRouteHandler]:
    folder = files("basejump_gateway") / "reference"
    page = {path: ((folder / name).read_bytes(), kind) for path, (name, kind) in _REFERENCE.items()}
    guarded = {"content-security-policy": _ONLY_OURS, "x-content-type-options": "nosniff"}
    return [
        _static(OPENAPI_PATH, openapi, "application/json", {}),
        *(_static(REFERENCE_PATH + path, content, kind, guarded) for path, (content, kind) in page.items()),
    ]


def _static(path: str, content: bytes, media_type: str, headers: Mapping[str, str]) -> HTTPRouteHandler:
    @get(path, sync_to_thread=False)
    def serve() -> Response[bytes]:
        return Response(content, media_type=media_type, headers=dict(headers))

    return serve


def _health(ready: Callable[[], bool]) -> list[HTTPRouteHandler]:
    @get("/health/live", sync_to_thread=False)
    def live() -> Response[dict[str, str]]:
        """The process answers; what it depends on is none of this probe's business."""
        return Response({"status": "live"})

    @get("/health/ready", sync_to_thread=False)
    def is_ready() -> Response[dict[str, str]]:
        if not ready():
            raise Unavailable("not ready", retry_after=1.0)
        return Response({"status": "ready"})

    return [live, is_ready]
