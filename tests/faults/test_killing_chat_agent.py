"""SIGKILL to the chat-agent at work, while the model answers or the statement runs: the same call gets one answer."""

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from basejump_devstack import hr_demo, services
from basejump_devstack.model_server import ModelServer
from cluster import Cluster, open_cluster
from installation import new_client
from model_clients import script
from rest import Api, Tenant, demo_database, wait_indexed
from soaking import times

REPLICAS = 3
STATEMENT_SECONDS = 1.5
MODEL_SECONDS = 1.5
LATE_SECONDS = 15.0
KILLS = times(3, soak=40)
QUESTION = "How many dozes are there?"
MODEL = f"""
[[rule]]
[[rule.step]]
delay = {MODEL_SECONDS}
[[rule.step.call]]
tool = "run_sql"
arguments = {{ reading = "number of dozes", sql = "select count(*) as dozes from bed.doze" }}
"""
BED = f"""
create schema bed;
create view bed.doze as
    select n as doze_id from generate_series(1, 2) n where n = 1 or pg_sleep({STATEMENT_SECONDS}) is not null;
grant usage on schema bed to {hr_demo.READER};
grant select on all tables in schema bed to {hr_demo.READER};
"""


@dataclass
class Ward:
    """Three replicas of chat-agent with a model, and a chat to ask in."""

    cluster: Cluster
    server: ModelServer
    tenant: Tenant
    settings: dict[str, str]
    delays: list[float] = field(default_factory=list)

    async def ask(self) -> tuple[str, dict[str, Any]]:
        """A question in a chat of its own: the chat, and the final message of the one call."""
        async with self._client() as client:
            chat: str = (await client.post(f"/chat/team/{self.tenant.objects['team_uuid']}/")).json()["chat_uuid"]
            answer = await client.post(f"/chat/{chat}/message/", json={"prompt": QUESTION})
            assert answer.status_code == 200, answer.text
            return chat, answer.json()

    async def messages(self, chat: str) -> list[dict[str, Any]]:
        async with self._client() as client:
            found: list[dict[str, Any]] = (await client.get(f"/chat/{chat}/message/")).json()["data"]
            return found

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[httpx.AsyncClient]:
        headers = self.tenant.user.headers
        async with httpx.AsyncClient(base_url=self.cluster.base_url, headers=headers, timeout=120) as client:
            yield client

    async def kill_the_one_at_work(self) -> None:
        """SIGKILL, and another replica takes its place."""
        worker = await self.value("select worker from chat_agent.job where kind = 'answer' and state = 'running'")
        number = int(str(worker).split("/")[1])
        replicas = self.cluster.replicas["chat-agent"]
        at_work = next(replica for replica in replicas if replica.process.pid == number)
        replicas.remove(at_work)
        assert await at_work.end(signal.SIGKILL) == -signal.SIGKILL
        await self.cluster.start("chat-agent", settings=self.settings)

    async def value(self, sql: str, *arguments: Any) -> Any:
        database = await self.cluster.installation.database()
        try:
            return await database.fetchval(sql, *arguments)
        finally:
            await database.close()


@pytest.fixture(scope="module")
async def ward(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ward]:
    async with (
        ModelServer(script(MODEL)) as server,
        open_cluster(tmp_path_factory.mktemp("ward")) as cluster,
    ):
        settings = {"llm": "openai:scripted", "openai_base_url": server.openai_url, "openai_api_key": "any"}
        others = (cluster.start(name) for name in ("auth", "account", "connection-indexer", services.GATEWAY))
        await asyncio.gather(*others, cluster.start("chat-agent", REPLICAS, settings))
        tenant = await _tenant(cluster)
        yield Ward(cluster, server, tenant, settings)


async def _tenant(cluster: Cluster) -> Tenant:
    created = await new_client(cluster.installation)
    admin = await asyncpg.connect(cluster.installation.around.postgres.dsn(database=hr_demo.DATABASE))
    try:
        await admin.execute(BED)
    finally:
        await admin.close()

    def enter() -> Tenant:
        api = Api(httpx.Client(base_url=cluster.base_url, timeout=60))
        tenant = Tenant.enter(api, created.client_secret.reveal())
        database = demo_database(cluster.demo) | {"schemas": [{"schema_nm": "bed"}]}
        made = tenant.user.post("/connection/database/", json=database)
        tenant.user.post(f"/connection/{made['conn_uuid']}/team/", json={"team_uuids": [tenant.objects["team_uuid"]]})
        wait_indexed(tenant.user, made["db_uuid"])
        return tenant

    return await asyncio.to_thread(enter)


@pytest.fixture(scope="module")
async def undisturbed(ward: Ward) -> float:
    """Seconds that the question takes when nobody is killed."""
    await ward.ask()
    started = time.monotonic()
    await ward.ask()
    return time.monotonic() - started


@pytest.mark.soak
@pytest.mark.parametrize("kill", range(KILLS))
async def test_the_call_is_answered_once_although_its_worker_was_killed(
    ward: Ward, undisturbed: float, kill: int
) -> None:
    started, asked = time.monotonic(), ward.server.log.total
    asking = asyncio.create_task(ward.ask())
    at_work = _statement_runs if kill % 2 else _model_works
    async with asyncio.timeout(20):
        while not await at_work(ward, asked):  # noqa: ASYNC110 (another process's state)
            await asyncio.sleep(0.02)
    await asyncio.sleep(random.uniform(0, 0.8) * min(STATEMENT_SECONDS, MODEL_SECONDS))
    await ward.kill_the_one_at_work()
    chat, final = await asking
    late = time.monotonic() - started - undisturbed
    print(f"killed while {at_work.__name__.strip('_')}: answered {late:.1f} s later than undisturbed")
    assert (final["msg_type"], final["content"]) == ("response", "There are 2 dozes.")
    assert late <= LATE_SECONDS
    assert await ward.messages(chat) == [final]
    runs = await ward.value(
        "select count(*) from connection_indexer.run where prompt_uuid = $1", UUID(final["prompt_uuid"])
    )
    assert runs == 1
    assert ward.server.log.total - asked == (1 if kill % 2 else 2)


async def _model_works(ward: Ward, asked: int) -> bool:
    return ward.server.log.total > asked


async def _statement_runs(ward: Ward, _asked: int) -> bool:
    active = "select count(*) from pg_stat_activity where usename = $1 and state = 'active' and query like '%doze%'"
    return bool(await ward.value(active, hr_demo.READER))
