"""What an attack would have left: secrets in all that was said, kept or logged, connections to a trap, memory."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pyarrow.parquet as pq


class Trap:
    """A port that nobody has a reason to call; `calls` counts who did."""

    def __init__(self) -> None:
        self.port = 0
        self.calls = 0

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator["Trap"]:
        trap = cls()
        server = await asyncio.start_server(trap._note, "127.0.0.1", 0)
        trap.port = server.sockets[0].getsockname()[1]
        try:
            yield trap
        finally:
            server.close()

    async def _note(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.calls += 1
        writer.close()


def leaked(secrets: Iterable[str], surfaces: Mapping[str, str]) -> set[tuple[str, str]]:
    """Which secrets stand where."""
    return {(secret, name) for secret in secrets for name, said in surfaces.items() if secret in said}


def files(folder: Path) -> str:
    """The bytes of every file below, as far as they are text."""
    return "\n".join(path.read_bytes().decode(errors="replace") for path in folder.rglob("*") if path.is_file())


def results(folder: Path) -> str:
    """The rows of every stored result."""
    tables = (pq.read_table(path) for path in sorted(folder.rglob("*.parquet")))
    return "\n".join(f"{table.column_names} {table.to_pylist()}" for table in tables)


async def rows(database: "asyncpg.Connection[asyncpg.Record]") -> str:
    """Every row of every table."""
    names = await database.fetch(
        "select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where c.relkind in ('r', 'm') and n.nspname !~ '^(pg_|information_schema)'"
    )
    found = [await database.fetchval(f"select string_agg(t::text, chr(10)) from {row['name']} t") for row in names]
    return "\n".join(filter(None, found))


def memory(process: int) -> float:
    """Megabytes that a process holds now."""
    line = next(line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
