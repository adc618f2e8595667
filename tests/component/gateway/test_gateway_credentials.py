"""Which credential opens which call, and what is said to the others."""

import asyncio
import time
from uuid import uuid4

import httpx
import pytest

from basejump_common.bus import REVOCATIONS
from basejump_common.security.principal import Credential
from basejump_common.security.tokens import Signer
from gateway_backend import GOOD_SECRET, USER, Account, Auth, bearer, problem_of, token
from installation import Installation


async def test_a_token_of_the_wrong_kind_is_401_and_says_what_to_send(api: httpx.AsyncClient, signer: Signer) -> None:
    url = "/api/v1/account/team/"
    for kind in (Credential.REFRESH, Credential.DELEGATED, Credential.CLIENT_SECRET):
        response = await api.get(url, headers=bearer(token(signer, credential=kind)))
        assert "access token" in problem_of(response, 401)["detail"]
        assert response.headers["www-authenticate"].startswith("Bearer")
    response = await api.get(url, headers={"client-secret": GOOD_SECRET})
    assert "access token" in problem_of(response, 401)["detail"]
    response = await api.post("/api/v1/auth/access-token/", headers=bearer(token(signer)))
    assert "refresh token" in problem_of(response, 401)["detail"]
    response = await api.post(f"/api/v1/auth/token/?user_uuid={USER}", headers=bearer(token(signer)))
    assert "client-secret" in problem_of(response, 401)["detail"]


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer x.y.z", "Basic YTpi", "Bearer é", "Bearer a b c"])
async def test_a_malformed_credential_is_401(api: httpx.AsyncClient, value: str) -> None:
    headers = {b"Authorization": value.encode()}
    problem_of(await api.get("/api/v1/account/team/", headers=headers), 401)


async def test_an_expired_token_is_401(api: httpx.AsyncClient, signer: Signer) -> None:
    problem_of(await api.get("/api/v1/account/team/", headers=bearer(token(signer, seconds=-5))), 401)


async def test_a_client_secret_is_exchanged_once_in_a_minute(
    api: httpx.AsyncClient, auth_service: Auth, account_service: Account
) -> None:
    before = auth_service.exchanges
    for _ in range(3):
        headers = {"client-secret": GOOD_SECRET}
        assert (await api.post("/api/v1/account/user/?username=ann", headers=headers)).status_code == 200
    assert auth_service.exchanges - before <= 1
    assert account_service.contexts[-1].caller.credential is Credential.CLIENT_SECRET


async def test_a_wrong_client_secret_is_401(api: httpx.AsyncClient) -> None:
    for wrong in (b"bj_test_bad", b"\xff\xfe", b""):
        response = await api.post("/api/v1/account/user/?username=ann", headers={b"client-secret": wrong})
        problem_of(response, 401)


async def test_a_revoked_client_secret_is_noticed_at_once(
    api: httpx.AsyncClient, auth_service: Auth, installation: Installation
) -> None:
    headers = {"client-secret": GOOD_SECRET}
    url = "/api/v1/account/user/?username=ann"
    assert (await api.post(url, headers=headers)).status_code == 200
    async with installation.bus("auth") as bus:
        await bus.put(REVOCATIONS, f"secret.{auth_service.secret_uuid}", str(int(time.time())).encode())
    await asyncio.sleep(0.2)
    problem_of(await api.post(url, headers=headers), 401)
    auth_service.secret_uuid = uuid4()
    assert (await api.post(url, headers=headers)).status_code == 200
