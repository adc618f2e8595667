"""One Idempotency-Key, many calls: over two gateways, and while a gateway or the service is killed, one effect."""

import asyncio
import signal
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from basejump_cli.operator import create_internal
from basejump_devstack import services
from cluster import Cluster, Replica, open_cluster
from installation import new_client, operator_settings
from rest import Api, Tenant

CALLS = 50


@pytest.fixture(scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """Two gateways; of the other services one process each."""
    async with open_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        for name in services.STATEFUL:
            await cluster.start(name)
        await cluster.start(services.GATEWAY, 2)
        yield cluster


@pytest.fixture(scope="module")
async def tenant(cluster: Cluster) -> Tenant:
    created = await new_client(cluster.installation)

    def enter() -> Tenant:
        api = Api(httpx.Client(base_url=cluster.base_url, timeout=60))
        return Tenant.enter(api, created.client_secret.reveal()).with_demo(cluster.demo)

    return await asyncio.to_thread(enter)


def url(gateway: Replica, path: str) -> str:
    return f"http://127.0.0.1:{gateway.port}/api/v1{path}"


def by_key(tenant: Tenant) -> dict[str, str]:
    return tenant.user.headers | {"Idempotency-Key": uuid4().hex}


async def test_fifty_calls_over_two_gateways_have_one_effect(cluster: Cluster, tenant: Tenant) -> None:
    headers = by_key(tenant)
    async with httpx.AsyncClient(timeout=60, headers=headers) as client:
        answers = await asyncio.gather(
            *(
                client.post(url(cluster.replicas["gateway"][n % 2], "/account/team/"), json={"team_name": "fifty"})
                for n in range(CALLS)
            )
        )
        other = await client.post(url(cluster.replicas["gateway"][0], "/account/team/"), json={"team_name": "other"})
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert other.status_code == 422
    assert other.json()["errors"][0]["field"] == "Idempotency-Key"
    assert await named(cluster, tenant, "fifty") == [answers[0].json()["team_uuid"]]


async def test_a_question_asked_fifty_times_under_one_key_is_one_question(cluster: Cluster, tenant: Tenant) -> None:
    headers = by_key(tenant)
    async with httpx.AsyncClient(timeout=60, headers=tenant.user.headers) as client:
        first, second = cluster.replicas["gateway"]
        team = tenant.objects["team_uuid"]
        chat = (await client.post(url(first, f"/chat/team/{team}/"))).json()["chat_uuid"]
        path, body = f"/chat/{chat}/message/", {"prompt": "How many employees are there?"}
        asked = (client.post(url((first, second)[n % 2], path), json=body, headers=headers) for n in range(CALLS))
        answers = [answer.json() for answer in await asyncio.gather(*asked)]
        again = (await client.post(url(second, path), json=body, headers=headers)).json()
        streamed = await client.post(url(first, path), json=body, headers=headers | {"Accept": "text/event-stream"})
        messages = (await client.get(url(first, path))).json()["data"]
    assert {(message["msg_type"], message["msg_uuid"]) for message in [*answers, again]} == {
        ("response", messages[0]["msg_uuid"])
    }
    assert "107" in again["content"]
    assert '"response"' in streamed.text.rsplit("data: ", 1)[-1]
    assert len(messages) == 1


async def test_the_gateway_dies_and_the_repetition_gets_the_answer(cluster: Cluster, tenant: Tenant) -> None:
    """The service finishes what was asked; the second call, through the other gateway, waits for it."""
    doomed = (await cluster.start("gateway"))[0]
    cluster.replicas["gateway"].remove(doomed)
    headers = by_key(tenant)
    async with httpx.AsyncClient(timeout=60, headers=headers) as client:
        (account,) = cluster.replicas["account"]
        account.process.send_signal(signal.SIGSTOP)
        lost = asyncio.create_task(client.post(url(doomed, "/account/team/"), json={"team_name": "orphan"}))
        await asyncio.sleep(0.5)
        await doomed.end(signal.SIGKILL)
        again = asyncio.create_task(
            client.post(url(cluster.replicas["gateway"][0], "/account/team/"), json={"team_name": "orphan"})
        )
        await asyncio.sleep(0.2)
        account.process.send_signal(signal.SIGCONT)
        with pytest.raises(httpx.TransportError):
            await lost
        answer = await again
        assert answer.status_code == 200, answer.text
    assert await named(cluster, tenant, "orphan") == [answer.json()["team_uuid"]]


async def named(cluster: Cluster, tenant: Tenant, name: str) -> list[str]:
    async with httpx.AsyncClient(timeout=60, headers=tenant.user.headers) as client:
        page = await client.get(url(cluster.replicas["gateway"][0], "/account/team/"), params={"limit": 200})
    return [team["team_uuid"] for team in page.json()["data"] if team["team_name"] == name]


async def test_the_service_dies_in_the_middle_and_the_repetition_has_the_one_effect(cluster: Cluster) -> None:
    """Creating a client waits for auth inside account's transaction: there account is killed."""
    (account,), (auth,) = cluster.replicas["account"], cluster.replicas["auth"]
    secret = await create_internal(operator_settings(cluster.installation), "idempotency")
    operator = {"client-secret": secret.client_secret.reveal()}
    headers = operator | {"Idempotency-Key": uuid4().hex}
    body = {"client_name": "half done"}
    async with httpx.AsyncClient(timeout=60) as client:
        gateway = cluster.replicas["gateway"][0]
        auth.process.send_signal(signal.SIGSTOP)
        broken = asyncio.create_task(client.post(url(gateway, "/account/client/"), json=body, headers=headers))
        await asyncio.sleep(1)
        await account.end(signal.SIGKILL)
        cluster.replicas["account"].clear()
        auth.process.send_signal(signal.SIGCONT)
        await cluster.start("account")
        assert (await broken).status_code in (503, 504)
        answers = [await client.post(url(gateway, "/account/client/"), json=body, headers=headers) for _ in range(3)]
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["client_secret"] for answer in answers}) == 1
        page = await client.get(url(gateway, "/account/client/list/"), params={"limit": 200}, headers=operator)
    assert [one["client_name"] for one in page.json()["data"]].count("half done") == 1
