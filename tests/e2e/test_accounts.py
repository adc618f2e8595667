"""Clients, secrets, users, teams and memberships over REST: each line of the API's tables, as its users call it."""

from collections.abc import Callable
from typing import Any

import pytest

from rest import Api, Tenant, as_user, within

REACHES_ALL = 5.0  # seconds


@pytest.fixture(scope="module")
def client(operator: Api) -> dict[str, str]:
    created: dict[str, str] = operator.post("/account/client/", json={"client_name": "accounts", "description": "d"})
    return created


@pytest.fixture(scope="module")
def key(api: Api, client: dict[str, str]) -> Api:
    return api.with_secret(client["client_secret"])


@pytest.fixture(scope="module")
def owner(key: Api, client: dict[str, str]) -> Api:
    return as_user(key, client["owner_user_uuid"])


@pytest.fixture(scope="module")
def admin(key: Api) -> Api:
    return as_user(key, new_user(key, role="ADMIN")["user_uuid"])


def new_user(caller: Api, **params: str) -> dict[str, Any]:
    made: dict[str, Any] = caller.post("/account/user/", params={"username": "somebody"} | params)
    return made


def refused(call: Callable[[], Any]) -> int:
    """With which status the call isn't answered."""
    with pytest.raises(AssertionError) as caught:
        call()
    return int(str(caught.value)[:3])


def test_the_embed_example_works_as_written(key: Api, admin: Api) -> None:
    user = key.post("/account/user/?username=new_user&role=MEMBER&email=new.user@example.com")
    assert (user["username"], user["role"], user["email_address"]) == ("new_user", "MEMBER", "new.user@example.com")
    team = admin.post("/account/team/", params={"team_name": "embedded"})
    admin.post(f"/account/user/{user['user_uuid']}/team/{team['team_uuid']}/")
    member = as_user(key, user["user_uuid"])
    assert [mine["team_uuid"] for mine in member.get("/account/team/")["data"]] == [team["team_uuid"]]
    assert member.post(f"/chat/team/{team['team_uuid']}/")["team_uuid"] == team["team_uuid"]


def test_names_are_labels_so_that_a_script_can_run_again(operator: Api, key: Api, admin: Api) -> None:
    twice = [new_user(key, username="same", email_address="same@example.com")["user_uuid"] for _ in range(2)]
    teams = [admin.post("/account/team/", params={"team_name": "same"})["team_uuid"] for _ in range(2)]
    clients = [operator.post("/account/client/", json={"client_name": "same"})["client_uuid"] for _ in range(2)]
    assert all(len(set(made)) == 2 for made in (twice, teams, clients))


def test_members_see_what_their_client_has_set(owner: Api, key: Api, client: dict[str, str]) -> None:
    owner.put("/account/client/settings/", json={"llm": "openai:some-model", "result_rows": 500})
    owner.put("/account/client/verify-mode/", params={"verify_mode": "STRICT"})
    seen = as_user(key, new_user(key)["user_uuid"]).get("/account/client/")
    assert (seen["client_uuid"], seen["client_name"]) == (client["client_uuid"], "accounts")
    assert (seen["llm"], seen["settings"]["result_rows"], seen["verify_mode"]) == ("openai:some-model", 500, "STRICT")


def test_a_secret_is_created_listed_used_and_revoked(api: Api, owner: Api, admin: Api) -> None:
    made = owner.post("/account/client/secret/", json={"role": "ADMIN", "description": "for the job"})
    secret = made.pop("client_secret")
    assert secret.startswith(made["prefix"])
    listed = owner.get("/account/client/secret/")["data"][0]
    assert listed == made
    assert listed["public_key"].startswith("bjpk_")
    new_user(api.with_secret(secret))
    assert refused(lambda: new_user(api.with_secret(secret), role="ADMIN")) == 403
    path = f"/account/client/secret/{made['client_secret_uuid']}/"
    assert refused(lambda: admin.delete(path)) == 403
    owner.delete(path)
    revoked = api.with_secret(secret)
    within(REACHES_ALL, lambda: revoked.call("POST", "/account/user/", params={"username": "x"}).status_code == 401)
    assert refused(lambda: owner.delete(path)) == 404


def test_a_service_members_secret_opens_no_more_than_its_sub_members(api: Api, owner: Api, key: Api) -> None:
    service = new_user(key, role="SERVICE_MEMBER")["user_uuid"]
    body = {"role": "SERVICE_MEMBER", "user_uuid": service}
    secret = api.with_secret(owner.post("/account/client/secret/", json=body)["client_secret"])
    sub = new_user(key, role="SUB_MEMBER", service_user_uuid=service)["user_uuid"]
    assert as_user(secret, sub).get(f"/account/user/{sub}/")["service_user_uuid"] == service
    others = (new_user(key)["user_uuid"], new_user(key, role="SUB_MEMBER")["user_uuid"])
    minted = [secret.call("POST", "/auth/token/", params={"user_uuid": other}).status_code for other in others]
    assert minted == [403, 403]
    assert refused(lambda: new_user(key, role="MEMBER", service_user_uuid=service)) == 422


def test_users_are_read_changed_and_deleted(key: Api, admin: Api) -> None:
    user_uuid = new_user(key)["user_uuid"]
    path, member = f"/account/user/{user_uuid}/", as_user(key, user_uuid)
    assert member.get(path)["user_uuid"] == user_uuid
    assert refused(lambda: member.put(path, json={"username": "me"})) == 403
    changed = admin.put(path, json={"username": "Ann", "email_address": "ann@example.com"})
    assert (changed["username"], changed["email_address"], changed["role"]) == ("Ann", "ann@example.com", "MEMBER")
    changed = admin.put(path, params={"email": "ann.lee@example.com"})
    assert (changed["username"], changed["email_address"]) == ("Ann", "ann.lee@example.com")
    assert user_uuid in {user["user_uuid"] for user in admin.get("/account/user/", params={"limit": 200})["data"]}
    assert admin.delete(path) == {"ok": True}
    assert refused(lambda: admin.get(path)) == 404


def test_teams_are_read_changed_and_deleted(key: Api, admin: Api) -> None:
    team = admin.post("/account/team/", params={"team_name": "sales", "team_desc": "d"})
    path, user_uuid = f"/account/team/{team['team_uuid']}/", new_user(key)["user_uuid"]
    member = as_user(key, user_uuid)
    assert refused(lambda: member.get(path)) == 404
    admin.post(f"/account/user/{user_uuid}/team/{team['team_uuid']}/")
    assert member.get(path) == team
    assert refused(lambda: member.put(path, params={"team_name": "mine"})) == 403
    assert admin.put(path, params={"team_name": "shops"}) == team | {"team_name": "shops"}
    assert admin.put(path, json={"team_desc": "by body"})["team_desc"] == "by body"
    assert [user["user_uuid"] for user in admin.get(f"{path}user/")["data"]] == [user_uuid]
    assert [one["team_name"] for one in admin.get(f"/account/user/{user_uuid}/team/")["data"]] == ["shops"]
    admin.delete(f"/account/user/{user_uuid}/team/{team['team_uuid']}/")
    assert admin.get(f"{path}user/")["data"] == []
    assert admin.delete(path) == {"ok": True}
    assert refused(lambda: admin.get(path)) == 404


def test_who_signs_out_is_signed_out(key: Api) -> None:
    user_uuid = new_user(key)["user_uuid"]
    refresh = Api(key.client).with_token(key.post("/auth/token/", params={"user_uuid": user_uuid})["refresh_token"])
    as_user(key, user_uuid).delete("/auth/token/")
    assert refused(lambda: refresh.post("/auth/access_token/")) == 401


def test_an_admin_sees_what_questions_took(tenant: Tenant) -> None:
    taken = tenant.ask("How many employees are there?")["usage"]
    rows = tenant.user.get("/account/client/usage/", params={"limit": 200})["data"]
    mine = [row for row in rows if row["user_uuid"] == tenant.objects["user_uuid"]]
    assert {row["model"] for row in mine} == {"built-in"}
    assert sum(row["questions"] for row in mine) >= 1
    assert sum(row["database_seconds"] for row in mine) >= taken["database_seconds"] > 0
    refused_range = tenant.user.call("GET", "/account/client/usage/", params={"from_day": "1999-01-01"})
    assert (refused_range.status_code, refused_range.json()["errors"][0]["field"]) == (422, "from_day")
