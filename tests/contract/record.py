"""Writes down what is promised to others, so that a change of it is always deliberate. Run by `make record`."""

import json
from pathlib import Path
from typing import Any

import msgspec

from basejump_common.bus.permissions import server_configuration
from basejump_common.contracts.operation import Operation
from basejump_common.contracts.registry import events, operations
from basejump_common.contracts.wire import schema_custom

ROOT = Path(__file__).parent.parent.parent
RECORDED = Path(__file__).with_name("recorded.json")
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


if __name__ == "__main__":
    RECORDED.write_text(as_text(contracts()))
    NATS_USERS.write_text(server_configuration())
