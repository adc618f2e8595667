"""CORS and limits as clients and the operator set them, over the real account and auth."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

import identity
from basejump_common.security.principal import UserRole
from gateway_backend import bearer, client_of, problem_of, running
from identity import House, Person, Tenant
from installation import Installation

SETTINGS = "/api/v1/account/client/settings/"
TEAMS = "/api/v1/account/team/"
MINE, THEIRS, NOBODYS = "https://app.example.com", "https://other.example.com:8443", "https://evil.example.com"
EVENT_SECONDS = 2.0
REMEMBERED_SECONDS = 5.5


@pytest.fixture(scope="module")
async def house(installation: Installation) -> AsyncIterator[House]:
    async with identity.people(installation) as opened:
        yield opened


@pytest.fixture(scope="module")
async def rest(installation: Installation, house: House) -> AsyncIterator[httpx.AsyncClient]:
    assert house
    async with (
        running(installation, calls_per_minute="50000", calls_per_minute_per_key="5000") as url,
        client_of(url) as client,
    ):
        yield client


def headers_of(person: Person) -> dict[str, str]:
    assert person.token is not None
    return bearer(person.token.reveal())


async def with_origins(house: House, rest: httpx.AsyncClient, *origins: str) -> tuple[Tenant, dict[str, str]]:
    """A client that allows these, and its OWNER's headers."""
    tenant = await house.tenant()
    headers = headers_of(await tenant.owner())
    given = await rest.put(SETTINGS, json={"allowed_origins": origins}, headers=headers)
    assert given.status_code == 200, given.text
    asked = headers | {"Origin": given.json()["settings"]["allowed_origins"][-1]}

    async def known() -> bool:
        return "access-control-allow-origin" in (await rest.get(TEAMS, headers=asked)).headers

    assert await identity.within(EVENT_SECONDS, known)
    return tenant, headers


def preflight(rest: httpx.AsyncClient, origin: str, path: str = TEAMS) -> "asyncio.Future[httpx.Response]":
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x"}
    return asyncio.ensure_future(rest.options(path, headers=asked))


async def test_a_preflight_is_answered_for_any_clients_origin_and_a_call_for_its_own(
    house: House, rest: httpx.AsyncClient
) -> None:
    _, mine = await with_origins(house, rest, MINE)
    await with_origins(house, rest, THEIRS)
    for origin in (MINE, THEIRS):
        answer = await preflight(rest, origin)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == origin
        assert set(answer.headers["access-control-allow-methods"].split(", ")) == {"GET", "POST"}
        assert "Idempotency-Key" in answer.headers["access-control-allow-headers"]
        assert int(answer.headers["access-control-max-age"]) >= 60
    assert "access-control-allow-origin" not in (await preflight(rest, NOBODYS)).headers

    call = await rest.get(TEAMS, headers=mine | {"Origin": MINE})
    assert call.headers["access-control-allow-origin"] == MINE
    assert "RateLimit" in call.headers["access-control-expose-headers"]
    for origin in (THEIRS, NOBODYS):
        answer = await rest.get(TEAMS, headers=mine | {"Origin": origin})
        assert answer.status_code == 200
        assert "access-control-allow-origin" not in answer.headers
    answers = [call, await rest.get(TEAMS, headers=mine), await preflight(rest, NOBODYS)]
    assert all("Origin" in answer.headers["vary"] for answer in answers)
    assert not any("access-control-allow-credentials" in answer.headers for answer in answers)


async def test_a_page_can_read_that_its_token_has_expired_and_what_was_wrong(
    house: House, rest: httpx.AsyncClient
) -> None:
    _, mine = await with_origins(house, rest, MINE)
    expired = await rest.get(TEAMS, headers=bearer("x.y.z") | {"Origin": MINE})
    problem_of(expired, 401)
    assert expired.headers["access-control-allow-origin"] == MINE
    wrong = await rest.get(f"{TEAMS}?nonsense=1", headers=mine | {"Origin": MINE})
    problem_of(wrong, 422)
    assert wrong.headers["access-control-allow-origin"] == MINE


async def test_an_origin_that_is_taken_back_is_forgotten_within_seconds(house: House, rest: httpx.AsyncClient) -> None:
    origin = "https://leaving.example.com"
    _, mine = await with_origins(house, rest, origin, MINE)
    assert "access-control-allow-origin" in (await preflight(rest, origin)).headers
    await rest.put(SETTINGS, json={"allowed_origins": [MINE]}, headers=mine)

    async def forgotten() -> bool:
        return "access-control-allow-origin" not in (await preflight(rest, origin)).headers

    assert await identity.within(EVENT_SECONDS, forgotten)
    assert "access-control-allow-origin" not in (await rest.get(TEAMS, headers=mine | {"Origin": origin})).headers


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "https://*.example.com",
        "null",
        "https://app.example.com/",
        "https://app.example.com/path",
        "https://APP.example.com",
        "ftp://app.example.com",
        "app.example.com",
        "https://user@app.example.com",
        "https://app.example.com:port",
        "https://app.example.com\n",
        "https://app.example.com:65536",
        "https://[::1::2]",
        "https://[.]",
        "https://[127.0.0.1]",
        "https://" + "a" * 300,
    ],
)
async def test_what_no_browser_sends_is_refused(house: House, rest: httpx.AsyncClient, origin: str) -> None:
    owner = await (await house.tenant()).owner()
    refused = await rest.put(SETTINGS, json={"allowed_origins": [origin]}, headers=headers_of(owner))
    assert problem_of(refused, 422)["errors"][0]["field"] == "allowed_origins[0]"


async def test_origins_are_kept_as_browsers_send_them(house: House, rest: httpx.AsyncClient) -> None:
    given = ("https://a.example.com:443", "http://localhost:3000", "http://[::1]:80", "https://a.example.com")
    tenant, mine = await with_origins(house, rest, *given)
    seen = (await rest.get("/api/v1/account/client/", headers=mine)).json()["settings"]["allowed_origins"]
    assert seen == ["https://a.example.com", "http://localhost:3000", "http://[::1]"]
    admin = headers_of(await tenant.person(UserRole.ADMIN))
    problem_of(await rest.put(SETTINGS, json={"allowed_origins": []}, headers=admin), 403)


async def test_a_client_narrows_its_limits_and_the_operator_gives_others(
    house: House, rest: httpx.AsyncClient, installation: Installation
) -> None:
    tenant = await house.tenant()
    owner = headers_of(await tenant.owner())
    secret = {"client-secret": (await identity.internal_secret(installation)).reveal()}

    async def policy() -> str:
        return (await rest.get(TEAMS, headers=owner)).headers["ratelimit-policy"]

    await rest.put(SETTINGS, json={"calls_per_minute": 70_000, "calls_per_minute_per_key": 300}, headers=owner)

    async def narrowed() -> bool:
        return await policy() == '"key";q=300;w=60, "client";q=50000;w=60'

    assert await identity.within(EVENT_SECONDS, narrowed)
    given = await rest.put(
        f"/api/v1/account/client/{tenant.client_uuid}/",
        json={"quota": {"calls_per_minute": 90_000, "calls_per_minute_per_key": 8_000}},
        headers=secret,
    )
    assert given.json()["quota"]["calls_per_minute"] == 90_000
    await asyncio.sleep(REMEMBERED_SECONDS)
    assert await policy() == '"key";q=300;w=60, "client";q=70000;w=60'
    operators = await rest.get("/api/v1/account/client/list/", headers=secret)
    assert operators.headers["ratelimit-policy"] == '"key";q=5000;w=60'
