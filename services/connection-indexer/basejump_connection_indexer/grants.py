"""Which team may ask over which connection."""

from uuid import UUID

from basejump_common.bus import Context, Event, publish
from basejump_common.contracts import connection as contract
from basejump_common.contracts.account import TeamChanged
from basejump_common.contracts.common import Done
from basejump_common.contracts.connection import (
    ByConnection,
    ByGrant,
    ConnectionPage,
    GrantChanged,
    GrantList,
    GrantTeams,
    TeamConnectionsRequest,
)
from basejump_common.errors import NotFound
from basejump_common.security.principal import Role
from basejump_common.storage.database import Database, Transaction
from basejump_connection_indexer.adapters import database_rows, grant_rows
from basejump_connection_indexer.adapters.teams import Teams


class Grants:
    """What connection-indexer does about teams' grants."""

    def __init__(self, database: Database, teams: Teams) -> None:
        self._database = database
        self._teams = teams

    async def add(self, context: Context, request: GrantTeams) -> GrantList:
        """Grant; again changes nothing. All grants of the connection. Raises NotFound (connection or team)."""
        tenant = context.caller.tenant
        await self._require_connection(tenant, request.conn_uuid)
        for team_uuid in request.team_uuids:
            await self._teams.require_team(context, team_uuid)
        async with self._database.tenant(tenant) as tx:
            await _require(tx, request.conn_uuid)
            for team_uuid in await grant_rows.add(tx, tenant, request.conn_uuid, request.team_uuids):
                change = GrantChanged(conn_uuid=request.conn_uuid, team_uuid=team_uuid)
                await publish(tx, contract.GRANT_ADDED, tenant, request.conn_uuid, change, context)
            return GrantList(data=tuple(await grant_rows.of_connection(tx, request.conn_uuid)))

    async def of_connection(self, context: Context, request: ByConnection) -> GrantList:
        """Oldest first. Raises NotFound."""
        async with self._database.tenant(context.caller.tenant) as tx:
            await _require(tx, request.conn_uuid)
            return GrantList(data=tuple(await grant_rows.of_connection(tx, request.conn_uuid)))

    async def remove(self, context: Context, request: ByGrant) -> Done:
        """Raises NotFound."""
        tenant = context.caller.tenant
        async with self._database.tenant(tenant) as tx:
            if not await grant_rows.remove(tx, request.conn_uuid, request.team_uuid):
                raise NotFound("there is no such grant")
            change = GrantChanged(conn_uuid=request.conn_uuid, team_uuid=request.team_uuid)
            await publish(tx, contract.GRANT_REMOVED, tenant, request.conn_uuid, change, context)
        return Done()

    async def of_team(self, context: Context, request: TeamConnectionsRequest) -> ConnectionPage:
        """What a team may query: for its members, and for every ADMIN. Raises NotFound."""
        if context.caller.role.at_least(Role.ADMIN):
            await self._teams.require_team(context, request.team_uuid)
        else:
            await self._teams.require_member(context, request.team_uuid)
        async with self._database.tenant(context.caller.tenant) as tx:
            return ConnectionPage(data=tuple(await grant_rows.connections_of_team(tx, request.team_uuid)))

    async def team_deleted(self, tx: Transaction, event: Event[TeamChanged]) -> None:
        """The grants of a team end with it."""
        for conn_uuid in await grant_rows.remove_team(tx, event.data.team_uuid):
            change = GrantChanged(conn_uuid=conn_uuid, team_uuid=event.data.team_uuid)
            await publish(tx, contract.GRANT_REMOVED, event.client_uuid, conn_uuid, change, event.context)

    async def _require_connection(self, tenant: UUID, conn_uuid: UUID) -> None:
        async with self._database.tenant(tenant) as tx:
            await _require(tx, conn_uuid)


async def _require(tx: Transaction, conn_uuid: UUID) -> None:
    if await database_rows.find_connection(tx, conn_uuid) is None:
        raise NotFound("there is no such connection")
