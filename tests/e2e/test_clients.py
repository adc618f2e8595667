"""A client's life: suspended, resumed, deleted; after that no store knows of it."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rest import Api, Tenant, within
from stores import subjects, tables

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


async def test_a_deleted_client_leaves_nothing_in_any_store(
    operator: Api, api: Api, client: dict[str, str], stack: dict[str, str], stack_folder: Path
) -> None:
    tenant = Tenant.enter(api, client["client_secret"]).with_demo(stack)
    assert "107" in tenant.ask("How many employees are there?")["content"]
    client_uuid = client["client_uuid"]
    before = await stores(stack_folder, client_uuid)
    assert {"account.client", "auth.session", "connection_indexer.run", "chat_agent.prompt", "results"} <= before
    assert any(name.startswith(f"basejump.v1.chat-stream.{client_uuid}.") for name in before)
    operator.delete(f"/account/client/{client_uuid}/")
    assert tenant.secret.call("POST", "/account/team/", params={"team_name": "late"}).status_code == 401
    within(TOKENS_END_SECONDS, answers(tenant.user, 401))
    give_up = time.monotonic() + ERASED_SECONDS
    while left := await stores(stack_folder, client_uuid):
        assert time.monotonic() < give_up, left
        time.sleep(0.5)  # noqa: ASYNC251 - nothing else runs in this process
    listed = operator.get("/account/client/list/", params={"limit": 200})["data"]
    assert client_uuid not in {entry["client_uuid"] for entry in listed}


async def stores(folder: Path, client_uuid: str) -> set[str]:
    """Every table, subject and folder that names the client; but for the events of the last thirty days."""
    async with tables(folder) as (connection, names):
        holds = "select exists (select from {} as r where strpos(r::text, $1) > 0)"
        found = {name for name in names if await connection.fetchval(holds.format(name), client_uuid)}
    on_nats = [name for name in await subjects(folder) if client_uuid in name]
    found |= {name for name in on_nats if not name.startswith("basejump.v1.event.")}
    files = [path for path in (folder / "results").rglob("*") if path.is_file() and client_uuid in str(path)]
    return found | ({"results"} if files else set())
