"""Every POST of the API repeated under its Idempotency-Key: the first answer again, and nothing made twice."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from basejump_common.security.principal import Credential
from basejump_gateway.routes import POST, ROUTES, Route
from own_bucket import fields_in_json
from rest import Api, Tenant, as_user, demo_database, refreshing

POSTS = [route for route in ROUTES if route.method == POST]


class House:
    """A client with the demo database, an OWNER who is in its team, and a chat."""

    def __init__(self, api: Api, operator: Api, stack: dict[str, str]) -> None:
        client = operator.post("/account/client/", json={"client_name": "repeating"})
        tenant = Tenant.enter(api, client["client_secret"]).with_demo(stack)
        self.stack, self.operator, self.secret, self.objects = stack, operator, tenant.secret, dict(tenant.objects)
        self.owner_uuid = client["owner_user_uuid"]
        self.owner = as_user(tenant.secret, self.owner_uuid)
        self.objects["user_uuid"] = self.owner_uuid
        self.owner.post(f"/account/user/{self.owner_uuid}/team/{self.objects['team_uuid']}/")
        chat_uuid = self.owner.post(f"/chat/team/{self.objects['team_uuid']}/")["chat_uuid"]
        asked = self.owner.post(f"/chat/{chat_uuid}/message/", json={"prompt": "How many employees are there?"})
        self.objects |= {"chat_uuid": chat_uuid, "result_uuid": asked["result_uuid"]}

    def credential(self, route: Route) -> Api:
        kinds = route.operation.access.credentials
        if Credential.ACCESS in kinds:
            return self.owner
        if Credential.REFRESH in kinds:
            return refreshing(self.secret, self.owner_uuid)
        return self.operator if route.operation.name == "account.client.create" else self.secret


CREATED: dict[str, Callable[[House], dict[str, Any]]] = {
    "account.client.create": lambda _: {"json": {"client_name": "repeated"}},
    "account.user.create": lambda _: {"params": {"username": "repeated", "role": "MEMBER"}},
    "account.team.create": lambda _: {"json": {"team_name": "repeated"}},
    "auth.secret.create": lambda _: {"json": {"role": "OWNER"}},
    "auth.token.create": lambda house: {"params": {"user_uuid": house.objects["user_uuid"]}},
    "chat.message.ask": lambda _: {"json": {"prompt": "How many employees are there?"}},
    "connection.database.create": lambda house: {"json": demo_database(house.stack)},
    "connection.database.test": lambda house: {"json": demo_database(house.stack)},
    "connection.storage.create": lambda house: {
        "json": fields_in_json(house.stack["BUCKET_URL"], house.stack["BUCKET"]) | {"alias": "repeated"}
    },
    "result.result.compare": lambda house: {
        "json": dict.fromkeys(("source_result_uuid", "target_result_uuid"), house.objects["result_uuid"])
    },
    "result.result.many": lambda house: {"json": {"result_uuids": [house.objects["result_uuid"]]}},
    "result.result.refresh": lambda _: {},
    "result.saved.create": lambda house: {"json": {"result_uuid": house.objects["result_uuid"]}},
    "result.saved.search": lambda _: {},
    "connection.grant.add": lambda house: {"json": {"team_uuids": [house.objects["team_uuid"]]}},
}


@pytest.fixture(scope="module")
def house(api: Api, operator: Api, stack: dict[str, str]) -> House:
    return House(api, operator, stack)


@pytest.mark.parametrize("route", POSTS, ids=lambda route: route.operation.name)
def test_a_repetition_gets_the_first_answer(house: House, route: Route) -> None:
    caller = house.credential(route)
    path = route.path.format(**{name: house.objects.get(name, str(uuid4())) for name in route.parameters})
    request = CREATED.get(route.operation.name)
    arguments = request(house) if request else {}
    headers = {"Idempotency-Key": uuid4().hex}
    first, second = (caller.call(POST, path, headers=headers, **arguments) for _ in range(2))
    assert first.status_code in (200, 404, 422), first.text
    assert second.status_code == first.status_code
    told = [{name: value for name, value in one.json().items() if name != "request_id"} for one in (first, second)]
    assert told[0] == told[1]
    if route.operation.name in CREATED:
        assert first.status_code == 200, first.text


def test_what_is_made_here_is_in_the_table_of_routes() -> None:
    assert CREATED.keys() <= {route.operation.name for route in POSTS}


def test_a_key_belongs_to_a_session_whichever_of_its_tokens_is_shown(house: House) -> None:
    refresh, other = (refreshing(house.secret, house.owner_uuid) for _ in range(2))
    headers = {"Idempotency-Key": uuid4().hex}

    def team_made_by(session: Api) -> str:
        token = session.post("/auth/access-token/")["access_token"]
        caller = Api(session.client).with_token(token)
        made: str = caller.post("/account/team/", json={"team_name": "of a session"}, headers=headers)["team_uuid"]
        return made

    assert team_made_by(refresh) == team_made_by(refresh)
    assert team_made_by(other) != team_made_by(refresh)
