"""The scripted model server on this machine."""

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path

from basejump_cli.failure import CommandError

try:
    from basejump_devstack.model_server import QUICKSTART, ModelServer, ScriptError, load_script
except ModuleNotFoundError as error:
    raise CommandError("this installation has no model server: run `make install` in a checkout") from error


async def serve(paths: Sequence[Path], port: int) -> int:
    """Play the scripts until Ctrl-C or SIGTERM. Raises CommandError."""
    try:
        script = load_script(*(paths or [QUICKSTART]))
        async with ModelServer(script, port=port) as server:
            print(_welcome(server), flush=True)
            await _ended()
    except ScriptError as wrong:
        raise CommandError(str(wrong)) from None
    except OSError as taken:
        raise CommandError(f"port {port}: {taken.strerror}") from None
    return 0


async def _ended() -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()


def _welcome(server: ModelServer) -> str:
    return f"""{len(server.script.rules)} rules are played at

  OpenAI       {server.openai_url}
  Anthropic    {server.anthropic_url}
  what came    {server.anthropic_url}/control/requests
  stop         Ctrl-C
"""
