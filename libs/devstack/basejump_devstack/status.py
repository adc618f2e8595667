"""Looking at a stack from another process, by what it keeps in its folder."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from basejump_devstack.service_process import answers_ready
from basejump_devstack.services import GATEWAY, STATEFUL, health_name
from basejump_devstack.state import State, read_environment


async def readiness(folder: Path) -> dict[str, bool]:
    """Each service, and whether it says that it is ready."""
    state = State(folder)
    answers = await asyncio.gather(
        gateway_ready(folder), *(answers_ready(state.kept_port(health_name(name))) for name in STATEFUL)
    )
    return dict(zip((GATEWAY, *STATEFUL), answers, strict=True))


async def gateway_ready(folder: Path) -> bool:
    """Does the gateway that `dev.env` names say that it is ready?"""
    try:
        base_url = read_environment(folder / "dev.env")["BASE_URL"]
    except (OSError, KeyError):
        return False
    return await answers_ready(urlsplit(base_url).port or 80)
