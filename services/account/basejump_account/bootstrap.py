"""Composes account: the only place that constructs anything."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from basejump_account.clients import Clients
from basejump_account.handlers import handlers
from basejump_account.lifecycle import ERASE, Lifecycle
from basejump_account.settings import Settings
from basejump_account.teams import Teams
from basejump_account.users import Users
from basejump_common.bus import on
from basejump_common.contracts.account import USER_DEPROVISIONED
from basejump_common.contracts.common import ByClient
from basejump_common.runtime import Service, foundation
from basejump_common.storage.job_worker import JobWorker
from basejump_common.storage.jobs import JobKind


@asynccontextmanager
async def bootstrap(settings: Settings) -> AsyncIterator[Service]:
    """The service, its connections open for as long as the block lasts."""
    async with foundation(settings, "account") as base:
        clients = Clients(base.database, base.bus)
        lifecycle = Lifecycle(base.database, base.bus)
        worker = JobWorker(base.database, {ERASE: JobKind(lifecycle.erase, ByClient)})
        users = Users(base.database)
        yield base.service(
            endpoints=handlers(clients, lifecycle, users, Teams(base.database)),
            reactions=(on(USER_DEPROVISIONED, users.deprovisioned),),
            background=(worker.run,),
        )
