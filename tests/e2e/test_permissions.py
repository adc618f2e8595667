"""Who may call what: every call of the API by every kind of caller. The status expected follows from the contract of
the call and from whose the objects are that it names."""

from dataclasses import dataclass
from uuid import uuid4

import msgspec
import pytest

from basejump_common.contracts import auth, result, storage
from basejump_common.security.principal import Credential, Role
from basejump_gateway.routes import GET, ROUTES, Route
from household import Household, named, right, send, settle
from rest import Api, as_user, refreshing

OK, UNKNOWN, FORBIDDEN, MISSING, INCOMPLETE = 200, 401, 403, 404, 422
ABSENT = storage.GET_STORAGE_IN_USE  # nobody here has a bucket that is active


@dataclass(frozen=True)
class Caller:
    """A credential, of a kind and a role; None of both for one that can't be believed. A `stranger` is another
    client's."""

    name: str
    api: Api
    kind: Credential | None = None
    role: Role | None = None
    stranger: bool = False

    def expected(self, route: Route) -> set[int]:
        """401 and 403 come before anything else is looked at."""
        access = route.operation.access
        if not access.credentials:
            return {OK}
        if self.kind is None or self.role is None or self.kind not in access.credentials:
            return {UNKNOWN}
        if not self.role.at_least(access.least):
            return {FORBIDDEN}
        if route.operation is ABSENT and self.role is not Role.INTERNAL:
            return {MISSING}
        return self._expected_as_stranger(route) if self.stranger else self._expected_at_home(route, self.role)

    @staticmethod
    def _expected_as_stranger(route: Route) -> set[int]:
        """What they send is whole and right, but for its objects; where it names none it is about their own client."""
        if route.operation is result.MANY_RESULTS:
            return {OK}  # it says which are missing
        return {MISSING} if needed(route) & set(named(route)) else {OK, INCOMPLETE}

    @staticmethod
    def _expected_at_home(route: Route, role: Role) -> set[int]:
        """What there is to read is read; everything else is sent without a body and to objects that never were."""
        if needed(route) - set(route.parameters):
            return {INCOMPLETE}
        if role is Role.INTERNAL and route.operation.access.least is not Role.INTERNAL:
            return {FORBIDDEN, MISSING}  # the operator has no tenant: a call that needs one refuses it
        if route.parameters and route.method != GET:
            return {MISSING}
        if route.parameters and role is Role.SERVICE_MEMBER:
            return {OK, FORBIDDEN, MISSING}  # some objects are the MEMBER's own
        return {OK}


def needed(route: Route) -> set[str]:
    """The fields that a caller must send, in the path or elsewhere."""
    fields = msgspec.structs.fields(route.operation.takes)
    return {field.name for field in fields if field.name in route.fields and field.required} | set(route.parameters)


@pytest.fixture(scope="module")
def house(api: Api, operator: Api, stack: dict[str, str]) -> Household:
    client = operator.post("/account/client/", json={"client_name": "permissions"})
    return settle(api, client, stack, asker=Role.MEMBER)


@pytest.fixture(scope="module")
def callers(api: Api, operator: Api, house: Household) -> list[Caller]:
    other = operator.post("/account/client/", json={"client_name": "strangers"})
    secret = api.with_secret(other["client_secret"])
    member, owner = refreshing(house.secret, house.objects["user_uuid"]), as_user(secret, other["owner_user_uuid"])
    return [
        Caller("nobody", api),
        Caller("a bad token", api.with_token("eyJhbGciOiJub25lIn0.e30.")),
        Caller("a bad secret", api.with_secret("bj_dev_nonsense")),
        *(Caller(f"{role} by access token", house.people[role], Credential.ACCESS, role) for role in house.people),
        Caller("MEMBER by refresh token", member, Credential.REFRESH, Role.MEMBER),
        Caller("OWNER by client secret", house.secret, Credential.CLIENT_SECRET, Role.OWNER),
        Caller("INTERNAL by client secret", operator, Credential.CLIENT_SECRET, Role.INTERNAL),
        Caller("OWNER of another client", owner, Credential.ACCESS, Role.OWNER, stranger=True),
        Caller("another client's secret", secret, Credential.CLIENT_SECRET, Role.OWNER, stranger=True),
    ]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_caller_gets_what_the_contract_says(
    route: Route, callers: list[Caller], house: Household, stack: dict[str, str]
) -> None:
    wrong = {}
    for caller in callers:
        if route.operation is auth.REVOKE_TOKENS and caller.kind is Credential.ACCESS:
            continue  # it would end the session that the other calls are made in: see below
        answered, text = send(route, caller.api, values(route, caller, house, stack))
        if answered not in (expected := caller.expected(route)):
            wrong[caller.name] = f"{answered} instead of {expected}: {text}"
    assert not wrong


def values(route: Route, caller: Caller, house: Household, stack: dict[str, str]) -> dict[str, object]:
    if caller.stranger:
        return right(route, house.objects, stack)
    return {name: house.objects[name] if route.method == GET else str(uuid4()) for name in route.parameters}


def test_nothing_that_a_stranger_named_has_gone_and_then_everybody_may_sign_out(
    callers: list[Caller], house: Household
) -> None:
    for route in ROUTES:
        if route.operation is ABSENT:
            continue
        if route.method == GET and Credential.ACCESS in route.operation.access.credentials:
            own = {name: house.objects[name] for name in route.parameters}
            assert send(route, house.owner, own)[0] == OK, route.path
    for caller in callers:
        if caller.kind is Credential.ACCESS:
            caller.api.delete("/auth/token/")
