"""Two major versions side by side: the older one says since when it is old, when it ends and what follows."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from basejump_common.contracts import account, auth
from basejump_common.security.tokens import Signer
from basejump_devstack.child import free_port
from basejump_gateway.routes import GET, POST, Route
from basejump_gateway.versions import VERSIONS, Retirement, Served, Version
from gateway_backend import Account, Auth, bearer, client_of, problem_of, token
from installation import Installation, ready

V0 = Version(
    "/api/v0",
    (
        Route(POST, "/account/team/", account.CREATE_TEAM, "Create a team", query=("team_name",)),
        Route(GET, "/account/old-team/{team_uuid}/", account.GET_TEAM, "Get a team"),
        Route(GET, "/auth/jwks/", auth.GET_JWKS, "Get the keys that verify tokens"),
    ),
)
V2 = Version(
    "/api/v2",
    (
        Route(POST, "/account/team/", account.CREATE_TEAM, "Create a team"),
        Route(GET, "/account/team/{team_uuid}/", account.GET_TEAM, "Get a team"),
        Route(GET, "/auth/jwks/", auth.GET_JWKS, "Get the keys that verify tokens"),
    ),
)
SETTINGS = {
    "older_version_deprecated_on": "2026-01-31",
    "older_version_sunset_on": "2027-02-01",
    "older_version_documentation": "https://docs.example.com/v2",
}


@pytest.fixture(scope="module")
async def both(
    installation: Installation, account_service: Account, auth_service: Auth
) -> AsyncIterator[httpx.AsyncClient]:
    assert account_service
    assert auth_service
    port = free_port(0)
    given = SETTINGS | {"port": str(port)}
    async with (
        installation.serving("gateway", given, versions=(V0, V2)) as service,
        client_of(f"http://127.0.0.1:{port}") as client,
    ):
        await ready(service)
        yield client


async def test_the_older_version_says_farewell_and_works(both: httpx.AsyncClient, signer: Signer) -> None:
    answer = await both.post("/api/v0/account/team/?team_name=a", headers=bearer(token(signer)))
    assert answer.json()["team_name"] == "a"
    assert answer.headers["deprecation"] == f"@{int(datetime(2026, 1, 31, tzinfo=UTC).timestamp())}"
    assert parsedate_to_datetime(answer.headers["sunset"]) == datetime(2027, 2, 1, tzinfo=UTC)
    assert answer.headers.get_list("link") == [
        '<https://docs.example.com/v2>; rel="deprecation"; type="text/html"',
        '</api/v2/account/team/>; rel="successor-version"',
    ]


async def test_its_refusals_do_too(both: httpx.AsyncClient) -> None:
    refused = await both.post("/api/v0/account/team/")
    problem_of(refused, 401)
    assert "deprecation" in refused.headers


async def test_what_has_no_successor_of_its_own_leads_to_the_newer_version(
    both: httpx.AsyncClient, signer: Signer
) -> None:
    gone = await both.get(f"/api/v0/account/old_team/{'0' * 8}/", headers=bearer(token(signer)))
    assert '</api/v2/>; rel="successor-version"' in gone.headers.get_list("link")


async def test_the_newer_version_is_not_deprecated(both: httpx.AsyncClient, signer: Signer) -> None:
    answer = await both.post("/api/v2/account/team/", json={"team_name": "b"}, headers=bearer(token(signer)))
    assert answer.json()["team_name"] == "b"
    assert not {"deprecation", "sunset", "link"} & answer.headers.keys()
    problem_of(await both.post("/api/v1/account/team/"), 404)


async def test_the_document_describes_each(both: httpx.AsyncClient) -> None:
    document: dict[str, Any] = (await both.get("/api/openapi.json")).json()
    validate(document, cls=OpenAPIV31SpecValidator)
    assert document["info"]["version"] == "2"
    old = document["paths"]["/api/v0/account/team/"]["post"]
    new = document["paths"]["/api/v2/account/team/"]["post"]
    assert (old["deprecated"], old["operationId"]) == (True, "v0.account.team.create")
    assert {"Deprecation", "Sunset", "Link"} <= old["responses"]["200"]["headers"].keys()
    assert "deprecated" not in new
    assert new["operationId"] == "account.team.create"


def test_today_there_is_one_version_and_nothing_is_deprecated() -> None:
    served = Served(VERSIONS, Retirement(deprecated_on=date(2026, 1, 1)))
    (version,) = served.versions
    assert served.farewell(version, version.routes[0])("/api/v1/auth/token/") == []


def test_three_versions_or_an_end_before_its_announcement_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 2"):
        Served((V0, *VERSIONS, V2), Retirement())
    with pytest.raises(ValueError, match="before it is deprecated"):
        Retirement(deprecated_on=date(2026, 2, 1), sunset_on=date(2026, 1, 1))
