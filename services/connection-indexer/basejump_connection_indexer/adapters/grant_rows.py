"""The table `team_grant`. Every function takes the tenant's transaction."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from basejump_common.contracts.common import PageRequest
from basejump_common.contracts.connection import DatabaseType, Grant, IndexState, TableScope, TeamConnection
from basejump_common.storage import pages
from basejump_common.storage.database import Transaction
from basejump_connection_indexer.adapters.database_rows import DatabaseRow
from basejump_connection_indexer.adapters.login_rows import ConnectionRow
from basejump_connection_indexer.domain.scope import Scope


class GrantedConnection(msgspec.Struct, frozen=True, kw_only=True):
    """A connection that a team may ask over, what of it, and how far its database's index is."""

    conn_uuid: UUID
    db_uuid: UUID
    database_type: DatabaseType
    database_name_alias: str
    index_status: IndexState
    index_error: str | None
    index_version: int
    functions: tuple[str, ...] = ()
    allow: tuple[TableScope, ...] | None = None
    deny: tuple[TableScope, ...] = ()

    @property
    def scope(self) -> Scope:
        """What of the connection's view is opened."""
        return Scope(allow=self.allow, deny=self.deny)


_FIELDS = "conn_uuid, db_uuid, database_type, database_name_alias, index_status, index_error, index_version, functions"
_CONNECTION = f"select {_FIELDS} from connection join database using (client_uuid, db_uuid)"  # noqa: S608 - a constant
_GRANTED = f"""
    select {_FIELDS}, allow, deny
    from connection join database using (client_uuid, db_uuid) join team_grant using (client_uuid, conn_uuid)
    where team_uuid = $1
"""  # noqa: S608 - a constant
# Without a team: for those who grant, and need no grant.
_OPENED = """
    select database.*, connection.conn_uuid, username, password, data_source_desc, warnings,
           connection.schemas as login_schemas, connection.schema_maps as login_schema_maps,
           connection.created_at as login_created_at, allow, coalesce(deny, '[]') as deny
    from connection join database using (client_uuid, db_uuid)
    left join team_grant on team_grant.conn_uuid = connection.conn_uuid and team_uuid = $2
    where connection.conn_uuid = $1 and ($2::uuid is null or team_uuid is not null)
"""
_GRANT = """
    insert into team_grant as known (client_uuid, conn_uuid, team_uuid, allow, deny)
    select $1, $2, unnest($3::uuid[]), $4::jsonb, coalesce($5::jsonb, '[]')
    on conflict (client_uuid, conn_uuid, team_uuid) do update set
        allow = case when $6 then excluded.allow else known.allow end,
        deny = case when $7 then excluded.deny else known.deny end
    where $6 and known.allow is distinct from excluded.allow or $7 and known.deny is distinct from excluded.deny
    returning team_uuid, xmax = 0 as is_new
"""


def bell(conn_uuid: UUID) -> str:
    """Rings when a team lost the connection."""
    return f"grants {conn_uuid}"


class Given(msgspec.Struct, frozen=True):
    """A team, and whether it hadn't the grant before."""

    team_uuid: UUID
    is_new: bool


async def add(
    tx: Transaction,
    of: tuple[UUID, UUID],
    team_uuids: Sequence[UUID],
    allow: tuple[TableScope, ...] | UnsetType | None,
    deny: tuple[TableScope, ...] | UnsetType | None,
) -> list[Given]:
    """Grant a connection (`of`: client and connection); those teams whose grant is new, or narrowed otherwise now."""
    narrowing = (None if value is UNSET else value for value in (allow, deny))
    said = (allow is not UNSET, deny is not UNSET)
    return await tx.rows(Given, _GRANT, *of, list(dict.fromkeys(team_uuids)), *narrowing, *said)


async def remove(tx: Transaction, conn_uuid: UUID, team_uuid: UUID) -> bool:
    """Whether there was such a grant."""
    tx.ring(bell(conn_uuid), everywhere=True)
    return await tx.execute("delete from team_grant where conn_uuid = $1 and team_uuid = $2", conn_uuid, team_uuid) == 1


async def remove_team(tx: Transaction, team_uuid: UUID) -> list[UUID]:
    """Take every grant from a team; the connections it had."""
    rows = await tx.fetch("delete from team_grant where team_uuid = $1 returning conn_uuid", team_uuid)
    lost = [row["conn_uuid"] for row in rows]
    for conn_uuid in lost:
        tx.ring(bell(conn_uuid), everywhere=True)
    return lost


async def of_connection(tx: Transaction, conn_uuid: UUID) -> list[Grant]:
    """Oldest first."""
    return await tx.rows(
        Grant, "select * from team_grant where conn_uuid = $1 order by granted_at, team_uuid", conn_uuid
    )


async def page(tx: Transaction, conn_uuid: UUID, request: PageRequest) -> list[Grant]:
    """Oldest first, one more than a page has."""
    return await tx.rows(
        Grant,
        """
        select * from team_grant where conn_uuid = $1 and (granted_at, team_uuid) > ($2, $3)
        order by granted_at, team_uuid limit $4
        """,
        conn_uuid,
        *pages.position(request.cursor),
        pages.rows_to_ask(request.limit),
    )


async def of_team(tx: Transaction, team_uuid: UUID) -> list[GrantedConnection]:
    """Oldest grant first."""
    return await tx.rows(GrantedConnection, f"{_GRANTED} order by granted_at, conn_uuid", team_uuid)


async def find(tx: Transaction, team_uuid: UUID, conn_uuid: UUID) -> GrantedConnection | None:
    """The connection, when the team has it at this moment."""
    return await tx.row(GrantedConnection, f"{_GRANTED} and conn_uuid = $2", team_uuid, conn_uuid)


async def connection(tx: Transaction, conn_uuid: UUID) -> GrantedConnection | None:
    """The connection, whoever has it: for those who grant."""
    return await tx.row(GrantedConnection, f"{_CONNECTION} where conn_uuid = $1", conn_uuid)


async def opened(
    tx: Transaction, team_uuid: UUID | None, conn_uuid: UUID
) -> tuple[GrantedConnection, DatabaseRow, ConnectionRow] | None:
    """As `find` (or `connection`, without a team), with all that is needed to use it."""
    record = await tx.fetchrow(_OPENED, conn_uuid, team_uuid)
    if record is None:
        return None
    of_login = {name: record[f"login_{name}"] for name in ("schemas", "schema_maps", "created_at")}
    return (
        msgspec.convert(record, GrantedConnection),
        msgspec.convert(record, DatabaseRow),
        msgspec.convert(dict(record) | of_login, ConnectionRow),
    )


async def of_database(tx: Transaction, db_uuid: UUID) -> list[Grant]:
    """Every grant of every connection of a database."""
    return await tx.rows(
        Grant,
        """
        select team_grant.* from team_grant join connection using (client_uuid, conn_uuid) where db_uuid = $1
        order by granted_at, team_uuid
        """,
        db_uuid,
    )


async def connections_of_team(tx: Transaction, team_uuid: UUID, request: PageRequest) -> list[TeamConnection]:
    """What a team may query, newest connection first, one more than a page has."""
    return await tx.rows(
        TeamConnection,
        """
        select connection.*, database_name_alias, database_type, index_status, allow, deny
        from connection join database using (client_uuid, db_uuid) join team_grant using (client_uuid, conn_uuid)
        where team_uuid = $1 and (connection.created_at, conn_uuid) < ($2, $3)
        order by connection.created_at desc, conn_uuid desc limit $4
        """,
        team_uuid,
        *pages.position(request.cursor, newest_first=True),
        pages.rows_to_ask(request.limit),
    )
