"""What the agent adds around a language model: our own time, tokens, and many questions at once. Run by bench.py.

The model is the scripted server, a process of its own, over OpenAI's protocol; its time, measured by sending it the
same request with nothing else in between, and the customer's database's time are taken off. On a machine that does
other things as well the wall time says little: the processor's time of our processes is printed beside it, and which
operations the wall time went to.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from basejump_devstack import services
from basejump_devstack.child import free_port
from cluster import Cluster, open_cluster
from installation import new_client
from processors import NOT_OURS, Processors, operations
from rest import Api, Tenant

QUICKSTART = Path(services.__file__).parent / "model_server" / "scripts" / "quickstart.toml"
QUESTIONS = (
    "How many employees are there?",
    "What is the average salary by department?",
    "Which 5 employees earn the most?",
    "How many dependents does each employee have?",
    "Which employees work in the IT department?",
)
WARM_UPS = 4
ROUNDS = 100
AT_ONCE = 64
SLOW_SECONDS = 2.0
SLOW_QUESTION = "Slowly: how many employees are there?"
SLOW = f"""
[[rule]]
asked = "question: slowly"
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
    model_url: str
    client: httpx.AsyncClient
    team_uuid: str
    processors: Processors

    async def chats(self, count: int) -> list[str]:
        """New chats."""
        return [(await self.client.post(f"/chat/team/{self.team_uuid}/")).json()["chat_uuid"] for _ in range(count)]

    async def ask(self, chat: str, question: str) -> tuple[float, dict[str, Any]]:
        """Seconds, and the final message."""
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
        for chat in await bench.chats(WARM_UPS):
            for question in QUESTIONS:
                await bench.ask(chat, question)
        await bench.processors.rest()
        async for line in _own_time(bench):
            yield line
        async for line in _many_at_once(bench):
            yield line


@asynccontextmanager
async def _bench(folder: Path) -> AsyncIterator[Bench]:
    async with _model(folder) as (process, url), open_cluster(folder) as cluster:
        model = {"llm": "openai:scripted", "openai_base_url": f"{url}/v1", "openai_api_key": "any"}
        for name in services.SERVICES:
            await cluster.start(name, settings=model if name == "chat-agent" else None)
        tenant = await _tenant(cluster)
        limits = httpx.Limits(max_connections=AT_ONCE)
        async with httpx.AsyncClient(
            base_url=cluster.base_url, headers=tenant.user.headers, timeout=120, limits=limits
        ) as client:
            yield Bench(cluster, url, client, tenant.objects["team_uuid"], Processors(cluster, process.pid))


@asynccontextmanager
async def _model(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The scripted server's process and address."""
    port = free_port(0)
    scripts = (f"--script={_slow_script(folder)}", f"--script={QUICKSTART}")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "basejump_cli", "model-server", *scripts, f"--port={port}"),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


def _slow_script(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "slow.toml"
    path.write_text(SLOW)
    return path


async def _tenant(cluster: Cluster) -> Tenant:
    created = await new_client(cluster.installation)

    def enter() -> Tenant:
        api = Api(httpx.Client(base_url=cluster.base_url, timeout=60))
        return Tenant.enter(api, created.client_secret.reveal()).with_demo(cluster.demo)

    return await asyncio.to_thread(enter)


async def _own_time(bench: Bench) -> AsyncIterator[Line]:
    chats = await bench.chats(ROUNDS)
    asked_before, taken_before = await operations(bench.cluster), bench.processors.seconds()
    started = time.perf_counter()
    asked = [await bench.ask(chat, QUESTIONS[place % len(QUESTIONS)]) for place, chat in enumerate(chats)]
    taken = bench.processors.since(taken_before, time.perf_counter() - started)
    asked_after = await operations(bench.cluster)
    model = await _model_seconds(bench)
    usages = [message["usage"] for _, message in asked]
    own = [
        seconds - usage["database_seconds"] - model * usage["model_calls"]
        for (seconds, _), usage in zip(asked, usages, strict=True)
    ]
    yield "our own time around an instant model, p50", statistics.median(own) * 1_000, "ms", 25
    yield "our own time around an instant model, p95", statistics.quantiles(own, n=20)[18] * 1_000, "ms", None
    yield "  turns of the model", statistics.mean(usage["model_calls"] for usage in usages), "", None
    yield "  the model, a turn", model * 1_000, "ms", None
    yield (
        "  the customer's database: values, estimate, rows",
        _mean_ms(usage["database_seconds"] for usage in usages),
        "ms",
        None,
    )
    for name, (number, seconds) in asked_after.items():
        before, seconds_before = asked_before.get(name, (0, 0.0))
        if number - before >= ROUNDS / 10:
            yield (
                f"  {name}, {(number - before) / ROUNDS:.1f} times",
                (seconds - seconds_before) / ROUNDS * 1e3,
                "ms",
                None,
            )
    ours = sum(seconds for name, seconds in taken.items() if name not in NOT_OURS)
    yield "the processor's time for a question, all our processes", ours / ROUNDS * 1_000, "ms", 25
    for name, seconds in sorted(taken.items(), key=lambda item: item[0] in NOT_OURS):
        yield f"  {name}{' (not ours)' if name in NOT_OURS else ''}", seconds / ROUNDS * 1_000, "ms", None
    yield (
        "tokens in for a question on the demo database, most",
        max(usage["input_tokens"] for usage in usages),
        "tokens",
        1_500,
    )


async def _model_seconds(bench: Bench) -> float:
    """What the model takes to answer each question, asked again over a connection that is open already; the median."""
    headers = {"Authorization": "Bearer any", "Content-Type": "application/json"}
    seconds = []
    async with httpx.AsyncClient(base_url=bench.model_url, headers=headers) as client:
        served = (await client.get("/control/requests")).json()[-len(QUESTIONS) * 4 :]
        for request in served:
            started = time.perf_counter()
            answer = await client.post("/v1/chat/completions", content=request["body"])
            seconds.append(time.perf_counter() - started)
            answer.raise_for_status()
    return statistics.median(seconds)


async def _many_at_once(bench: Bench) -> AsyncIterator[Line]:
    chats = await bench.chats(AT_ONCE + 3)
    alone = statistics.median([(await bench.ask(chats.pop(), SLOW_QUESTION))[0] for _ in range(3)])
    before, taken_before = bench.memory(), bench.processors.seconds()
    started = time.perf_counter()
    asked = asyncio.gather(*(bench.ask(chat, SLOW_QUESTION) for chat in chats))
    most = before
    while not asked.done():
        most = max(most, bench.memory())
        await asyncio.sleep(0.25)
    seconds = [each for each, _ in await asked]
    taken = bench.processors.since(taken_before, time.perf_counter() - started)
    p95 = statistics.quantiles(seconds, n=20)[18]
    yield f"{AT_ONCE} questions at once before a model of {SLOW_SECONDS:g} s, p95", p95, "s", None
    yield "  times one alone", p95 / alone, "x", 2.5
    yield "  the processor's time for each of them, all processes", sum(taken.values()) / AT_ONCE * 1_000, "ms", None
    yield "  memory of chat-agent for each of them", (most - before) / AT_ONCE, "MB", 1
    await asyncio.sleep(5)
    yield "  memory kept for each of them afterwards", (bench.memory() - before) / AT_ONCE, "MB", 0.25


def _mean_ms(seconds: Iterable[float]) -> float:
    return statistics.mean(seconds) * 1_000
