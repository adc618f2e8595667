"""A client's life: suspended, resumed, deleted; after that no store knows of it."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from own_bucket import ObjectServer, fields_in_json
from rest import Api, Tenant, as_user, within
from stores import traces, uuids_of

ERASED_SECONDS = 60.0
TOKENS_END_SECONDS = 5.0


@pytest.fixture
def client(operator: Api) -> dict[str, str]:
    created: dict[str, str] = operator.post("/account/client/", json={"client_name": "leaving"})
    return created


def answers(api: Api, status: int, method: str = "GET", path: str = "/account/client/") -> Callable[[], bool]:
    return lambda: api.call(method, path).status_code == status


def test_a_suspended_client_is_locked_out_until_it_is_resumed(operator: Api, api: Api, client: dict[str, str]) -> None:
    tenant = Tenant.enter(api, client["client_secret"])
    path = f"/account/client/{client['client_uuid']}/"
    assert operator.put(path, json={"suspended": True})["state"] == "suspended"
    within(TOKENS_END_SECONDS, answers(tenant.user, 401))
    assert tenant.secret.call("POST", "/account/user/", params={"username": "late"}).status_code == 401
    assert operator.put(path, json={"suspended": False})["state"] == "active"
    # A token of the second in which the client was suspended is refused.
    within(TOKENS_END_SECONDS, answers(tenant.secret, 422, "POST", "/account/user/"))
    assert Tenant.enter(api, client["client_secret"]).user.get("/account/client/")["state"] == "active"


def test_only_its_owner_and_the_operator_delete_a_client(api: Api, tenant: Tenant, client: dict[str, str]) -> None:
    path = f"/account/client/{client['client_uuid']}/"
    assert tenant.secret.call("DELETE", path).status_code == 404
    assert tenant.user.call("DELETE", path).status_code == 403
    assert tenant.secret.call("PUT", path, json={"suspended": True}).status_code == 403
    assert api.with_secret(client["client_secret"]).delete(path) == {"ok": True}


PLANT = "leaving-Zq9"
FILLED = {
    "account": "client client_directory client_origin client_user idempotency membership team",
    "auth": "client_secret secret_lookup session",
    "chat_agent": "chat prompt result saved_result stream_ticket usage webhook_delivery webhook_secret",
    "connection_indexer": "connection database indexed_table run sight storage storage_migration table_change "
    "team_grant",
}
"""Tables that the client has rows in before it is deleted."""

STAYS = {"EVENTS", "auth.revocation", "KV_auth-revocations"}
"""UUIDs of what was: events for thirty days, and for an hour which of its tokens are no longer good."""


def fill(tenant: Tenant, owner: Api, stack: dict[str, str]) -> None:
    """Something of the client's, with the planted word wherever its people can write, in every table there is."""
    user, objects, planted = tenant.user, tenant.objects, {"description": PLANT}
    owner.put("/account/client/settings/", json={"allowed_origins": [f"https://{PLANT.lower()}.example"]})
    owner.post("/account/client/secret/", json=planted, headers={"Idempotency-Key": PLANT})
    owner.post("/account/client/webhook-secret/")
    service = tenant.secret.post("/account/user/", params={"username": PLANT, "role": "SERVICE_MEMBER"})["user_uuid"]
    sub = {"username": PLANT, "email": f"{PLANT}@example.com", "role": "SUB_MEMBER", "service_user_uuid": service}
    tenant.secret.post("/account/user/", params=sub)
    team_key = {"Idempotency-Key": f"team {PLANT}"}
    user.post("/account/team/", params={"team_name": PLANT, "team_desc": PLANT}, headers=team_key)
    table = user.get(f"/connection/database/{objects['db_uuid']}/table/")["data"][0]
    user.put(f"/connection/table/{table['tbl_uuid']}/", json={"context": PLANT})
    hook = {"webhook_url": f"http://127.0.0.1:9/{PLANT}", "return_visual_json": True}
    answer = tenant.ask("How many employees are there?", **hook)
    assert "107" in answer["content"]
    user.put(f"/chat/message/{answer['msg_uuid']}/thumbs-up/", json={"thumbs_up": False, "reason": PLANT})
    user.put(f"/chat/{answer['chat_uuid']}/", json={"chat_name": PLANT, "chat_description": PLANT})
    user.post(f"/chat/{answer['chat_uuid']}/stream-ticket/")
    words = {"title": PLANT, "subtitle": PLANT, "description": PLANT}
    user.post("/result/save/", json=words | {"result_uuid": answer["result_uuid"]})
    login = {"username": stack["HR_DEMO_DB_USER"], "password": stack["HR_DEMO_DB_PASSWORD"], "data_source_desc": PLANT}
    user.post(f"/connection/database/{objects['db_uuid']}/connection/", json=login)
    history = [{"role": "user", "content": PLANT}, {"role": "assistant", "content": PLANT}]
    user.post(f"/chat/team/{objects['team_uuid']}/", json={"messages": history})
    tenant.ask(f"How many {PLANT} are there?")
    bucket = fields_in_json(stack["BUCKET_URL"], stack["BUCKET"])
    owner.post("/connection/storage/", json=bucket | {"alias": PLANT, "prefix": PLANT, "active": True})
    moving = "/connection/storage/migration-status/"
    within(30, lambda: (status := owner.get(moving))["total"] > 0 and status["done"] == status["total"])


async def test_a_deleted_client_leaves_nothing_in_any_store(
    operator: Api,
    api: Api,
    client: dict[str, str],
    stack: dict[str, str],
    stack_folder: Path,
    buckets: ObjectServer,
) -> None:
    tenant = Tenant.enter(api, client["client_secret"]).with_demo(stack)
    fill(tenant, as_user(tenant.secret, client["owner_user_uuid"]), stack)
    client_uuid = client["client_uuid"]
    filled = {f"{schema}.{table}" for schema, names in FILLED.items() for table in names.split()}
    before = await traces(stack_folder, [client_uuid])
    assert before.keys() >= {*filled, "CHAT", "files"}, filled - before.keys()
    assert any(client_uuid in key for key in buckets.keys(stack["BUCKET"]))
    words = {PLANT, PLANT.lower(), *await uuids_of(stack_folder, client_uuid)}
    assert len(words) > 30
    operator.delete(f"/account/client/{client_uuid}/")
    assert tenant.secret.call("POST", "/account/team/", params={"team_name": "late"}).status_code == 401
    within(TOKENS_END_SECONDS, answers(tenant.user, 401))
    give_up = time.monotonic() + ERASED_SECONDS
    while left := await traces_left(stack_folder, words):
        assert time.monotonic() < give_up, left
        time.sleep(0.5)  # noqa: ASYNC251 - nothing else runs in this process
    assert not any(client_uuid in key for key in buckets.keys(stack["BUCKET"]))
    # Events tell settings, of which its origin is one; whatever else its people wrote stands nowhere, not even there.
    assert await traces(stack_folder, [PLANT]) == {}
    listed = operator.get("/account/client/list/", params={"limit": 200})["data"]
    assert client_uuid not in {entry["client_uuid"] for entry in listed}


async def traces_left(folder: Path, words: set[str]) -> dict[str, set[str]]:
    found = await traces(folder, words)
    return {where: what for where, what in found.items() if where not in STAYS}
