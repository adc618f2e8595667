"""Writes down what is promised to others, so that a change of it is always deliberate. Run by `make record`."""

import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from basejump_account import lifecycle
from basejump_chat_agent import answering, endings, expiring, forgetting, webhooks
from basejump_chat_agent.domain.prompt import AnswerPrompt
from basejump_common.bus.events import CloudEvent
from basejump_common.bus.permissions import server_configuration
from basejump_common.contracts.chat import Message, stream_subject
from basejump_common.contracts.common import ByClient
from basejump_common.contracts.operation import SERVICES, EventType, Operation, bell_subject
from basejump_common.contracts.registry import events, operations
from basejump_common.contracts.wire import schema_custom
from basejump_common.settings import PREFIX
from basejump_common.storage.jobs import bell
from basejump_connection_indexer import checking, indexing, migrating
from basejump_gateway.problems import STATUS


@dataclass(frozen=True)
class JobType:
    """Work that a service gives to itself."""

    service: str
    kind: str
    payload: type[msgspec.Struct]


JOBS = (
    JobType("account", lifecycle.ERASE, ByClient),
    JobType("chat-agent", answering.ANSWER, AnswerPrompt),
    JobType("chat-agent", endings.ANNOUNCE, endings.Announcement),
    JobType("chat-agent", webhooks.DELIVER, webhooks.Deliver),
    JobType("chat-agent", expiring.EXPIRE, expiring.Expire),
    JobType("chat-agent", forgetting.FORGET, forgetting.Unused),
    JobType("connection-indexer", indexing.JOB, indexing.IndexDatabase),
    JobType("connection-indexer", checking.JOB, checking.CheckDatabase),
    JobType("connection-indexer", migrating.JOB, migrating.MoveResults),
)
"""Every kind of job; a test finds those that are missing."""

ROOT = Path(__file__).parent.parent.parent
RECORDED = Path(__file__).with_name("recorded.json")
CONFIGURATION = ROOT / "docs/configuration.md"
ERRORS = ROOT / "docs/errors.md"
ASYNCAPI = ROOT / "docs/asyncapi.json"
NATS_USERS = ROOT / "deploy/nats/accounts.conf"


def contracts() -> dict[str, Any]:
    """Every operation and event with the JSON schemas of its structs."""
    types = [kind for o in operations() for kind in (o.takes, o.gives)] + [e.data for e in events()]
    references, components = msgspec.json.schema_components(
        types, schema_hook=schema_custom, ref_template="#/schemas/{name}"
    )
    refs = {kind: reference["$ref"] for kind, reference in zip(types, references, strict=True)}
    return {
        "operations": {o.subject: _operation(o, refs) for o in operations()},
        "events": {e.subject(): {"data": refs[e.data], "publisher": e.publisher} for e in events()},
        "schemas": components,
    }


def _operation(operation: Operation[Any, Any], refs: dict[Any, str]) -> dict[str, Any]:
    return {
        "takes": refs[operation.takes],
        "gives": refs[operation.gives],
        "credentials": sorted(credential.name for credential in operation.access.credentials),
        "least_role": operation.access.least.value,
        "callers": sorted(operation.callers),
        "errors": sorted(error.code for error in operation.errors),
    }


def as_text(value: dict[str, Any]) -> str:
    """Sorted, so that a difference is a change."""
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


def configuration() -> str:
    """The settings of every service as a document, from their structs."""
    sections = [f"## {service}\n\n{_HEAD}{''.join(_rows(service))}" for service in SERVICES]
    return _TITLE + "\n".join(sections)


_TITLE = """# Configuration

Every setting is an environment variable. A service that lacks one it needs, or can't read one, ends with one line
that names it. Written by `make record` from the `settings.py` of each service.

"""
_HEAD = "| variable | default | what |\n| --- | --- | --- |\n"


def _rows(service: str) -> Iterator[str]:
    settings = importlib.import_module(f"basejump_{service.replace('-', '_')}.settings").Settings
    properties = msgspec.json.schema_components([settings], schema_hook=schema_custom)[1]["Settings"]["properties"]
    for field in msgspec.structs.fields(settings):
        description = properties[field.name].get("description", "")
        default = "required" if field.required else f"`{json.dumps(msgspec.to_builtins(field.default, enc_hook=str))}`"
        yield f"| `{PREFIX}{field.name.upper()}` | {default} | {description} |\n"


_ERRORS_TITLE = """# Errors

Every failing call answers with a problem document (RFC 9457): `type`, `title`, `status`, `detail`, `code`,
`request_id`, `errors` (the fields that are wrong) and, where there are facts for programs, `details`. Programs go by
`code`, which never changes its meaning; `detail` is for people. 429 and 503 say in `Retry-After` when to come again. A
question that was accepted ends with a message instead: `msg_type` is `error` and `code` is one of these, or one of the
agent's own. Written by `make record`.

| code | status | what it means |
| --- | --- | --- |
"""


def error_list() -> str:
    """Every error of the API as a document, in the order of their statuses."""
    rows = sorted((status, kind.code, kind) for kind, (status, _) in STATUS.items())
    return _ERRORS_TITLE + "".join(f"| `{code}` | {status} | {_one_line(kind)} |\n" for status, code, kind in rows)


def _one_line(kind: type) -> str:
    return " ".join((kind.__doc__ or "").split())


def asyncapi() -> dict[str, Any]:
    """Every event, what a prompt says on its stream, and every kind of job, as an AsyncAPI 3.0 document."""
    kinds: list[type] = [CloudEvent, Message, *(event.data for event in events()), *(job.payload for job in JOBS)]
    references, schemas = msgspec.json.schema_components(
        kinds, schema_hook=schema_custom, ref_template="#/components/schemas/{name}"
    )
    found = dict(zip(kinds, references, strict=True))
    channels = {_key(event.name): _channel(event, found) for event in events()}
    channels["chat"] = _chat_channel(found)
    channels |= {f"jobs_{service}": _jobs_channel(service, found) for service in sorted({job.service for job in JOBS})}
    received = {_key(event.name) for event in events() if event.external}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Basejump", "version": "1", "description": "Events on NATS. See events.md."},
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": {
            f"{key}_{'received' if key in received else 'published'}": {
                "action": "receive" if key in received else "send",
                "channel": {"$ref": f"#/channels/{key}"},
            }
            for key in channels
        },
        "components": {"schemas": schemas},
    }


def _key(name: str) -> str:
    return name.removeprefix("basejump.v1.").replace(".", "_")


def _channel(event: EventType[Any], found: dict[type, dict[str, str]]) -> dict[str, Any]:
    payload = {"allOf": [found[CloudEvent], {"properties": {"type": {"const": event.name}, "data": found[event.data]}}]}
    return {
        "address": event.subject("{client_uuid}"),
        "description": f"Published by {_publisher(event)}. {_one_line(event.data)}",
        "parameters": {"client_uuid": {"description": "The client (tenant)."}},
        "messages": {event.name: {"name": event.name, "payload": payload}},
    }


def _publisher(event: EventType[Any]) -> str:
    return "services of yours" if event.external else event.publisher


def _chat_channel(found: dict[type, dict[str, str]]) -> dict[str, Any]:
    names = ("client_uuid", "chat_uuid", "prompt_uuid")
    return {
        "address": stream_subject(*(f"{{{name}}}" for name in names)),
        "description": "What a prompt says, kept a day in the stream CHAT; exactly one final message ends it.",
        "parameters": {name: {"description": f"{name} of the message."} for name in names},
        "messages": {"message": {"name": "message", "payload": found[Message]}},
    }


def _jobs_channel(service: str, found: dict[type, dict[str, str]]) -> dict[str, Any]:
    messages = {
        job.kind: {
            "name": job.kind,
            "contentType": "text/plain",
            "description": _one_line(job.payload),
            "payload": {"const": bell(job.kind)},
            "x-row-payload": found[job.payload],
        }
        for job in JOBS
        if job.service == service
    }
    return {"address": bell_subject(service), "description": _JOBS.format(service=service), "messages": messages}


_JOBS = (
    "Jobs of {service}. A job is a row of its table `job`, written in the commit that causes it, with the payload in "
    "`x-row-payload`; the message only wakes the replicas that are idle, and nothing is lost without it."
)


if __name__ == "__main__":
    RECORDED.write_text(as_text(contracts()))
    NATS_USERS.write_text(server_configuration())
    CONFIGURATION.write_text(configuration())
    ERRORS.write_text(error_list())
    ASYNCAPI.write_text(as_text(asyncapi()))
