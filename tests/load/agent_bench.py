"""What the agent adds around a language model: our own time, tokens, and many questions at once. Run by bench.py.

The model is the scripted server, over OpenAI's protocol; its own time, measured by sending it the same request with
nothing else in between, and the customer's database's time are taken off.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from basejump_devstack import services
from basejump_devstack.model_server import ModelServer, load_script
from cluster import Cluster, open_cluster
from installation import new_client
from model_clients import script
from rest import Api, Tenant

QUICKSTART = Path(services.__file__).parent / "model_server" / "scripts" / "quickstart.toml"
QUESTIONS = (
    "How many employees are there?",
    "What is the average salary by department?",
    "Which 5 employees earn the most?",
    "How many dependents does each employee have?",
    "Which employees work in the IT department?",
)
ROUNDS = 80
AT_ONCE = 64
SLOW_SECONDS = 2.0
SLOW = f"""
[[rule]]
[[rule.step]]
delay = {SLOW_SECONDS}
[[rule.step.call]]
tool = "run_sql"
arguments = {{ reading = "number of employees", sql = "select count(*) as employees from hr_demo_db.employees" }}
"""

Line = tuple[str, float, str, float | None]


@dataclass(frozen=True)
class Bench:
    """A stack whose questions the model answers."""

    cluster: Cluster
    server: ModelServer
    client: httpx.AsyncClient
    team_uuid: str

    async def ask(self, question: str) -> tuple[float, dict[str, Any]]:
        """Seconds, and the final message, of a question in a chat of its own."""
        chat = (await self.client.post(f"/chat/team/{self.team_uuid}/")).json()["chat_uuid"]
        started = time.perf_counter()
        answer = await self.client.post(f"/chat/{chat}/message/", json={"prompt": question})
        seconds = time.perf_counter() - started
        message: dict[str, Any] = answer.json()
        assert message.get("msg_type") == "response", message
        return seconds, message

    def memory(self) -> float:
        """MB of the chat-agent."""
        number = self.cluster.replicas["chat-agent"][0].process.pid
        lines = Path(f"/proc/{number}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


async def measure(folder: Path) -> AsyncIterator[Line]:
    """Name, value, unit, aim."""
    async with _bench(folder) as bench:
        for question in QUESTIONS:
            await bench.ask(question)
        async for line in _own_time(bench):
            yield line
        async for line in _many_at_once(bench):
            yield line


@asynccontextmanager
async def _bench(folder: Path) -> AsyncIterator[Bench]:
    async with ModelServer(load_script(QUICKSTART)) as server, open_cluster(folder) as cluster:
        model = {"llm": "openai:scripted", "openai_base_url": server.openai_url, "openai_api_key": "any"}
        for name in services.SERVICES:
            await cluster.start(name, settings=model if name == "chat-agent" else None)
        tenant = await _tenant(cluster)
        limits = httpx.Limits(max_connections=AT_ONCE)
        async with httpx.AsyncClient(
            base_url=cluster.base_url, headers=tenant.user.headers, timeout=120, limits=limits
        ) as client:
            yield Bench(cluster, server, client, tenant.objects["team_uuid"])


async def _tenant(cluster: Cluster) -> Tenant:
    created = await new_client(cluster.installation)

    def enter() -> Tenant:
        api = Api(httpx.Client(base_url=cluster.base_url, timeout=60))
        return Tenant.enter(api, created.client_secret.reveal()).with_demo(cluster.demo)

    return await asyncio.to_thread(enter)


async def _own_time(bench: Bench) -> AsyncIterator[Line]:
    own, tokens = [], []
    for number in range(ROUNDS):
        seconds, message = await bench.ask(QUESTIONS[number % len(QUESTIONS)])
        usage = message["usage"]
        own.append(seconds - usage["database_seconds"] - await _model_seconds(bench) * usage["model_calls"])
        tokens.append(usage["input_tokens"])
    yield "our own time around an instant model, p50", statistics.median(own) * 1_000, "ms", 25
    yield "our own time around an instant model, p95", statistics.quantiles(own, n=20)[18] * 1_000, "ms", None
    yield "tokens in for a question on the demo database, most", max(tokens), "tokens", 1_500


async def _model_seconds(bench: Bench) -> float:
    """What the model took to answer the latest request, asked again."""
    latest = bench.server.log.requests[-1]
    headers = {"Authorization": "Bearer any", "Content-Type": "application/json"}
    async with httpx.AsyncClient() as client:
        started = time.perf_counter()
        answer = await client.post(f"{bench.server.openai_url}/chat/completions", content=latest.body, headers=headers)
        answer.raise_for_status()
        return time.perf_counter() - started


async def _many_at_once(bench: Bench) -> AsyncIterator[Line]:
    bench.server.script = script(SLOW)
    alone = statistics.median([(await bench.ask(QUESTIONS[0]))[0] for _ in range(3)])
    before = bench.memory()
    asked = asyncio.gather(*(bench.ask(QUESTIONS[0]) for _ in range(AT_ONCE)))
    most = before
    while not asked.done():
        most = max(most, bench.memory())
        await asyncio.sleep(0.25)
    seconds = [each for each, _ in await asked]
    p95 = statistics.quantiles(seconds, n=20)[18]
    yield f"{AT_ONCE} questions at once before a model of {SLOW_SECONDS:g} s, p95", p95, "s", None
    yield "  times one alone", p95 / alone, "x", 2.5
    yield "  memory of chat-agent for each of them", (most - before) / AT_ONCE, "MB", 1
    await asyncio.sleep(5)
    yield "  memory kept for each of them afterwards", (bench.memory() - before) / AT_ONCE, "MB", 0.25
