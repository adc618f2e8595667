"""What the documents show is run as it stands there."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from basejump_devstack.child import free_port
from basejump_devstack.model_server import QUICKSTART
from documents import ROOT, Block, blocks, the
from rest import Tenant

SECONDS = 60
READY = {"make run": "Basejump serves at", "basejump model-server": "Anthropic"}
"""What a command that goes on for ever says once it can be used."""


@asynccontextmanager
async def running(program: str, environment: dict[str, str], folder: Path) -> AsyncIterator[asyncio.StreamReader]:
    """A Python program of a document; what it prints."""
    script = folder / "program.py"
    script.write_text(program)
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), env={**os.environ, **environment}, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def test_the_consumer_of_events_prints_what_happens(
    stack: dict[str, str], tenant: Tenant, tmp_path: Path
) -> None:
    async with running(the("docs/events.md", "python"), stack, tmp_path) as printed, asyncio.timeout(20):
        team = await asyncio.to_thread(tenant.user.post, "/account/team/", params={"team_name": "told"})
        while team["team_uuid"] not in (line := (await printed.readline()).decode()):
            assert line, "the consumer has ended"
    assert line.startswith("basejump.v1.team.created ")


async def test_the_first_calls_work_as_written(stack: dict[str, str], tmp_path: Path) -> None:
    async with running(the("docs/api.md", "python"), stack, tmp_path) as printed, asyncio.timeout(20):
        said = (await printed.read()).decode()
    assert "'next_cursor': None" in said


@pytest.mark.parametrize("block", blocks("console"), ids=lambda block: block.place)
async def test_transcripts_are_what_happens(
    block: Block, stack: dict[str, str], tenant: Tenant, tmp_path: Path
) -> None:
    chat = await asyncio.to_thread(tenant.user.post, f"/chat/team/{tenant.objects['team_uuid']}/")
    told = {"CHAT": chat["chat_uuid"], "TOKEN": tenant.user.headers["Authorization"].removeprefix("Bearer ")}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BASEJUMP_")}
    environment |= {"BASE_URL": stack["BASE_URL"], "API_KEY": stack["API_KEY"]} | told
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    text, environment["PORT"] = elsewhere(block.text)
    async with AsyncExitStack() as servers:
        for command, shown in commands(text):
            if "make run" in command:
                await servers.aclose()  # one at a time in one folder
            await servers.enter_async_context(saying(command, shown, environment, checkout(tmp_path)))


def elsewhere(text: str) -> tuple[str, str]:
    """The same on free ports, and the one for the API."""
    ports = {port: str(free_port(0)) for port in ("8000", "8100")}
    for usual, free in ports.items():
        text = re.sub(rf"(?<=[: ]){usual}\b", free, text)
    return text, ports["8000"]


def commands(text: str) -> list[tuple[str, str]]:
    """Each command with what is shown below it."""
    found = re.findall(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE)
    assert len(found) == len(re.findall(r"^\$ ", text, re.MULTILINE))
    return [(command.removesuffix(" &"), shown) for command, shown in found]


def checkout(folder: Path) -> Path:
    """Somewhere like a checkout of ours, without its state, with the files that transcripts name."""
    made = folder / "checkout"
    if not made.exists():
        made.mkdir()
        for path in ROOT.iterdir():
            if path.name not in (".basejump", ".git"):
                (made / path.name).symlink_to(path)
        (made / "mine.toml").write_text(the("docs/model-server.md", "toml"))
        (made / "more.toml").symlink_to(QUICKSTART)
    return made


@asynccontextmanager
async def saying(command: str, shown: str, environment: dict[str, str], folder: Path) -> AsyncIterator[None]:
    """Run a command until it has said what is shown; it goes on for the ones after it if it has no end."""
    forever = next((said for start, said in READY.items() if re.search(rf"\b{start}\b", command)), None)
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", command, cwd=folder, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    said, expected = "", pattern(shown or forever or "")
    try:
        async with asyncio.timeout(SECONDS):
            while part := await process.stdout.read(65_536):
                said += part.decode()
                if forever and re.search(expected, said):
                    break
            else:
                assert await process.wait() == 0, said
        assert re.search(expected, said), f"{command}\nis said to print\n{shown}\nand prints\n{said}"
        drained = asyncio.create_task(process.stdout.read())
        yield
    finally:
        if process.returncode is None:
            process.terminate()
            await drained
        await process.wait()


def pattern(shown: str) -> str:
    """What is shown as a regular expression: `…` is anything; times, and ids of events, are any."""
    lines = [line.rstrip() for line in shown.strip("\n").splitlines()]
    text = re.escape("\n".join(lines)).replace("…", "(?s:.*?)").replace(r"\ ", " ")
    text = re.sub(r"\d+\\\.\d s", r"\\d+\\.\\d s", text)
    return re.sub(r"^id: \d+", r"id: \\d+", text, flags=re.MULTILINE).replace("\\\n", r"\s*\n\s*")
