"""SIGTERM to one of two replicas while 32 connections keep asking: no request is lost."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from cluster import Cluster
from installation import new_client
from rest import Api, Tenant

CONNECTIONS = 32
SECONDS_BEFORE = 0.7
SECONDS_AFTER = 0.7


@pytest.fixture(scope="module")
async def tenant(cluster: Cluster) -> Tenant:
    """A client of its own with the demo database indexed and a chat."""
    created = await new_client(cluster.installation)

    def enter() -> Tenant:
        api = Api(httpx.Client(base_url=cluster.base_url, timeout=60))
        tenant = Tenant.enter(api, created.client_secret.reveal()).with_demo(cluster.demo)
        tenant.objects["chat_uuid"] = tenant.user.post(f"/chat/team/{tenant.objects['team_uuid']}/")["chat_uuid"]
        return tenant

    return await asyncio.to_thread(enter)


CALLS: dict[str, Callable[[dict[str, str]], tuple[str, str]]] = {
    "auth": lambda _: ("GET", "/auth/jwks/"),
    "account": lambda own: ("POST", f"/account/user/{own['user_uuid']}/team/{own['team_uuid']}/"),
    "connection-indexer": lambda own: ("GET", f"/connection/database/{own['db_uuid']}/table/"),
    "chat-agent": lambda own: ("GET", f"/chat/{own['chat_uuid']}/message/"),
}


@pytest.mark.parametrize("service", CALLS)
async def test_no_request_is_lost(cluster: Cluster, tenant: Tenant, service: str) -> None:
    method, path = CALLS[service](tenant.objects)
    stop = asyncio.Event()
    answers: list[int] = []

    async def ask() -> None:
        async with httpx.AsyncClient(base_url=cluster.base_url, headers=tenant.user.headers, timeout=30) as client:
            while not stop.is_set():
                answers.append((await client.request(method, path)).status_code)

    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(ask())
        await asyncio.sleep(SECONDS_BEFORE)
        ended = cluster.replicas[service].pop(0)
        assert await ended.end() == 0
        await asyncio.sleep(SECONDS_AFTER)
        stop.set()
    assert set(answers) == {200}, {status: answers.count(status) for status in set(answers)}
    assert len(answers) > 5 * CONNECTIONS


async def test_a_question_outlives_the_worker_that_is_told_to_stop(cluster: Cluster, tenant: Tenant) -> None:
    await cluster.start("chat-agent")
    team = tenant.objects["team_uuid"]

    async def ask() -> dict[str, object]:
        async with httpx.AsyncClient(base_url=cluster.base_url, headers=tenant.user.headers, timeout=60) as client:
            chat = (await client.post(f"/chat/team/{team}/")).json()["chat_uuid"]
            body = {"prompt": "How many employees are there?"}
            answer = await client.post(f"/chat/{chat}/message/", json=body)
            found: dict[str, object] = answer.json()
            return found

    questions = [asyncio.create_task(ask()) for _ in range(12)]
    await asyncio.sleep(0.15)
    assert await cluster.replicas["chat-agent"].pop(0).end() == 0
    for message in await asyncio.gather(*questions):
        assert message["msg_type"] == "response", message
        assert "107" in str(message["content"])
