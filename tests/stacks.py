"""What a person would start, in processes of its own: the local stack, the scripted model server."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from basejump_common.settings import PREFIX
from basejump_devstack.child import free_port
from basejump_devstack.state import read_environment

READY_SECONDS = 60


@asynccontextmanager
async def running_stack(folder: Path, **settings: str) -> AsyncIterator[dict[str, str]]:
    """`basejump run` with more BASEJUMP_ variables; the values of its dev.env. Its log is beside the folder."""
    log = (folder.parent / "stack.log").open("wb")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environment |= {f"{PREFIX}{field.upper()}": value for field, value in settings.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "basejump_cli", "run", "--port", str(free_port(0)), "--state", str(folder),
        stdout=log, stderr=log, env=environment,
    )  # fmt: skip
    try:
        yield await _ready(process, folder)
    finally:
        await _end(process)
        log.close()


async def _ready(process: asyncio.subprocess.Process, folder: Path) -> dict[str, str]:
    environment = folder / "dev.env"
    async with asyncio.timeout(READY_SECONDS):
        while not environment.exists():
            assert process.returncode is None, (folder.parent / "stack.log").read_text()
            await asyncio.sleep(0.1)
    return read_environment(environment)


@asynccontextmanager
async def playing_scripts(*scripts: Path) -> AsyncIterator[str]:
    """`basejump model-server`; its address."""
    port = free_port(0)
    words = [word for script in scripts for word in ("--script", str(script))]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "basejump_cli", "model-server", "--port", str(port), *words,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        assert b"rules" in await process.stdout.readline()
        yield f"http://127.0.0.1:{port}"
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    await process.wait()
