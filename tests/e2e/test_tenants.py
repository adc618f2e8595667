"""What belongs to another client is not there: every call, every field that names an object, made from the routes."""

from collections.abc import Iterator
from typing import Any, get_args
from uuid import UUID, uuid4

import msgspec
import pytest

from basejump_common.contracts import auth, connection
from basejump_common.security.principal import Credential, Role
from basejump_common.security.secret import Secret
from basejump_gateway.routes import ROUTES, Route
from rest import Api, Tenant, as_user, demo_database, first_owner, refreshing, run_command


def named(route: Route) -> Iterator[str]:
    """The fields of a route that name an object."""
    for field in msgspec.structs.fields(route.operation.takes):
        if field.name in route.fields and UUID in flat(field.type):
            yield field.name


def flat(kind: Any) -> set[Any]:
    """A type and everything inside it."""
    return {kind}.union(*(flat(argument) for argument in get_args(kind)))


CASES = [
    pytest.param(route, field, id=f"{route.method} {route.path} {field}")
    for route in ROUTES
    if route.operation.access.least is not Role.INTERNAL  # the operator's alone: 403 to every client
    for field in named(route)
]
LISTS = {"team_uuids", "tbl_uuids"}
ONE_OF_MANY = {
    "team_uuids": "team_uuid",
    "tbl_uuids": "tbl_uuid",
    "service_user_uuid": "user_uuid",
    "parent_msg_uuid": "msg_uuid",
}


@pytest.fixture(scope="module")
def theirs(tenant: Tenant, api: Api, stack: dict[str, str]) -> dict[str, str]:
    """One of every object that the first client has."""
    signing = first_owner(api, stack).post("/account/client/webhook-secret/")["webhook_secret_uuid"]
    answer = tenant.ask("How many employees are there?", webhook_url="http://127.0.0.1:9/")
    db_uuid = tenant.objects["db_uuid"]
    user = tenant.secret.post("/account/user/", params={"username": "other", "role": "ADMIN"})
    tables = tenant.user.get(f"/connection/database/{db_uuid}/table/")["data"]
    found = {name: answer[name] for name in ("chat_uuid", "msg_uuid", "result_uuid")}
    found["webhook_secret_uuid"] = signing
    found["delivery_uuid"] = tenant.user.get("/chat/webhook-delivery/")["data"][0]["delivery_uuid"]
    found["client_uuid"] = tenant.user.get("/account/client/")["client_uuid"]
    return tenant.objects | found | {"tbl_uuid": tables[0]["tbl_uuid"], "user_uuid": user["user_uuid"]}


@pytest.fixture(scope="module")
def stranger(api: Api, stack: dict[str, str], stack_folder: Any) -> Tenant:
    """Another client, with an OWNER and one of every object of its own."""
    created = run_command("client", "create", "stranger", "--state", str(stack_folder))
    secret = api.with_secret(created["client_secret"])
    admin = Tenant.enter(api, created["client_secret"]).with_demo(stack)
    answer = admin.ask("How many employees are there?")
    table = admin.user.get(f"/connection/database/{admin.objects['db_uuid']}/table/")["data"][0]
    found = {name: answer[name] for name in ("chat_uuid", "msg_uuid", "result_uuid")}
    own = admin.objects | found | {"tbl_uuid": table["tbl_uuid"], "client_secret_uuid": created["client_secret_uuid"]}
    return Tenant(secret, as_user(secret, created["owner_user_uuid"]), own)


@pytest.fixture(scope="module")
def their_secret(api: Api, stack: dict[str, str]) -> str:
    """A client secret of the first client, by uuid."""
    page = first_owner(api, stack).get("/account/client/secret/")
    return str(page["data"][0]["client_secret_uuid"])


@pytest.mark.parametrize(("route", "field"), CASES)
def test_an_object_of_another_client_is_not_there(
    route: Route, field: str, stranger: Tenant, theirs: dict[str, str], their_secret: str, stack: dict[str, str]
) -> None:
    values = dict(request(route, stranger.objects, stack))
    foreign = (theirs | {"client_secret_uuid": their_secret})[ONE_OF_MANY.get(field, field)]
    values[field] = [foreign] if field in LISTS else foreign
    response = send(route, stranger, values)
    assert response.status_code == 404, f"{response.status_code} {response.text}"
    assert response.json()["code"] == "not_found"


@pytest.mark.parametrize(("route", "field"), CASES)
def test_an_object_that_never_was_answers_the_same(
    route: Route, field: str, stranger: Tenant, stack: dict[str, str]
) -> None:
    values = dict(request(route, stranger.objects, stack))
    values[field] = [str(uuid4())] if field in LISTS else str(uuid4())
    assert send(route, stranger, values).status_code == 404


def test_lists_show_nothing_of_another_client(stranger: Tenant, theirs: dict[str, str], their_secret: str) -> None:
    foreign = {*theirs.values(), their_secret} - set(stranger.objects.values())
    lists = [r for r in ROUTES if r.method == "GET" and not r.parameters and r.operation.access.credentials]
    seen = 0
    for route in lists:
        if Credential.ACCESS in route.operation.access.credentials:
            text = stranger.user.call("GET", route.path).text
            seen += text.count("_uuid")
            assert not [uuid for uuid in foreign if uuid in text], route.path
    assert seen > 10


def request(route: Route, own: dict[str, str], stack: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """A value for every path parameter and every required field: the caller's own objects, else a small value."""
    if "host" in route.fields:
        yield from demo_database(stack).items()
        return
    if route.operation is auth.CREATE_SECRET:
        yield "role", "MEMBER"  # only such a secret is bound to a user
    for field in msgspec.structs.fields(route.operation.takes):
        if (
            field.name in route.fields
            and field.name != "columns"
            and (field.required or field.name in route.parameters)
        ):
            object_name = ONE_OF_MANY.get(field.name, field.name)
            if object_name in own:
                yield field.name, [own[object_name]] if field.name in LISTS else own[object_name]
            else:
                yield field.name, small_value(field.type)
    if route.operation is connection.UPDATE_COLUMNS:
        yield "columns", [{"column_name": "x"}]


def small_value(kind: Any) -> object:
    """Something that any field of the type takes."""
    inside = flat(kind)
    if bool in inside:
        return True
    return "secret" if Secret in inside else "x"


def send(route: Route, caller: Tenant, values: dict[str, Any]) -> Any:
    """The call with its values where the route has them, with the kind of credential that it asks for."""
    path = route.path.format(**{name: values[name] for name in route.parameters})
    params = {name: values[name] for name in route.queried if name in values}
    body = {name: values[name] for name in route.sent if name in values}
    kinds = route.operation.access.credentials
    if Credential.REFRESH in kinds:
        client = refreshing(caller.secret, caller.objects["user_uuid"])
    else:
        client = caller.user if Credential.ACCESS in kinds else caller.secret
    return client.call(route.method, path, params=params, json=body if route.method in ("POST", "PUT") else None)
