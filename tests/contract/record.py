"""Writes down what is promised to others, so that a change of it is always deliberate. Run by `make record`."""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from basejump_common.bus.permissions import server_configuration
from basejump_common.contracts.operation import SERVICES, Operation
from basejump_common.contracts.registry import events, operations
from basejump_common.contracts.wire import schema_custom
from basejump_common.settings import PREFIX

ROOT = Path(__file__).parent.parent.parent
RECORDED = Path(__file__).with_name("recorded.json")
CONFIGURATION = ROOT / "docs/configuration.md"
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


if __name__ == "__main__":
    RECORDED.write_text(as_text(contracts()))
    NATS_USERS.write_text(server_configuration())
    CONFIGURATION.write_text(configuration())
