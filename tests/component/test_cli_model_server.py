"""`basejump model-server` as a command."""

import asyncio
import signal
import sys
from pathlib import Path

import httpx

from basejump_devstack.child import free_port


async def model_server(*words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "basejump_cli",
        "model-server",
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_it_serves_until_it_is_told_to_end() -> None:
    port = free_port(0)
    process = await model_server("--port", str(port))
    assert process.stdout is not None
    assert b"rules are played" in await process.stdout.readline()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        body = {"model": "any", "messages": [{"role": "user", "content": "Question: Shall we win?"}]}
        answer = await client.post("/v1/chat/completions", json=body, headers={"authorization": "Bearer any"})
        assert "can't tell" in answer.json()["choices"][0]["message"]["content"]
    process.send_signal(signal.SIGTERM)
    _, complaint = await process.communicate()
    assert (process.returncode, complaint) == (0, b"")


async def test_a_script_that_is_wrong_or_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[[rule]]\nname = 1\n")
    process = await model_server("--script", str(wrong))
    _, complaint = await process.communicate()
    assert process.returncode == 1
    assert complaint.startswith(b"basejump: wrong.toml: ")
    assert complaint.count(b"\n") == 1
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    async with taken:
        process = await model_server("--port", str(taken.sockets[0].getsockname()[1]))
        _, complaint = await process.communicate()
    assert process.returncode == 1
    assert b"basejump: port" in complaint
