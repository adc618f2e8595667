"""Who may call what: every call of the API by every kind of caller, expected from the contracts alone."""

from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest

from basejump_common.contracts import auth
from basejump_common.security.principal import Credential, Role
from basejump_gateway.routes import ROUTES, Route
from rest import Api, as_user, refreshing


@dataclass(frozen=True)
class Caller:
    """A credential, of a kind and a role; None of both for one that can't be believed."""

    name: str
    api: Api
    kind: Credential | None = None
    role: Role | None = None

    def expected(self, route: Route) -> set[int]:
        """What the call may answer; its objects don't exist, so it never does anything."""
        access = route.operation.access
        let_in = {200, 404, 409, 422}
        if not access.credentials:
            return let_in
        if self.kind is None or self.role is None or self.kind not in access.credentials:
            return {401}
        if not self.role.at_least(access.least):
            return {403}
        # The operator has no tenant: a call that needs one refuses it.
        return let_in | ({403} if self.role is Role.INTERNAL else set())


def enter(api: Api, operator: Api) -> list[Caller]:
    """One of each kind, in a client of their own, to whose objects the calls may do anything."""
    client = operator.post("/account/client/", json={"client_name": "permissions"})
    secret = api.with_secret(client["client_secret"])
    made = {
        role: secret.post("/account/user/", params={"username": role.lower(), "role": role})["user_uuid"]
        for role in (Role.ADMIN, Role.MEMBER, Role.SERVICE_MEMBER)
    }
    made[Role.OWNER] = client["owner_user_uuid"]
    return [
        Caller("nobody", api),
        Caller("a bad token", api.with_token("eyJhbGciOiJub25lIn0.e30.")),
        Caller("a bad secret", api.with_secret("bj_dev_nonsense")),
        *(Caller(f"{role} by access token", as_user(secret, made[role]), Credential.ACCESS, role) for role in made),
        Caller("MEMBER by refresh token", refreshing(secret, made[Role.MEMBER]), Credential.REFRESH, Role.MEMBER),
        Caller("OWNER by client secret", secret, Credential.CLIENT_SECRET, Role.OWNER),
        Caller("INTERNAL by client secret", operator, Credential.CLIENT_SECRET, Role.INTERNAL),
    ]


@pytest.fixture(scope="module")
def lasting(api: Api, operator: Api) -> list[Caller]:
    return enter(api, operator)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_caller_gets_what_the_contract_says(route: Route, lasting: list[Caller], api: Api, operator: Api) -> None:
    callers = enter(api, operator) if route.operation is auth.REVOKE_TOKENS else lasting
    answers = {caller.name: (send(route, caller.api).status_code, caller.expected(route)) for caller in callers}
    wrong = {name: answer for name, answer in answers.items() if answer[0] not in answer[1]}
    assert not wrong


def send(route: Route, api: Api) -> httpx.Response:
    path = route.path.format(**{name: uuid4() for name in route.parameters})
    return api.call(route.method, path, headers={"Prefer": "wait=0"})
