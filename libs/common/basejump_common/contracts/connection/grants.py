"""Which team may ask over which connection."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from basejump_common.contracts.common import Done, PageRequest
from basejump_common.contracts.connection.databases import DatabaseType, IndexState
from basejump_common.contracts.connection.logins import Connection
from basejump_common.contracts.connection.tables import ColumnName, TableName
from basejump_common.contracts.operation import EventType, Operation
from basejump_common.errors import Conflict, InvalidInput, NotFound
from basejump_common.security.principal import Role


class TableScope(msgspec.Struct, frozen=True, kw_only=True):
    """A table by `schema.table`, or by `table` where one schema alone has it; no `columns`: all of them, also those
    that are added later."""

    table: TableName
    columns: Annotated[tuple[ColumnName, ...], Meta(min_length=1, max_length=200)] | None = None


Scopes = Annotated[tuple[TableScope, ...], Meta(max_length=500)]


class GrantTeams(msgspec.Struct, frozen=True, kw_only=True):
    """Teams that may ask over a connection; `allow` and `deny` narrow what of it they see, deny wins.

    `allow`: these tables and columns alone; null is all that the connection sees. `deny`: not these. A field that is
    left out stays as it is for a team that has the grant already. Narrowing needs the index.
    """

    conn_uuid: UUID
    team_uuids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=200)]
    allow: Scopes | UnsetType | None = UNSET
    deny: Scopes | UnsetType | None = UNSET


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A team's right to ask over a connection, narrowed as in GrantTeams."""

    conn_uuid: UUID
    team_uuid: UUID
    granted_at: datetime
    allow: tuple[TableScope, ...] | None = None
    deny: tuple[TableScope, ...] = ()


class ConnectionGrantsRequest(PageRequest, frozen=True, kw_only=True):
    """Which teams have a connection."""

    conn_uuid: UUID


class GrantList(msgspec.Struct, frozen=True, kw_only=True):
    """Oldest first; a page of narrow grants has fewer of them."""

    data: tuple[Grant, ...]
    next_cursor: str | None = None


class ByGrant(msgspec.Struct, frozen=True, kw_only=True):
    """Names a grant."""

    conn_uuid: UUID
    team_uuid: UUID


class RanUnder(ByGrant, frozen=True, kw_only=True):
    """A grant, and what ran under it."""

    run_uuid: UUID | None = None


class CheckGrants(msgspec.Struct, frozen=True, kw_only=True):
    """Which of these may the caller read now?"""

    data: Annotated[tuple[RanUnder, ...], Meta(max_length=200)]


class HeldGrants(msgspec.Struct, frozen=True, kw_only=True):
    """Those whose team still has the connection and the caller is in the team (an ADMIN, who grants, needs no grant),
    and whose statement would still be proved."""

    data: tuple[RanUnder, ...]


class TeamConnectionsRequest(PageRequest, frozen=True, kw_only=True):
    """What may this team query?"""

    team_uuid: UUID


class TeamConnection(Connection, frozen=True, kw_only=True):
    """A connection that a team may query, of which database, and what of it: narrowed as in GrantTeams."""

    database_name_alias: str
    database_type: DatabaseType
    index_status: IndexState
    allow: tuple[TableScope, ...] | None = None
    deny: tuple[TableScope, ...] = ()


class TeamConnectionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first; a page of narrow grants has fewer of them."""

    data: tuple[TeamConnection, ...]
    next_cursor: str | None = None


class GrantChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A team was granted a connection, or lost it, or sees more or less of it."""

    conn_uuid: UUID
    team_uuid: UUID


GRANT_ADDED = EventType("grant", "added", GrantChanged, publisher="connection-indexer")
GRANT_CHANGED = EventType("grant", "changed", GrantChanged, publisher="connection-indexer")
GRANT_REMOVED = EventType("grant", "removed", GrantChanged, publisher="connection-indexer")


GRANT_TEAMS = Operation(
    "basejump.v1.connection.grant.add",
    takes=GrantTeams,
    gives=GrantList,
    allow=Role.ADMIN,
    errors=(InvalidInput, NotFound, Conflict),
)
LIST_GRANTS = Operation(
    "basejump.v1.connection.grant.list",
    takes=ConnectionGrantsRequest,
    gives=GrantList,
    allow=Role.ADMIN,
    errors=(NotFound,),
)
REVOKE_GRANT = Operation(
    "basejump.v1.connection.grant.remove",
    takes=ByGrant,
    gives=Done,
    allow=Role.ADMIN,
    errors=(NotFound,),
)
LIST_TEAM_CONNECTIONS = Operation(
    "basejump.v1.connection.team.connections",
    takes=TeamConnectionsRequest,
    gives=TeamConnectionPage,
    allow=Role.MEMBER,
    errors=(NotFound,),
)
CHECK_GRANTS = Operation(
    "basejump.v1.connection.grant.check",
    takes=CheckGrants,
    gives=HeldGrants,
    allow=Role.MEMBER,
    callers=("chat-agent",),
)
