"""`make bench`: what Basejump costs, as figures and as ratios to a baseline measured in the same minute.

Memory of every idle process (PSS) and seconds from start to ready; a keyed read through gateway, NATS, service and
PostgreSQL against the same read served by Litestar directly and against a bare NATS round trip; indexing against
SQLAlchemy; a large result downloaded whole against psql's COPY; proofs against sqlglot's own parse and qualify; our
own time, tokens and many questions at once around a language model. Each line ends with its aim. Exits 1 when a figure
misses its aim by more than five times.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from nats.aio.msg import Msg

import agent_bench
import download_bench
import index_bench
import proof_bench
from basejump_common.bus import Bus
from basejump_common.bus.permissions import OPERATOR
from basejump_common.security.secret import Secret
from basejump_devstack.child import free_port
from basejump_devstack.services import APP_DATABASE
from basejump_devstack.state import State, read_environment
from rest import Api, Tenant

SLACK = 5.0
CALLS = 2_000
BATCH = 100
WARM_UP = 200


@dataclass(frozen=True)
class Figure:
    """One line: what was measured and what it should be at most (or, with `at_least`, at least)."""

    name: str
    value: float
    unit: str
    aim: float | None = None
    at_least: bool = False

    @property
    def good(self) -> bool:
        """Within five times the aim: what a shared machine can blur."""
        if self.aim is None:
            return True
        return self.value * SLACK >= self.aim if self.at_least else self.value <= self.aim * SLACK

    def __str__(self) -> str:
        aim = "" if self.aim is None else f"   aim: at {'least' if self.at_least else 'most'} {self.aim:g} {self.unit}"
        return f"{self.name:<64}{self.value:>10.2f} {self.unit:<8}{aim}{'' if self.good else '   MISSED'}"


async def main() -> int:
    """Print every figure; 1 when one misses its aim by more than the slack."""
    with tempfile.TemporaryDirectory(prefix="basejump-bench-") as folder:
        figures = [figure async for figure in _figures(Path(folder) / ".basejump")]
    return 0 if all(figure.good for figure in figures) else 1


async def _figures(folder: Path) -> AsyncIterator[Figure]:
    async with Running(folder):
        pass
    started = time.perf_counter()
    async with Running(folder) as running:
        yield _say(Figure("start to ready, already installed", time.perf_counter() - started, "s", 10))
        await asyncio.sleep(5)
        for figure in _memory(running.process.pid):
            yield _say(figure)
        for figure in await _round_trips(folder, running.environment):
            yield _say(figure)
    for figure in await _indexing(folder):
        yield _say(figure)
    for name, value, unit, aim in proof_bench.measure():
        yield _say(Figure(name, value, unit, aim))
    async for name, value, unit, aim in download_bench.measure(folder.parent / "downloads"):
        yield _say(Figure(name, value, unit, aim))
    async for name, value, unit, aim in agent_bench.measure(folder.parent / "agent"):
        yield _say(Figure(name, value, unit, aim))


def _say(figure: Figure) -> Figure:
    print(figure, flush=True)
    return figure


class Running:
    """`basejump run` in a process of its own, until the block ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.environment: dict[str, str] = {}
        self.process: asyncio.subprocess.Process

    async def __aenter__(self) -> "Running":
        (self._folder / "dev.env").unlink(missing_ok=True)
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "basejump_cli", "run", "--port", str(free_port(0)), "--state", str(self._folder)),
            stdout=asyncio.subprocess.DEVNULL,
            env=dict(os.environ),
        )
        while not (self._folder / "dev.env").exists():
            if self.process.returncode is not None:
                raise SystemExit("the stack did not start")
            await asyncio.sleep(0.02)
        self.environment = read_environment(self._folder / "dev.env")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.process.terminate()
        await self.process.wait()


def _memory(pid: int) -> Iterator[Figure]:
    stack = psutil.Process(pid)
    total = 0.0
    for process in [stack, *stack.children(recursive=True)]:
        megabytes = _pss(process.pid)
        total += megabytes
        if "basejump" in (name := _name(process)):
            yield Figure(f"memory of {name}", megabytes, "MB")
    yield Figure("memory of the whole stack", total, "MB", 600)


def _pss(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _name(process: psutil.Process) -> str:
    return next((word for word in process.cmdline() if word.startswith("basejump_")), process.name())


class Http:
    """One keep-alive connection that sends one GET again and again: a client that costs next to nothing."""

    def __init__(self, port: int, path: str, token: str = "") -> None:
        self._port = port
        authorization = f"Authorization: Bearer {token}\r\n" if token else ""
        self._request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}\r\n".encode()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __call__(self) -> None:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(self._request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))


async def _round_trips(folder: Path, environment: dict[str, str]) -> list[Figure]:
    state = State(folder)
    tenant, token = await asyncio.to_thread(_tenant, environment)
    team, client = tenant.objects["team_uuid"], tenant.user.get("/account/client/")["client_uuid"]
    dsn = _dsn(state, "account")
    direct = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("direct_read.py")), str(port := free_port(0)), dsn, client)
    )
    nats_url = f"nats://127.0.0.1:{state.kept_port('NATS')}"
    bus = await Bus.connect(nats_url, OPERATOR, Secret(state.secret(f"nats {OPERATOR}")))
    try:
        await bus.nats.subscribe("bench.echo", cb=_echo)
        await bus.settle()

        async def bare_nats() -> None:
            await bus.nats.request("bench.echo", b"x" * 300, timeout=5)

        gateway_port = int(environment["BASE_URL"].split(":")[2].split("/")[0])
        through = Http(gateway_port, f"/api/v1/account/team/{team}/", token)
        straight = Http(port, f"/team/{team}")
        await _until_served(straight)
        times = await _interleaved({"gateway": through, "direct": straight, "nats": bare_nats})
    finally:
        direct.terminate()
        await bus.close()
    return list(_compare(times))


async def _echo(message: Msg) -> None:
    await message.respond(message.data)


def _dsn(state: State, service: str) -> str:
    password = state.secret(f"database {service}")
    return f"postgresql://basejump_{service}:{password}@127.0.0.1:{state.kept_port('PostgreSQL')}/{APP_DATABASE}"


def _tenant(environment: dict[str, str]) -> tuple[Tenant, str]:
    with httpx.Client(base_url=environment["BASE_URL"], timeout=30) as client:
        tenant = Tenant.enter(Api(client), environment["API_KEY"])
        tenant.user.get("/account/client/")
        return _keep(tenant, environment), tenant.user.headers["Authorization"].removeprefix("Bearer ")


def _keep(tenant: Tenant, environment: dict[str, str]) -> Tenant:
    """The same tenant over a connection that outlives the block."""
    client = httpx.Client(base_url=environment["BASE_URL"], timeout=30)
    return Tenant(Api(client, tenant.secret.headers), Api(client, tenant.user.headers), tenant.objects)


async def _until_served(call: Callable[[], Awaitable[None]]) -> None:
    for _ in range(200):
        try:
            await call()
        except OSError:
            await asyncio.sleep(0.05)
        else:
            return
    raise SystemExit("the baseline did not start")


async def _interleaved(calls: dict[str, Callable[[], Awaitable[None]]]) -> dict[str, list[float]]:
    """Milliseconds of each call, in batches that take turns, so that a busy moment hits all alike."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        for _ in range(WARM_UP):
            await call()
    for _ in range(CALLS // BATCH):
        for name, call in calls.items():
            for _ in range(BATCH):
                started = time.perf_counter()
                await call()
                times[name].append((time.perf_counter() - started) * 1_000)
    return times


def _compare(times: dict[str, list[float]]) -> Iterator[Figure]:
    p50 = {name: statistics.median(found) for name, found in times.items()}
    p99 = {name: statistics.quantiles(found, n=100)[98] for name, found in times.items()}
    yield Figure("a bare NATS round trip, p50", p50["nats"], "ms")
    yield Figure("a keyed read by Litestar from PostgreSQL, p50", p50["direct"], "ms")
    yield Figure("the same read through gateway, NATS and service, p50", p50["gateway"], "ms")
    yield Figure("  times a bare NATS round trip", p50["gateway"] / p50["nats"], "x")
    yield Figure("  times the direct read", p50["gateway"] / p50["direct"], "x")
    yield Figure("  gateway and bus add at p50", p50["gateway"] - p50["direct"], "ms", 1)
    yield Figure("  gateway and bus add at p99", p99["gateway"] - p99["direct"], "ms", 3)


async def _indexing(folder: Path) -> list[Figure]:
    found = await index_bench.measure(folder.parent)
    return [Figure(name, value, unit, aim, at_least) for name, value, unit, aim, at_least in found]


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
