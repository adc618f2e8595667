"""What an OWNER sets for the client, what that changes for whom, and how other services read it."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import msgspec
import pytest

import identity
from basejump_common.bus import Bus, Context
from basejump_common.bus.client_settings import SettingsOfClients
from basejump_common.bus.remembered import REMEMBER_SECONDS, Remembered
from basejump_common.contracts import account
from basejump_common.contracts.client_settings import (
    ClientSettings,
    OverBudget,
    UpdateClientSettings,
    UpdateVerifyMode,
    VerifyMode,
)
from basejump_common.contracts.common import Nothing
from basejump_common.errors import Forbidden, NotFound
from basejump_common.security.principal import UserRole
from gateway_backend import client_of, running
from identity import House
from installation import Installation


@pytest.fixture(scope="module")
async def house(installation: Installation) -> AsyncIterator[House]:
    async with identity.people(installation) as opened:
        yield opened


@pytest.fixture
async def bus(installation: Installation) -> AsyncIterator[Bus]:
    async with installation.bus("connection-indexer") as opened:
        yield opened


@pytest.fixture(scope="module")
async def rest(installation: Installation, house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with running(installation) as url, client_of(url) as client:
        yield client


async def test_what_is_given_changes_and_null_sets_it_back(house: House) -> None:
    owner = await (await house.tenant()).owner()
    request = UpdateClientSettings(llm="openai:gpt-x", estimated_cost=1.5, over_budget=OverBudget.ASK)
    given = await owner.call(account.UPDATE_CLIENT_SETTINGS, request)
    assert given.settings == ClientSettings(llm="openai:gpt-x", estimated_cost=1.5, over_budget=OverBudget.ASK)
    assert given.llm == "openai:gpt-x"
    request = UpdateClientSettings(llm=None, over_budget=None, result_rows=10, send_preview_to_llm=False)
    await owner.call(account.UPDATE_CLIENT_SETTINGS, request)
    seen = await owner.call(account.GET_CLIENT, Nothing())
    assert seen.settings == ClientSettings(estimated_cost=1.5, result_rows=10, send_preview_to_llm=False)
    assert seen.llm is None


def test_every_setting_can_be_changed() -> None:
    settings, update = msgspec.structs.fields(ClientSettings), msgspec.structs.fields(UpdateClientSettings)
    assert [field.name for field in settings] == [field.name for field in update]


async def test_two_who_set_different_things_at_once_both_succeed(house: House) -> None:
    owner = await (await house.tenant()).owner()
    requests = [UpdateClientSettings(result_rows=5), UpdateClientSettings(tokens_per_day=7)]
    await asyncio.gather(*(owner.call(account.UPDATE_CLIENT_SETTINGS, request) for request in requests))
    seen = await owner.call(account.GET_CLIENT, Nothing())
    assert seen.settings == ClientSettings(result_rows=5, tokens_per_day=7)


async def test_only_an_owner_sets_and_every_member_sees(house: House) -> None:
    tenant = await house.tenant()
    admin, member = await tenant.person(UserRole.ADMIN), await tenant.person(UserRole.MEMBER)
    with pytest.raises(Forbidden):
        await admin.call(account.UPDATE_CLIENT_SETTINGS, UpdateClientSettings(result_rows=5))
    with pytest.raises(Forbidden):
        await admin.call(account.UPDATE_VERIFY_MODE, UpdateVerifyMode(verify_mode=VerifyMode.STRICT))
    await (await tenant.owner()).call(account.UPDATE_CLIENT_SETTINGS, UpdateClientSettings(result_rows=5))
    assert (await member.call(account.GET_CLIENT, Nothing())).settings.result_rows == 5


async def test_settings_are_one_clients_alone(house: House) -> None:
    tenant, other = await house.tenant(), await house.tenant()
    await (await tenant.owner()).call(account.UPDATE_CLIENT_SETTINGS, UpdateClientSettings(result_rows=5))
    assert (await (await other.owner()).call(account.GET_CLIENT, Nothing())).settings == ClientSettings()


async def test_a_change_is_an_event(house: House, installation: Installation) -> None:
    owner = await (tenant := await house.tenant()).owner()
    await owner.call(account.UPDATE_VERIFY_MODE, UpdateVerifyMode(verify_mode=VerifyMode.STRICT))
    superuser = await installation.database()
    try:
        subject = account.CLIENT_UPDATED.subject(tenant.client_uuid)
        payload = await superuser.fetchval("select payload from account.outbox where subject = $1", subject)
    finally:
        await superuser.close()
    assert msgspec.json.decode(payload)["data"]["verify_mode"] == "STRICT"


async def test_over_rest_names_and_bounds_are_checked(house: House, rest: httpx.AsyncClient) -> None:
    owner = await (await house.tenant()).owner()
    headers = {"Authorization": f"Bearer {owner.token.reveal() if owner.token else ''}"}

    async def put(path: str, **arguments: object) -> httpx.Response:
        return await rest.put(f"/api/v1/account/client/{path}/", headers=headers, **arguments)  # type: ignore[arg-type]

    assert (await put("settings", json={"result_rows": 10, "llm": "anthropic:claude"})).json()["llm"] == (
        "anthropic:claude"
    )
    assert (await put("settings", json={"llm": None})).json()["settings"]["result_rows"] == 10
    assert (await put("verify_mode", params={"verify_mode": "STRICT"})).json()["verify_mode"] == "STRICT"
    wrong = {"result_rows": 0, "llm": "no provider", "colour": 1}
    for name, value in wrong.items():
        refused = await put("settings", json={name: value})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, name)
    assert (await put("verify-mode", params={"verify_mode": "LAX"})).status_code == 422


async def test_other_services_read_a_change_once_what_they_remember_is_old(house: House, bus: Bus) -> None:
    owner = await (tenant := await house.tenant()).owner()
    reader, quick = SettingsOfClients(bus), SettingsOfClients(bus, seconds=0)
    for one in (reader, quick):
        assert (await one.choices(tenant.client_uuid, Context.new())).settings == ClientSettings()
    await owner.call(account.UPDATE_CLIENT_SETTINGS, UpdateClientSettings(result_rows=5))
    assert (await reader.choices(tenant.client_uuid, Context.new())).settings == ClientSettings()
    assert (await quick.choices(tenant.client_uuid, Context.new())).settings.result_rows == 5


async def test_other_services_learn_that_a_client_is_unknown(house: House, bus: Bus) -> None:
    with pytest.raises(NotFound):
        await SettingsOfClients(bus).choices(uuid4(), Context.new())


async def test_what_is_remembered_is_bounded_and_asked_again_after_five_seconds() -> None:
    asked = []

    async def ask() -> int:
        asked.append(1)
        return len(asked)

    known: Remembered[str, int] = Remembered(most=2)
    assert [await known.get(key, ask) for key in "aabac"] == [1, 1, 2, 1, 3]
    assert await known.get("a", ask) == 4, "the oldest of three made room"
    assert REMEMBER_SECONDS == 5
