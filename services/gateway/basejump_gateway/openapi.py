"""The OpenAPI 3.1 document, from the routes and the contracts."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import inspect

from basejump_common.contracts.chat import Message
from basejump_common.contracts.operation import Allow
from basejump_common.contracts.wire import schema_custom
from basejump_common.errors import (
    BasejumpError,
    Conflict,
    DeadlineExceeded,
    Forbidden,
    Internal,
    InvalidInput,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from basejump_common.security.principal import Credential
from basejump_gateway import events, problems
from basejump_gateway.events import StreamEnd, StreamGap
from basejump_gateway.examples import example
from basejump_gateway.problems import STATUS, BadRequest, Problem, UnsupportedMediaType
from basejump_gateway.routes import POST, Route
from basejump_gateway.versions import Served

Json = dict[str, Any]

_TAGS = {
    "auth": "Tokens and the keys that verify them.",
    "account": "Clients, their secrets, users and teams.",
    "connection": "Databases, the logins to them, who may use which, and what was indexed.",
    "chat": "Questions and answers.",
    "result": "What answers rest on.",
}
_SCHEMES: dict[Credential, tuple[str, Json]] = {
    Credential.CLIENT_SECRET: (
        "clientSecret",
        {"type": "apiKey", "in": "header", "name": "client-secret", "description": "A client secret (API key)."},
    ),
    Credential.REFRESH: (
        "refreshToken",
        {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "Only to get access tokens."},
    ),
    Credential.ACCESS: (
        "accessToken",
        {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "Lives 15 minutes."},
    ),
}
_INTRODUCTION = """Chat with databases: every answer rests on SQL that was proved against the indexed schema.

Successful calls answer 200. Unknown fields are refused with 422, which names them. A query parameter may come in the
JSON body instead; an empty body is `{}`. Paths take underscores for dashes. Lists are
`{"data": […], "next_cursor": … or null}`. Errors are problem documents (RFC 9457). Every answer carries
`X-Request-Id`; one that you send is kept.
"""
_PREFER: Json = {
    "name": "Prefer",
    "in": "header",
    "description": "`wait=N`: seconds to wait for the final message before the `initial` one is answered.",
    "schema": {"type": "string", "examples": ["wait=60"]},
}

_LAST_EVENT_ID: Json = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The last id that was received: the messages after it come first. Counts before `last_event_id`.",
    "schema": {"type": "string", "examples": ["1042"]},
}
_EVENTS = """Server-sent events. The data of each is a message; its id, sent as `Last-Event-ID`, resumes a chat's
stream after it. An event without data moves the id alone. Before a stream ends for another reason than its final
message comes an event `end` with a StreamEnd; where messages may be gone comes an event `gap` with a StreamGap."""

_IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "For a day the same key with the same request has one effect and gets the first answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}
_HEADERS: Json = {
    "X-Request-Id": {"description": "Names this request in logs.", "schema": {"type": "string"}},
    "RateLimit-Policy": {
        "description": "The limits that hold: `q` calls in `w` seconds for each of `key`, `client` or `address`.",
        "schema": {"type": "string", "examples": ['"key";q=6000;w=60, "client";q=60000;w=60']},
    },
    "RateLimit": {
        "description": "Of each limit: `r` calls are left, and all of it is back in `t` seconds.",
        "schema": {"type": "string", "examples": ['"key";r=5990;t=42, "client";r=59400;t=17']},
    },
    "Content-Disposition": {"description": "The name of the file.", "schema": {"type": "string"}},
    "X-Row-Count": {"description": "How many rows the file has.", "schema": {"type": "integer", "minimum": 0}},
    "X-Truncated": {"description": "Whether the row cap cut the result.", "schema": {"enum": ["true", "false"]}},
    "Retry-After": {"description": "Seconds after which to come again.", "schema": {"type": "integer", "minimum": 1}},
    "Deprecation": {"description": "Since when (RFC 9745), @ and seconds.", "schema": {"type": "string"}},
    "Sunset": {"description": "When the version may end (RFC 8594).", "schema": {"type": "string"}},
    "Link": {"description": "What follows, `successor-version`, and why, `deprecation`.", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "How to show a credential.", "schema": {"type": "string"}},
}
_RETIRED = ("Deprecation", "Sunset", "Link")
_REQUEST_ID = "6d0f2c1e-0b7b-4c3f-9a55-7d0f6f5f8f11"
_OF_FILES = ("Content-Disposition", "X-Row-Count", "X-Truncated")
_CARRIED = ("X-Request-Id", "RateLimit-Policy", "RateLimit")
_MORE_CARRIED = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}


def document(served: Served) -> bytes:
    """The document of all versions as JSON bytes, the same every time."""
    routes = tuple(route for version in served.versions for route in version.routes)
    references, schemas = _schemas(routes)
    paths: Json = {}
    for version in served.versions:
        for route in version.routes:
            described = _operation(route, references, schemas)
            if served.retired(version):
                described |= {"deprecated": True, "operationId": f"{version.name}.{route.operation.name}"}
                described["responses"]["200"]["headers"] |= _references(_RETIRED)
            paths.setdefault(version.prefix + route.path, {})[route.method.lower()] = described
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Basejump",
                "version": served.versions[-1].name.removeprefix("v"),
                "description": _INTRODUCTION,
            },
            "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
            "paths": paths,
            "components": {
                "schemas": schemas,
                "responses": _refusals(routes, references[Problem]),
                "securitySchemes": dict(_SCHEMES.values()),
                "headers": _HEADERS,
            },
        }
    )


def _schemas(routes: tuple[Route, ...]) -> tuple[dict[type, Json], Json]:
    """Where each struct's schema is, and all schemas by name."""
    takes = [route.operation.takes for route in routes]
    gives = [route.operation.gives for route in routes if not route.media_type]
    kinds: list[type] = list(dict.fromkeys([*takes, *gives, StreamEnd, StreamGap, Problem]))
    found, components = msgspec.json.schema_components(
        kinds, schema_hook=schema_custom, ref_template="#/components/schemas/{name}"
    )
    _mark_times(kinds, components)
    return dict(zip(kinds, found, strict=True)), dict(components)


def _mark_times(kinds: list[type], schemas: Json) -> None:
    """Times are RFC 3339; msgspec says so only of fields that demand a zone, and what we answer always has one."""
    structs: set[type] = set()
    pending: list[inspect.Type] = [inspect.type_info(kind) for kind in kinds]
    while pending:
        found = pending.pop()
        pending += getattr(found, "types", getattr(found, "item_types", ()))
        pending += [getattr(found, inner) for inner in ("item_type", "value_type", "type") if hasattr(found, inner)]
        if not isinstance(found, inspect.StructType) or found.cls in structs:
            continue
        structs.add(found.cls)
        for field in found.fields:
            pending.append(field.type)
            if inspect.DateTimeType in {type(found) for found in getattr(field.type, "types", (field.type,))}:
                schema = schemas[found.cls.__name__]["properties"][field.encode_name]
                for part in (schema, *schema.get("anyOf", ())):
                    part.update({"format": "date-time"} if part.get("type") == "string" else {})


def _operation(route: Route, references: dict[type, Json], schemas: Json) -> Json:
    operation = route.operation
    request = schemas[_name(references[operation.takes])]
    described: Json = {
        "operationId": operation.name,
        "tags": [route.path.split("/")[1]],
        "summary": route.summary,
        "description": _text(operation.takes),
        "parameters": _parameters(route, request),
        "security": [*_security(operation.access), *([{}] if route.streams else [])],  # {}: a ticket instead
        "responses": _responses(route, references),
    }
    if route.sent:
        described["requestBody"] = _body(route, references[operation.takes], request)
    return described


def _name(reference: Json) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _text(kind: type) -> str:
    """The docstring on as few lines as it has paragraphs."""
    return "\n\n".join(" ".join(part.split()) for part in (kind.__doc__ or "").split("\n\n"))


def _parameters(route: Route, request: Json) -> list[Json]:
    required = request.get("required", ())
    properties = request["properties"]
    path = [{"name": name, "in": "path", "required": True, "schema": properties[name]} for name in route.parameters]
    query = [
        {"name": name, "in": "query", "required": name in required, "schema": properties[name]}
        for name in route.queried
    ]
    headers = ((route.method == POST, _IDEMPOTENCY_KEY), (route.waits, _PREFER), (route.streams, _LAST_EVENT_ID))
    return [*path, *query, *(header for holds, header in headers if holds)]


def _body(route: Route, reference: Json, request: Json) -> Json:
    """The struct itself, or what is left of it when some of its fields come another way."""
    required = [name for name in request.get("required", ()) if name in route.sent]
    schema = reference
    if set(route.sent) != request["properties"].keys():
        schema = {
            "title": request["title"],
            "type": "object",
            "properties": {name: request["properties"][name] for name in route.sent},
            "required": required,
        }
    shown = example(route.operation.takes, only=route.sent)
    content: Json = {"application/json": {"schema": schema, "example": shown}}
    if route.csv:
        content["text/csv"] = {"schema": {"type": "string"}, "example": shown[route.csv]}
    return {"required": bool(required), "content": content}


def _security(access: Allow) -> list[Json]:
    return [{name: []} for credential, (name, _) in _SCHEMES.items() if credential in access.credentials]


def _responses(route: Route, references: dict[type, Json]) -> Json:
    operation = route.operation
    description = " ".join(_EVENTS.split()) if route.streams else _text(operation.gives)
    headers = _headers(200) | (_references(_OF_FILES) if route.media_type else {})
    answer = {"description": description, "headers": headers, "content": _content(route, references)}
    refusals = sorted(_codes(route).items())
    return {"200": answer} | {
        str(status): {"$ref": f"#/components/responses/{'.'.join(codes)}"} for status, codes in refusals
    }


def _content(route: Route, references: dict[type, Json]) -> Json:
    """What a good answer is, by media type."""
    if route.media_type:
        return {route.media_type.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}, "example": "…"}}
    content: Json = {}
    if not route.streams:
        gives = route.operation.gives
        content["application/json"] = {"schema": references[gives], "example": example(gives)}
    if route.streams or route.waits:
        content[events.MEDIA_TYPE] = {"schema": references[Message], "example": example(Message)}
    return content


def _refusals(routes: tuple[Route, ...], schema: Json) -> Json:
    """Every problem that some call answers, named by the codes it may have."""
    found = {".".join(codes): (status, codes) for route in routes for status, codes in _codes(route).items()}
    return {
        name: {
            "description": ", ".join(f"`{code}`" for code in codes),
            "headers": _headers(status),
            "content": {problems.MEDIA_TYPE: {"schema": schema, "examples": {code: _refusal(code) for code in codes}}},
        }
        for name, (status, codes) in sorted(found.items())
    }


def _refusal(code: str) -> Json:
    kind = next(kind for kind in STATUS if kind.code == code)
    said = " ".join((kind.__doc__ or "").split()).partition(".")[0]
    return {"value": msgspec.to_builtins(problems.problem(kind(said), _REQUEST_ID))}


def _headers(status: int) -> Json:
    return _references(("X-Request-Id",) if status == 400 else (*_CARRIED, *_MORE_CARRIED.get(status, ())))


def _references(names: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _codes(route: Route) -> dict[int, list[str]]:
    """The codes of every error the call may answer, by status."""
    operation = route.operation
    kinds: list[type[BasejumpError]] = [BadRequest, InvalidInput, TooLarge, UnsupportedMediaType]
    if operation.access.credentials:
        kinds += [Unauthenticated, Forbidden]
    if route.method == POST:
        kinds.append(Conflict)  # of an Idempotency-Key whose answer is no longer kept
    kinds += [*operation.errors, TooManyRequests, Internal, Unavailable, DeadlineExceeded]
    codes: dict[int, list[str]] = {}
    for kind in dict.fromkeys(kinds):
        codes.setdefault(STATUS[kind][0], []).append(kind.code)
    return codes
