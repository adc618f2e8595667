"""The contracts as others rely on them: recorded, evolvable, guarded."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from basejump_common.bus.permissions import all_permissions, permissions, server_configuration
from basejump_common.contracts import account
from basejump_common.contracts.operation import PUBLIC, SERVICES, SERVICES_ONLY
from basejump_common.contracts.registry import events, operations
from basejump_common.errors import BasejumpError, ErrorBody, all_errors, from_body
from basejump_common.security.secret import Secret
from basejump_gateway.routes import ROUTES
from contract.record import (
    ASYNCAPI,
    CONFIGURATION,
    ERRORS,
    JOBS,
    NATS_USERS,
    RECORDED,
    as_text,
    asyncapi,
    configuration,
    contracts,
    error_list,
)

ROOT = Path(__file__).parent.parent.parent


def test_the_wire_is_as_recorded() -> None:
    assert as_text(contracts()) == RECORDED.read_text(), "a deliberate change of the wire is recorded: make record"


def test_the_nats_users_are_as_recorded() -> None:
    assert server_configuration() == NATS_USERS.read_text(), "make record"


def test_every_setting_is_documented() -> None:
    assert configuration() == CONFIGURATION.read_text(), "make record"
    for line in configuration().splitlines():
        if line.startswith("| `BASEJUMP_"):
            assert len(line.split("|")[3].strip()) > 10, f"no description: {line}"


def test_the_documents_of_errors_and_events_are_as_recorded() -> None:
    assert error_list() == ERRORS.read_text(), "make record"
    assert as_text(asyncapi()) == ASYNCAPI.read_text(), "make record"


def test_every_kind_of_job_is_documented() -> None:
    """Wherever a service says what to do with jobs it names their payload."""
    named = [
        call.args[1].id
        for path in (ROOT / "services").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "JobKind"
        if isinstance(call.args[1], ast.Name)
    ]
    listed = sorted(job.payload.__name__ for job in JOBS)
    assert sorted(named) == listed, "name it in JOBS of tests/contract/record.py, and then: make record"
    told = (ROOT / "docs/events.md").read_text()
    assert [job.kind for job in JOBS if f"`{job.kind}`" not in told] == [], "docs/events.md says how each job is told"


def test_every_reference_in_the_asyncapi_document_leads_somewhere() -> None:
    document = asyncapi()
    references = set(re.findall(r'"\$ref": "#/([^"]+)"', as_text(document)))
    assert len(references) > len(events())
    for reference in references:
        place: Any = document
        for name in reference.split("/"):
            place = place[name]


def structs() -> Iterator[type[msgspec.Struct]]:
    seen: set[type] = set()
    waiting: list[Any] = [kind for o in operations() for kind in (o.takes, o.gives)] + [e.data for e in events()]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in seen:
            seen.add(kind)
            yield kind
            waiting += [field.type for field in msgspec.structs.fields(kind)]
        waiting += getattr(kind, "__args__", ())


@pytest.mark.parametrize("struct", list(structs()), ids=lambda struct: struct.__name__)
def test_structs_are_frozen_and_keyword_only_and_explain_themselves(struct: type[msgspec.Struct]) -> None:
    assert struct.__struct_config__.frozen
    with pytest.raises(TypeError):
        struct("positional")
    assert struct.__doc__


def test_subjects_and_names_are_unique() -> None:
    subjects = [o.subject for o in operations()] + [e.subject() for e in events()]
    assert len(subjects) == len(set(subjects))


def test_every_operation_asks_for_a_credential_or_says_why_not() -> None:
    without = {o.name for o in operations() if not o.access.credentials}
    public = {o.name for o in operations() if o.allow is PUBLIC}
    assert without - public == {o.name for o in operations() if o.allow is SERVICES_ONLY}
    # What the gateway's edge asks itself, for its limits and CORS; no route may carry one.
    asked = {account.CLIENT_CHOICES.name, account.CHECK_ORIGIN.name}
    assert {o.name for o in operations() if o.allow is SERVICES_ONLY and "gateway" in o.callers} == asked
    assert not [route.path for route in ROUTES if route.operation.allow is SERVICES_ONLY]


def test_secrets_are_in_no_event() -> None:
    def holds_secret(kind: Any) -> bool:
        if kind is Secret:
            return True
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return any(holds_secret(field.type) for field in msgspec.structs.fields(kind))
        return any(holds_secret(argument) for argument in getattr(kind, "__args__", ()))

    assert not [event.name for event in events() if holds_secret(event.data)]
    assert holds_secret(next(o for o in operations() if o.name == "auth.token.create").gives)


def test_fields_that_sound_secret_are_secret() -> None:
    sounds = re.compile(r"^(password|client_secret|.*_token|token|secret_access_key)$")
    for struct in structs():
        for field in msgspec.structs.fields(struct):
            if sounds.match(field.name):
                assert field.type in (Secret, Secret | None), f"{struct.__name__}.{field.name}"


def test_every_error_crosses_the_wire_as_itself() -> None:
    for kind in all_errors():
        sent = kind("why", retry_after=2.0, details={"a": 1})
        received = from_body(msgspec.json.decode(msgspec.json.encode(sent.body()), type=ErrorBody))
        assert type(received) is kind
        assert (received.message, received.retry_after, received.details) == ("why", 2.0, {"a": 1})
    codes = [kind.code for kind in all_errors()]
    assert len(codes) == len(set(codes))
    assert isinstance(from_body(ErrorBody(code="of_a_newer_service", message="m")), BasejumpError)


def test_no_service_may_publish_or_subscribe_everything() -> None:
    for service in SERVICES:
        allowed = permissions(service)
        assert not {">", "*", "basejump.>", "$JS.>", "$JS.API.>", "$KV.>"} & {*allowed.publish, *allowed.subscribe}
        inboxes = [subject for subject in allowed.subscribe if subject.startswith("_INBOX")]
        assert inboxes == [f"_INBOX_{service}.>"]
    assert len({p.user for p in all_permissions()}) == len(all_permissions())


def sources(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            yield path, ast.parse(path.read_text())


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_services_never_import_each_other() -> None:
    for path, tree in sources("services"):
        own = path.relative_to(ROOT / "services").parts[1]
        others = {f"basejump_{name.replace('-', '_')}" for name in SERVICES} - {own}
        found = {name.split(".")[0] for name in imported(tree)} & others
        assert not found, f"{path.relative_to(ROOT)} imports {found}"


def test_libraries_never_import_services() -> None:
    names = {f"basejump_{name.replace('-', '_')}" for name in SERVICES}
    for path, tree in sources("libs/common", "libs/sqlguard", "libs/planner"):
        assert not {name.split(".")[0] for name in imported(tree)} & names, path.relative_to(ROOT)


PURE = {"asyncio", "asyncpg", "nats", "litestar", "obstore", "httpx", "socket", "uvicorn", "langchain"}


def test_domain_code_and_pure_libraries_do_no_io() -> None:
    for path, tree in sources("services", "libs/sqlguard", "libs/planner"):
        if "domain" in path.parts or "sqlguard" in path.parts or "planner" in path.parts:
            found = {name.split(".")[0] for name in imported(tree)} & PURE
            assert not found, f"{path.relative_to(ROOT)} imports {found}"


def test_subjects_stand_in_the_contracts_alone() -> None:
    for path, tree in sources("services", "libs"):
        if "contracts" in path.parts or path.name in ("topology.py", "permissions.py"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not node.value.startswith("basejump.v1."), f"{path.relative_to(ROOT)}:{node.lineno}"
