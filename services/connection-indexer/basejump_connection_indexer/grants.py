"""Which team may ask over which connection."""

from uuid import UUID

from msgspec import UnsetType

from basejump_common.bus import Context, Event, publish
from basejump_common.bus.fitting import fitting
from basejump_common.contracts import connection as contract
from basejump_common.contracts import wire
from basejump_common.contracts.account import TeamChanged
from basejump_common.contracts.common import Done
from basejump_common.contracts.connection import (
    ByGrant,
    ConnectionGrantsRequest,
    GrantChanged,
    GrantList,
    GrantTeams,
    TableScope,
    TeamConnectionPage,
    TeamConnectionsRequest,
)
from basejump_common.errors import Conflict, InvalidInput, NotFound
from basejump_common.security.principal import Role
from basejump_common.storage import pages
from basejump_common.storage.database import Database, Transaction
from basejump_connection_indexer.adapters import grant_rows, index_rows, login_rows
from basejump_connection_indexer.adapters.teams import Teams
from basejump_connection_indexer.domain.scope import resolved

Narrowing = tuple[TableScope, ...] | UnsetType | None
_LONGEST = 200_000


class Grants:
    """What connection-indexer does about teams' grants."""

    def __init__(self, database: Database, teams: Teams) -> None:
        self._database = database
        self._teams = teams

    async def add(self, context: Context, request: GrantTeams) -> GrantList:
        """Grant, or narrow what was granted; again changes nothing. The connection's grants, their first page.

        Raises NotFound (connection or team), InvalidInput naming a table or column that isn't there, and Conflict when
        there is no index to find them in.
        """
        tenant = context.caller.tenant
        await self._require_connection(tenant, request.conn_uuid)
        for team_uuid in request.team_uuids:
            await self._teams.require_team(context, team_uuid)
        async with self._database.tenant(tenant) as tx:
            allow = await _resolved(tx, request.conn_uuid, request.allow, "allow")
            deny = await _resolved(tx, request.conn_uuid, request.deny, "deny")
            _check_length(allow, deny)
            for given in await grant_rows.add(tx, (tenant, request.conn_uuid), request.team_uuids, allow, deny):
                change = GrantChanged(conn_uuid=request.conn_uuid, team_uuid=given.team_uuid)
                event = contract.GRANT_ADDED if given.is_new else contract.GRANT_CHANGED
                await publish(tx, event, tenant, request.conn_uuid, change, context)
            return await _page(tx, ConnectionGrantsRequest(conn_uuid=request.conn_uuid))

    async def of_connection(self, context: Context, request: ConnectionGrantsRequest) -> GrantList:
        """Oldest first. Raises NotFound."""
        async with self._database.tenant(context.caller.tenant) as tx:
            await _require(tx, request.conn_uuid)
            return await _page(tx, request)

    async def remove(self, context: Context, request: ByGrant) -> Done:
        """Raises NotFound."""
        tenant = context.caller.tenant
        async with self._database.tenant(tenant) as tx:
            if not await grant_rows.remove(tx, request.conn_uuid, request.team_uuid):
                raise NotFound("there is no such grant")
            change = GrantChanged(conn_uuid=request.conn_uuid, team_uuid=request.team_uuid)
            await publish(tx, contract.GRANT_REMOVED, tenant, request.conn_uuid, change, context)
        return Done()

    async def of_team(self, context: Context, request: TeamConnectionsRequest) -> TeamConnectionPage:
        """What a team may query: for its members, and for every ADMIN. Raises NotFound."""
        if context.caller.role.at_least(Role.ADMIN):
            await self._teams.require_team(context, request.team_uuid)
        else:
            await self._teams.require_member(context, request.team_uuid)
        async with self._database.tenant(context.caller.tenant) as tx:
            rows = await grant_rows.connections_of_team(tx, request.team_uuid, request)
        most = len(fitting(rows[: request.limit]))
        data, next_cursor = pages.page(rows, most, lambda found: (found.created_at, found.conn_uuid))
        return TeamConnectionPage(data=data, next_cursor=next_cursor)

    async def team_deleted(self, tx: Transaction, event: Event[TeamChanged]) -> None:
        """The grants of a team end with it."""
        for conn_uuid in await grant_rows.remove_team(tx, event.data.team_uuid):
            change = GrantChanged(conn_uuid=conn_uuid, team_uuid=event.data.team_uuid)
            await publish(tx, contract.GRANT_REMOVED, event.client_uuid, conn_uuid, change, event.context)

    async def _require_connection(self, tenant: UUID, conn_uuid: UUID) -> None:
        async with self._database.tenant(tenant) as tx:
            await _require(tx, conn_uuid)


async def _page(tx: Transaction, request: ConnectionGrantsRequest) -> GrantList:
    rows = await grant_rows.page(tx, request.conn_uuid, request)
    most = len(fitting(rows[: request.limit]))
    data, next_cursor = pages.page(rows, most, lambda grant: (grant.granted_at, grant.team_uuid))
    return GrantList(data=data, next_cursor=next_cursor)


async def _resolved(tx: Transaction, conn_uuid: UUID, scopes: Narrowing, field: str) -> Narrowing:
    """The scopes as they are kept. Raises NotFound, InvalidInput and Conflict."""
    if not isinstance(scopes, tuple) or not scopes:
        return scopes
    granted = await grant_rows.connection(tx, conn_uuid)
    if granted is None:
        raise _no_connection()
    if not granted.index_version:
        raise Conflict("the database isn't indexed yet: narrow the grant when it is")
    said = [scope.table for scope in scopes]
    names = {*said, *(name.partition(".")[2] for name in said)}
    return resolved(scopes, await index_rows.named(tx, granted.db_uuid, names), field)


def _check_length(*narrowings: Narrowing) -> None:
    if (
        sum(len(wire.encode(scope)) for scopes in narrowings if isinstance(scopes, tuple) for scope in scopes)
        > _LONGEST
    ):
        raise InvalidInput(f"allow and deny are longer than {_LONGEST} characters together: name tables, not columns")


async def _require(tx: Transaction, conn_uuid: UUID) -> None:
    if await login_rows.find(tx, conn_uuid) is None:
        raise _no_connection()


def _no_connection() -> NotFound:
    return NotFound("there is no such connection")
