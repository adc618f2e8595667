"""What belongs to another client is not there: every call, every field that names an object, made from the routes."""

import json
from typing import Any
from uuid import uuid4

import pytest

from basejump_common.contracts import result
from basejump_common.security.principal import Credential, Role
from basejump_gateway.routes import GET, ROUTES, Route
from household import LISTS, OTHER_NAMES, Household, named, right, send, settle
from rest import Api, refreshing, run_command

CASES = [
    pytest.param(route, field, id=f"{route.method} {route.path} {field}")
    for route in ROUTES
    if route.operation.access.least is not Role.INTERNAL  # the operator's alone: 403 to every client
    if route.operation is not result.MANY_RESULTS  # it says which are missing: tests/component/test_results.py
    for field in named(route)
]


@pytest.fixture(scope="module")
def theirs(api: Api, operator: Api, stack: dict[str, str]) -> dict[str, str]:
    """One of every object that some client has."""
    client = operator.post("/account/client/", json={"client_name": "theirs"})
    return settle(api, client, stack, asker=Role.MEMBER).objects


@pytest.fixture(scope="module")
def stranger(api: Api, stack: dict[str, str], stack_folder: Any) -> Household:
    """Another client, whose OWNER has one of every object."""
    client = run_command("client", "create", "stranger", "--state", str(stack_folder))
    return settle(api, client, stack, asker=Role.OWNER)


@pytest.mark.parametrize(("route", "field"), CASES)
def test_an_object_of_another_client_is_not_there(
    route: Route, field: str, stranger: Household, theirs: dict[str, str], stack: dict[str, str]
) -> None:
    status, text = ask_for(route, field, theirs[OTHER_NAMES.get(field, field)], stranger, stack)
    assert status == 404, f"{status} {text}"
    assert json.loads(text)["code"] == "not_found"


@pytest.mark.parametrize(("route", "field"), CASES)
def test_an_object_that_never_was_answers_the_same(
    route: Route, field: str, stranger: Household, stack: dict[str, str]
) -> None:
    assert ask_for(route, field, str(uuid4()), stranger, stack)[0] == 404


def ask_for(route: Route, field: str, uuid: str, caller: Household, stack: dict[str, str]) -> tuple[int, str]:
    """The call with everything right but one object, by the kind of credential that it asks for."""
    values = right(route, caller.objects, stack) | {field: [uuid] if field in LISTS else uuid}
    kinds = route.operation.access.credentials
    if Credential.REFRESH in kinds:
        return send(route, refreshing(caller.secret, caller.objects["user_uuid"]), values)
    return send(route, caller.owner if Credential.ACCESS in kinds else caller.secret, values)


def test_lists_show_nothing_of_another_client(stranger: Household, theirs: dict[str, str]) -> None:
    foreign = set(theirs.values()) - set(stranger.objects.values())
    lists = [r for r in ROUTES if r.method == GET and not r.parameters and r.operation.access.credentials]
    seen = 0
    for route in lists:
        if Credential.ACCESS in route.operation.access.credentials:
            text = stranger.owner.call(GET, route.path).text
            seen += text.count("_uuid")
            assert not [uuid for uuid in foreign if uuid in text], route.path
    assert seen > 10
