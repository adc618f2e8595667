"""The table `team_grant`. Every function takes the tenant's transaction."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from basejump_common.contracts.connection import Connection, DatabaseType, Grant, IndexState
from basejump_common.storage.database import Transaction


class GrantedConnection(msgspec.Struct, frozen=True, kw_only=True):
    """A connection that a team may ask over, and how far its database's index is."""

    conn_uuid: UUID
    db_uuid: UUID
    database_type: DatabaseType
    database_name_alias: str
    index_status: IndexState
    index_error: str | None
    index_version: int


_CONNECTION = """
    select conn_uuid, db_uuid, database_type, database_name_alias, index_status, index_error, index_version
    from connection join database using (client_uuid, db_uuid)
"""
_GRANTED = f"{_CONNECTION} join team_grant using (client_uuid, conn_uuid) where team_uuid = $1"


def bell(conn_uuid: UUID) -> str:
    """Rings when a team lost the connection."""
    return f"grants {conn_uuid}"


async def add(tx: Transaction, client_uuid: UUID, conn_uuid: UUID, team_uuids: Sequence[UUID]) -> list[UUID]:
    """Grant; which of the teams didn't have the grant before."""
    rows = await tx.fetch(
        """
        insert into team_grant (client_uuid, conn_uuid, team_uuid) select $1, $2, unnest($3::uuid[])
        on conflict do nothing returning team_uuid
        """,
        client_uuid,
        conn_uuid,
        list(dict.fromkeys(team_uuids)),
    )
    return [row["team_uuid"] for row in rows]


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


async def of_team(tx: Transaction, team_uuid: UUID) -> list[GrantedConnection]:
    """Oldest grant first."""
    return await tx.rows(GrantedConnection, f"{_GRANTED} order by granted_at, conn_uuid", team_uuid)


async def find(tx: Transaction, team_uuid: UUID, conn_uuid: UUID) -> GrantedConnection | None:
    """The connection, when the team has it at this moment."""
    return await tx.row(GrantedConnection, f"{_GRANTED} and conn_uuid = $2", team_uuid, conn_uuid)


async def connection(tx: Transaction, conn_uuid: UUID) -> GrantedConnection | None:
    """The connection, whoever has it: for those who grant."""
    return await tx.row(GrantedConnection, f"{_CONNECTION} where conn_uuid = $1", conn_uuid)


async def connections_of_team(tx: Transaction, team_uuid: UUID) -> list[Connection]:
    """Newest first."""
    return await tx.rows(
        Connection,
        """
        select connection.* from connection join team_grant using (client_uuid, conn_uuid)
        where team_uuid = $1 order by created_at desc, conn_uuid desc
        """,
        team_uuid,
    )


async def teams_by_connection(tx: Transaction, db_uuid: UUID) -> dict[UUID, set[UUID]]:
    """Which teams may ask over which connection of a database: conn_uuid → team_uuids."""
    rows = await tx.fetch(
        "select conn_uuid, team_uuid from team_grant join connection using (client_uuid, conn_uuid) where db_uuid = $1",
        db_uuid,
    )
    found: dict[UUID, set[UUID]] = {}
    for row in rows:
        found.setdefault(row["conn_uuid"], set()).add(row["team_uuid"])
    return found
