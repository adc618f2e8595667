"""A result of a million rows and ten columns, downloaded whole, beside psql's COPY of the same rows. Run by bench.py.

Both times are taken in turns in the same minute; memory is what each process of ours grows by at most meanwhile.
"""

import asyncio
import socket
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from basejump_devstack import hr_demo, services
from basejump_devstack.pg_binaries import binaries_for, unprivileged_account
from cluster import Cluster, open_cluster
from installation import new_client
from rest import Api, Tenant

ROWS = 1_000_000
ROUNDS = 3
TABLE = f"""
create table hr_demo_db.readings as
    select n as id, 'sensor ' || n % 5000 as sensor, n * 1.25 as temperature, now() + n * interval '1 second' as taken,
           date '2020-01-01' + n % 1000 as day, (n % 997) / 7.0::float8 as ratio, n % 2 = 0 as good, n % 100 as place,
           'a note, number ' || n as note, case when n % 3 = 0 then null else n end as voltage
    from generate_series(1, {ROWS}) n;
grant select on hr_demo_db.readings to {hr_demo.READER}; analyze hr_demo_db.readings
"""

Line = tuple[str, float, str, float | None]


async def measure(folder: Path) -> AsyncIterator[Line]:
    """Name, value, unit, aim."""
    async with open_cluster(folder) as cluster:
        await _fill(cluster)
        for name in services.SERVICES:
            await cluster.start(name)
        tenant, result = await asyncio.to_thread(_result, cluster, (await new_client(cluster.installation)))
        assert result["row_num_total"] == ROWS, result["row_num_total"]
        assert not result["truncated"]
        path = f"/api/v1/result/{result['result_uuid']}"
        headers = tenant.user.headers

        async def download(form: str) -> int:
            return await asyncio.to_thread(_download, cluster.replicas["gateway"][0].port, f"{path}/{form}/", headers)

        grown = Growth(cluster)
        await grown.during(download("csv"))
        times = await grown.during(_in_turns(cluster, download))
    csv, parquet, copy = (statistics.median(times[name]) for name in ("csv", "parquet", "copy"))
    yield "psql COPY TO STDOUT of 1,000,000 rows x 10 columns", copy, "s", None
    yield "the same rows downloaded as CSV through the gateway", csv, "s", None
    yield "  times psql's COPY", csv / copy, "x", 2
    yield "the same rows downloaded as Parquet", parquet, "s", None
    for name, megabytes in grown.most.items():
        yield f"  memory that {name} grows by meanwhile", megabytes, "MB", 50 if name == services.GATEWAY else None


async def _fill(cluster: Cluster) -> None:
    connection = await asyncpg.connect(cluster.installation.around.postgres.dsn(database=hr_demo.DATABASE))
    try:
        await connection.execute(TABLE)
    finally:
        await connection.close()


def _result(cluster: Cluster, created: Any) -> tuple[Tenant, dict[str, Any]]:
    api = Api(httpx.Client(base_url=cluster.base_url, timeout=120))
    tenant = Tenant.enter(api, created.client_secret.reveal()).with_demo(cluster.demo)
    message = tenant.ask("Show all readings")
    return tenant, tenant.user.get(f"/result/{message['result_uuid']}/")


async def _in_turns(cluster: Cluster, download: Callable[[str], Awaitable[int]]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {"copy": [], "csv": [], "parquet": []}
    for _ in range(ROUNDS):
        for name, found in times.items():
            started = time.perf_counter()
            await (_copy(cluster) if name == "copy" else download(name))
            found.append(time.perf_counter() - started)
    return times


async def _copy(cluster: Cluster) -> None:
    psql = binaries_for(unprivileged_account()) / "psql"
    dsn = cluster.installation.around.postgres.dsn(database=hr_demo.DATABASE)
    process = await asyncio.create_subprocess_exec(
        *(psql, dsn, "-c", "copy (select * from hr_demo_db.readings) to stdout with (format csv, header)"),
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == 0


def _download(port: int, path: str, headers: Mapping[str, str]) -> int:
    """Bytes that came: a reader that costs next to nothing. The server ends the connection at the end."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *(f"{k}: {v}" for k, v in headers.items())]
    buffer, count, tail = bytearray(1_000_000), 0, b""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        while size := connection.recv_into(buffer):
            if count == 0:
                assert buffer.startswith(b"HTTP/1.1 200"), bytes(buffer[:size])
            count += size
            tail = bytes(buffer[max(0, size - 8) : size])
    assert tail.endswith((b"0\r\n\r\n", b"PAR1")), tail
    return count


class Growth:
    """The most that each process has grown by since this was made."""

    def __init__(self, cluster: Cluster) -> None:
        self._pids = {name: replicas[0].process.pid for name, replicas in cluster.replicas.items()}
        self._before = {name: _resident(pid) for name, pid in self._pids.items()}
        self.most: dict[str, float] = dict.fromkeys(self._pids, 0.0)

    async def during(self, work: Awaitable[Any]) -> Any:
        """What `work` gives."""
        task = asyncio.ensure_future(work)
        while not task.done():
            for name, pid in self._pids.items():
                self.most[name] = max(self.most[name], _resident(pid) - self._before[name])
            await asyncio.wait({task}, timeout=0.02)
        return task.result()


def _resident(pid: int) -> float:
    """MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 1e6
