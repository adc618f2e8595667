"""SIGKILL to the connection-indexer that runs a statement: the statement ends, another replica runs it, one answer."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from basejump_devstack import hr_demo, services
from cluster import Cluster, open_cluster
from identity import within
from installation import new_client
from rest import Api, Tenant, demo_database, wait_indexed

STATEMENT_SECONDS = 50.0
NOTICED_SECONDS = 15.0
"""The server looks every second whether its client is there."""
LATE_SECONDS = 40.0
"""The lease of a run is ten seconds, and who waits for it asks again after ten."""
BED = f"""
create schema bed;
create table bed.pace (seconds float);
insert into bed.pace values ({STATEMENT_SECONDS});
create view bed.doze as
    select n as doze_id from generate_series(1, 2) n
    where n = 1 or pg_sleep((select seconds from bed.pace)) is not null;
grant usage on schema bed to {hr_demo.READER};
grant select on all tables in schema bed to {hr_demo.READER};
"""


@pytest.fixture(scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """One process of every service."""
    async with open_cluster(tmp_path_factory.mktemp("killed")) as opened:
        names = (*services.STATEFUL, services.GATEWAY)
        await asyncio.gather(*(opened.start(name) for name in names))
        yield opened


async def in_their_database(cluster: Cluster, sql: str) -> None:
    admin = await asyncpg.connect(cluster.installation.around.postgres.dsn(database=hr_demo.DATABASE))
    try:
        await admin.execute(sql)
    finally:
        await admin.close()


async def enter(cluster: Cluster) -> Tenant:
    created = await new_client(cluster.installation)
    await in_their_database(cluster, BED)

    def set_up() -> Tenant:
        tenant = Tenant.enter(Api(httpx.Client(base_url=cluster.base_url, timeout=60)), created.client_secret.reveal())
        database = demo_database(cluster.demo) | {"schemas": [{"schema_nm": "bed"}]}
        made = tenant.user.post("/connection/database/", json=database)
        tenant.user.post(f"/connection/{made['conn_uuid']}/team/", json={"team_uuids": [tenant.objects["team_uuid"]]})
        wait_indexed(tenant.user, made["db_uuid"])
        return tenant

    return await asyncio.to_thread(set_up)


async def test_the_statement_ends_with_its_replica_and_another_one_answers(cluster: Cluster) -> None:
    tenant = await enter(cluster)
    (doomed,) = cluster.replicas["connection-indexer"]
    asking = asyncio.create_task(ask(cluster, tenant))
    assert await within(20, lambda: holds(cluster, bool))
    await cluster.start("connection-indexer")
    killed = time.monotonic()
    assert await doomed.end(signal.SIGKILL) == -signal.SIGKILL
    assert await within(NOTICED_SECONDS, lambda: holds(cluster, lambda count: count == 0))
    await in_their_database(cluster, "update bed.pace set seconds = 0")
    final = await asking
    assert (final["msg_type"], final["content"]) == ("response", "There are 2 dozes.")
    assert time.monotonic() - killed < LATE_SECONDS < STATEMENT_SECONDS, "it would have ended by itself"
    runs = "select array_agg(attempt) from connection_indexer.run where prompt_uuid = $1"
    assert await value(cluster, runs, UUID(final["prompt_uuid"])) == [2]


async def ask(cluster: Cluster, tenant: Tenant) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=cluster.base_url, headers=tenant.user.headers, timeout=120) as client:
        chat = (await client.post(f"/chat/team/{tenant.objects['team_uuid']}/")).json()["chat_uuid"]
        answer = await client.post(f"/chat/{chat}/message/", json={"prompt": "How many dozes are there?"})
        found: dict[str, Any] = answer.json()
        return found


async def holds(cluster: Cluster, what: Callable[[int], bool]) -> bool:
    """About the number of statements that run."""
    active = "select count(*) from pg_stat_activity where usename = $1 and state = 'active' and query like '%doze%'"
    return what(await value(cluster, active, hr_demo.READER))


async def value(cluster: Cluster, sql: str, *arguments: Any) -> Any:
    database = await cluster.installation.database()
    try:
        return await database.fetchval(sql, *arguments)
    finally:
        await database.close()
