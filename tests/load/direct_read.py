"""The baseline of `make bench`: a team read from PostgreSQL and served by Litestar, with nothing in between.

Usage: direct_read.py PORT DSN CLIENT_UUID
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import uvicorn
from litestar import Litestar, get
from litestar.datastructures import State
from litestar.exceptions import NotFoundException

from basejump_common.contracts.account import Team
from basejump_common.storage.database import Database


def application(dsn: str, client_uuid: UUID) -> Litestar:
    """The same tables, the same pool and the same tenant transaction as the account service uses."""

    @asynccontextmanager
    async def connected(app: Litestar) -> AsyncIterator[None]:
        app.state.database = await Database.connect(dsn, schema="account", application_name="bench", size=4)
        try:
            yield
        finally:
            await app.state.database.close()

    @get("/team/{team_uuid:uuid}")
    async def read(team_uuid: UUID, state: State) -> Team:
        async with state.database.tenant(client_uuid) as tx:
            sql = "select team_uuid, team_name, team_desc, created_at from team where team_uuid = $1"
            team: Team | None = await tx.row(Team, sql, team_uuid)
        if team is None:
            raise NotFoundException
        return team

    return Litestar([read], lifespan=[connected], openapi_config=None)


if __name__ == "__main__":
    port, dsn, client = sys.argv[1:]
    uvicorn.run(application(dsn, UUID(client)), host="127.0.0.1", port=int(port), log_level="warning", access_log=False)
