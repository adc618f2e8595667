"""Rows of teams and memberships."""

from uuid import UUID

from basejump_common.contracts.account import Membership, Team, TeamPage, UpdateTeam
from basejump_common.contracts.common import PageRequest
from basejump_common.storage import pages
from basejump_common.storage.database import Transaction


async def insert(tx: Transaction, client_uuid: UUID, team: Team) -> None:
    """A new team."""
    await tx.execute(
        "insert into team (client_uuid, team_uuid, team_name, team_desc, created_at) values ($1, $2, $3, $4, $5)",
        client_uuid,
        team.team_uuid,
        team.team_name,
        team.team_desc,
        team.created_at,
    )


async def find(tx: Transaction, team_uuid: UUID, member: UUID | None = None) -> Team | None:
    """The team, if this client has it and, when `member` is given, that user is in it."""
    return await tx.row(
        Team,
        """
        select * from team t where team_uuid = $1
          and ($2::uuid is null
               or exists (select from membership m where m.team_uuid = t.team_uuid and m.user_uuid = $2))
        """,
        team_uuid,
        member,
    )


async def update(tx: Transaction, request: UpdateTeam) -> Team | None:
    """Change what is given; the team, if there is one."""
    return await tx.row(
        Team,
        """
        update team set team_name = coalesce($2, team_name), team_desc = coalesce($3, team_desc)
        where team_uuid = $1 returning *
        """,
        request.team_uuid,
        request.team_name,
        request.team_desc,
    )


async def delete(tx: Transaction, team_uuid: UUID) -> bool:
    """The team, if there is one; its memberships must be gone."""
    return await tx.execute("delete from team where team_uuid = $1", team_uuid) == 1


async def page(tx: Transaction, request: PageRequest, member: UUID | None = None) -> TeamPage:
    """Teams, newest first; those of one user when it is given."""
    rows = await tx.rows(
        Team,
        """
        select * from team t
        where (created_at, team_uuid) < ($1, $2)
          and ($4::uuid is null
               or exists (select from membership m where m.team_uuid = t.team_uuid and m.user_uuid = $4))
        order by created_at desc, team_uuid desc limit $3
        """,
        *pages.position(request.cursor, newest_first=True),
        pages.rows_to_ask(request.limit),
        member,
    )
    data, next_cursor = pages.page(rows, request.limit, lambda team: (team.created_at, team.team_uuid))
    return TeamPage(data=data, next_cursor=next_cursor)


async def add_member(tx: Transaction, client_uuid: UUID, membership: Membership) -> bool:
    """False when the user was in the team already. Both must exist."""
    added = await tx.execute(
        "insert into membership (client_uuid, team_uuid, user_uuid) values ($1, $2, $3) on conflict do nothing",
        client_uuid,
        membership.team_uuid,
        membership.user_uuid,
    )
    return added == 1


async def remove_member(tx: Transaction, membership: Membership) -> bool:
    """False when the user wasn't in the team."""
    removed = await tx.execute(
        "delete from membership where team_uuid = $1 and user_uuid = $2", membership.team_uuid, membership.user_uuid
    )
    return removed == 1


async def empty_team(tx: Transaction, team_uuid: UUID) -> list[Membership]:
    """End every membership of a team; which they were."""
    return await tx.rows(Membership, "delete from membership where team_uuid = $1 returning *", team_uuid)


async def leave_all(tx: Transaction, user_uuid: UUID) -> list[Membership]:
    """End every membership of a user; which they were."""
    return await tx.rows(Membership, "delete from membership where user_uuid = $1 returning *", user_uuid)


async def is_member(tx: Transaction, team_uuid: UUID, user_uuid: UUID) -> bool:
    """Whether the user is in the team."""
    found = await tx.fetchrow("select from membership where team_uuid = $1 and user_uuid = $2", team_uuid, user_uuid)
    return found is not None
