"""A client with its people and one of every object that a call can name; and what each call may be sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args
from uuid import UUID

import msgspec

from basejump_common.contracts import auth, connection
from basejump_common.security.principal import Role
from basejump_common.security.secret import Secret
from basejump_gateway.routes import POST, PUT, ROUTES, Route
from own_bucket import fields_in_json
from rest import Api, Tenant, as_user, demo_database

LISTS = {"team_uuids": "team_uuid", "tbl_uuids": "tbl_uuid", "result_uuids": "result_uuid"}
OTHER_NAMES = LISTS | {
    "service_user_uuid": "user_uuid",
    "source_result_uuid": "result_uuid",
    "target_result_uuid": "result_uuid",
}
"""Fields that name an object by another name than its own."""

CHOSEN = "run_uuid"
"""A UUID that names nothing yet: the caller's own choice."""

ROLES = (Role.OWNER, Role.ADMIN, Role.MEMBER, Role.SERVICE_MEMBER)


@dataclass(frozen=True)
class Household:
    """`secret` is an OWNER client secret; `people` have access tokens and are all in the team; `objects` are named as
    in paths, the chat and what was answered in it are the asker's."""

    secret: Api
    people: dict[Role, Api]
    objects: dict[str, str]

    @property
    def owner(self) -> Api:
        """The client's OWNER."""
        return self.people[Role.OWNER]


def settle(api: Api, client: dict[str, str], stack: dict[str, str], asker: Role) -> Household:
    """Furnish a client that was just made, as it was answered; `user_uuid` is the asker, unless that is the OWNER."""
    admin = Tenant.enter(api, client["client_secret"]).with_demo(stack)
    uuids = {Role.OWNER: client["owner_user_uuid"], Role.ADMIN: admin.objects["user_uuid"]}
    for role in (Role.MEMBER, Role.SERVICE_MEMBER):
        made = admin.secret.post("/account/user/", params={"username": role.lower(), "role": role})
        uuids[role] = made["user_uuid"]
    team_uuid = admin.objects["team_uuid"]
    for user_uuid in uuids.values():
        admin.user.post(f"/account/user/{user_uuid}/team/{team_uuid}/")
    house = Household(admin.secret, {role: as_user(admin.secret, uuids[role]) for role in ROLES}, admin.objects)
    house.objects["client_uuid"] = client["client_uuid"]
    house.objects["client_secret_uuid"] = client["client_secret_uuid"]
    house.objects["user_uuid"] = uuids[Role.ADMIN if asker is Role.OWNER else asker]
    made = house.owner.post("/connection/storage/", json=fields_in_json(stack["BUCKET_URL"], stack["BUCKET"]))
    house.objects["storage_uuid"] = made["storage_uuid"]
    _ask(house, asker)
    missing = {OTHER_NAMES.get(name, name) for route in ROUTES for name in route.parameters} - house.objects.keys()
    assert not missing, f"tests/household.py makes none of these yet, so that nothing is tested with them: {missing}"
    return house


def _ask(house: Household, asker: Role) -> None:
    """A chat of the asker's with a question, its answer and its webhook."""
    objects, person = house.objects, house.people[asker]
    signing = house.owner.post("/account/client/webhook-secret/")
    objects["chat_uuid"] = person.post(f"/chat/team/{objects['team_uuid']}/")["chat_uuid"]
    question = {"prompt": "How many employees are there?", "webhook_url": "http://127.0.0.1:9/"}
    message = person.post(f"/chat/{objects['chat_uuid']}/message/", json=question)
    saved = person.post("/result/save/", json={"result_uuid": message["result_uuid"]})
    objects["saved_result_uuid"] = saved["saved_result_uuid"]
    table = house.owner.get(f"/connection/database/{objects['db_uuid']}/table/")["data"][0]
    delivery = house.owner.get("/chat/webhook-delivery/")["data"][0]
    objects["webhook_secret_uuid"] = signing["webhook_secret_uuid"]
    objects |= {name: message[name] for name in ("msg_uuid", "result_uuid")} | {"parent_msg_uuid": message["msg_uuid"]}
    objects |= {"tbl_uuid": table["tbl_uuid"], "delivery_uuid": delivery["delivery_uuid"]}


def named(route: Route) -> Iterator[str]:
    """The fields of a route that name an object."""
    for field in msgspec.structs.fields(route.operation.takes):
        if field.name in route.fields and field.name != CHOSEN and UUID in flat(field.type):
            yield field.name


def flat(kind: Any) -> set[Any]:
    """A type and everything inside it."""
    return {kind}.union(*(flat(argument) for argument in get_args(kind)))


def right(route: Route, objects: dict[str, str], stack: dict[str, str]) -> dict[str, Any]:
    """A value for every path parameter and every required field: one of the objects, else a small value."""
    if "host" in route.fields and not route.parameters:
        return demo_database(stack)
    values: dict[str, Any] = {}
    if "bucket_name" in route.fields:
        values = fields_in_json(stack["BUCKET_URL"], stack["BUCKET"])
    for field in msgspec.structs.fields(route.operation.takes):
        wanted = field.required or field.name in route.parameters
        if field.name in route.fields and wanted and field.name not in values:
            values[field.name] = _value(field.name, field.type, objects)
    if route.operation is auth.CREATE_SECRET:
        values["role"] = "MEMBER"  # only such a secret is bound to a user
    if route.operation is connection.UPDATE_COLUMNS:
        values["columns"] = [{"column_name": "x"}]
    return values


def _value(name: str, kind: Any, objects: dict[str, str]) -> object:
    found = objects.get(OTHER_NAMES.get(name, name))
    if found is not None:
        return [found] if name in LISTS else found
    inside = flat(kind)
    if bool in inside:
        return True
    return "secret" if Secret in inside else "x"


def send(route: Route, caller: Api, values: dict[str, Any]) -> tuple[int, str]:
    """The call with its values where the route has them; status and body, of a stream that opens no body."""
    path = route.path.format(**{name: values[name] for name in route.parameters})
    params = {name: values[name] for name in route.queried if name in values}
    body = {name: values[name] for name in route.sent if name in values}
    with caller.client.stream(
        route.method,
        path,
        headers=caller.headers | {"Prefer": "wait=0"},
        params=params,
        json=body if route.method in (POST, PUT) else None,
    ) as response:
        opened = response.headers["content-type"].startswith("text/event-stream")
        return response.status_code, "" if opened else response.read().decode(errors="replace")
