"""Where the time of a question goes: the processor's time of each process, and the wall time of each operation.

Processor's time says the same on a busy machine and on an idle one, but for what other programs take from the caches.
"""

import asyncio

import msgspec
import psutil

from basejump_common.bus.permissions import OPERATOR
from basejump_devstack import hr_demo
from cluster import Cluster

CUSTOMER = "the customer's database"
MODEL = "the model"
CLIENT = "who asks, and the customer's TLS"
NOT_OURS = (CUSTOMER, MODEL, CLIENT)
"""Processes that a question takes time of, and that aren't ours."""

IDLE_SECONDS = 3.0


class Processors:
    """The processes of a cluster, and of the model it asks."""

    def __init__(self, cluster: Cluster, model_pid: int) -> None:
        self._cluster = cluster
        self._model = psutil.Process(model_pid)
        self._idle: dict[str, float] = {}

    async def rest(self) -> None:
        """Learn what the processes take while nothing is asked."""
        before = self.seconds()
        await asyncio.sleep(IDLE_SECONDS)
        self._idle = {name: (now - before.get(name, 0.0)) / IDLE_SECONDS for name, now in self.seconds().items()}

    def seconds(self) -> dict[str, float]:
        """Processor's seconds that each process has taken since it began."""
        found = {name: _taken(psutil.Process(r[0].process.pid)) for name, r in self._cluster.replicas.items()}
        around = self._cluster.installation.around
        for child in psutil.Process(around.postgres.pid).children(recursive=True):
            name = CUSTOMER if hr_demo.DATABASE in " ".join(child.cmdline()) else "PostgreSQL"
            found[name] = found.get(name, 0.0) + _taken(child)
        found["NATS"] = _taken(psutil.Process(around.nats.pid))
        return found | {MODEL: _taken(self._model), CLIENT: _taken(psutil.Process())}

    def since(self, before: dict[str, float], wall: float) -> dict[str, float]:
        """Seconds taken since then, but for what the processes take anyway in so many seconds."""
        idle = self._idle
        return {
            name: max(now - before.get(name, 0.0) - idle.get(name, 0.0) * wall, 0.0)
            for name, now in self.seconds().items()
        }


def _taken(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


class _Endpoint(msgspec.Struct):
    name: str
    num_requests: int
    processing_time: int


class _Stats(msgspec.Struct):
    endpoints: list[_Endpoint]


async def operations(cluster: Cluster) -> dict[str, tuple[int, float]]:
    """How often each operation was asked for since its service began, and the seconds that it took in all."""
    found = {}
    async with cluster.installation.bus(OPERATOR) as bus:
        for service in cluster.replicas:
            if service != "gateway":
                reply = await bus.nats.request(f"$SRV.STATS.{service}", timeout=5)
                for each in msgspec.json.decode(reply.data, type=_Stats).endpoints:
                    found[each.name] = (each.num_requests, each.processing_time / 1e9)
    return found
