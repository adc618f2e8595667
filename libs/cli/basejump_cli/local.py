"""The stack on this machine: serve it, try it, look at it."""

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from basejump_cli.failure import CommandError

try:
    from basejump_devstack.child import StartError, free_port
    from basejump_devstack.console import Console
    from basejump_devstack.services import operator_settings
    from basejump_devstack.stack import READY_SECONDS, Stack
    from basejump_devstack.state import State, is_running, read_environment
    from basejump_devstack.status import gateway_ready, readiness
except ModuleNotFoundError as error:
    raise CommandError("this installation has no local stack: run `make install` in a checkout") from error

_QUICKSTART = Path(__file__).resolve().parents[3] / "examples" / "quickstart.py"


async def serve(folder: Path, port: int) -> int:
    """Start the stack, say what to try, and keep it up until Ctrl-C or SIGTERM. A second one hurries the end."""
    _cancel_on_signals()
    console, begun = Console(), asyncio.get_running_loop().time()
    try:
        async with Stack(folder, port=port, console=console) as stack:
            console.plain(_welcome(stack, asyncio.get_running_loop().time() - begun))
            try:
                await asyncio.Event().wait()
            finally:
                console.say("stopping")
    except asyncio.CancelledError:
        console.say("stopped")
    except StartError as failure:
        raise CommandError(str(failure)) from None
    return 0


async def demo(folder: Path, port: int) -> int:
    """Run examples/quickstart.py in a process of its own; returns its exit code."""
    if not _QUICKSTART.exists():
        raise CommandError("examples/quickstart.py isn't here: run it in a checkout")
    _cancel_on_signals()
    try:
        async with AsyncExitStack() as own:
            if not is_running(folder):
                print("starting the stack for the demo")
                quiet = Console(quiet=True)
                await own.enter_async_context(Stack(folder, port=free_port(port), console=quiet))
            return await _run_quickstart(await _environment(folder))
    except asyncio.CancelledError:
        return 130
    except StartError as failure:
        raise CommandError(str(failure)) from None


async def status(folder: Path) -> int:
    """One line per service."""
    if not is_running(folder):
        print("not running: `make run` starts it")
        return 1
    ready = await readiness(folder)
    for name, answers in ready.items():
        print(f"{name:<20} {'ready' if answers else 'not ready'}")
    return 0 if all(ready.values()) else 1


def operator_environment(folder: Path) -> dict[str, str]:
    """The settings of operator's commands for the stack that runs in `folder`. Raises CommandError."""
    if not is_running(folder):
        raise CommandError(f"no stack runs in {folder}: `make run` starts it")
    return operator_settings(State(folder))


async def _environment(folder: Path) -> dict[str, str]:
    """What `dev.env` says, once the gateway of that stack answers."""
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not await gateway_ready(folder):  # noqa: ASYNC110 - another process: nothing to wait on
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise CommandError("the running stack isn't ready: see what it says") from None
    return read_environment(folder / "dev.env")


async def _run_quickstart(values: dict[str, str]) -> int:
    process = await asyncio.create_subprocess_exec(sys.executable, str(_QUICKSTART), env={**os.environ, **values})
    return await process.wait()


def _cancel_on_signals() -> None:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)


def _welcome(stack: Stack, seconds: float) -> str:
    origin = stack.base_url.removesuffix("/api/v1")
    return f"""
  Basejump serves at {stack.base_url}   (ready in {seconds:.1f} s)

  reference    {origin}/api/api-reference/
  your key     API_KEY in {stack.folder / "dev.env"}
  try          make demo                               asks the demo database some questions
               set -a; . {stack.folder / "dev.env"}; set +a
               curl -H "client-secret: $API_KEY" -X POST "$BASE_URL/account/user/?username=me&role=ADMIN"
  stop         Ctrl-C
"""
