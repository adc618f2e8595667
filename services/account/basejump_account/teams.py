"""Teams and who is in them."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg

from basejump_account.adapters import team_rows, user_rows
from basejump_account.events import publish_left
from basejump_account.users import found as found_user
from basejump_common.bus import Context, publish
from basejump_common.contracts import account
from basejump_common.contracts.account import (
    ByTeam,
    CheckMembership,
    CreateTeam,
    Membership,
    MembershipChanged,
    MembershipStanding,
    Team,
    TeamChanged,
    TeamPage,
    TeamUsersRequest,
    UpdateTeam,
    UserPage,
    UserTeamsRequest,
)
from basejump_common.contracts.common import Done, PageRequest
from basejump_common.errors import NotFound
from basejump_common.security.principal import Principal, Role
from basejump_common.storage.database import Database, Transaction


class Teams:
    """What account does about teams and memberships."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, context: Context, request: CreateTeam) -> Team:
        """A team without members."""
        team = Team(
            team_uuid=uuid4(),
            team_name=request.team_name,
            team_desc=request.team_desc,
            created_at=datetime.now(UTC),
        )
        tenant = context.caller.tenant
        async with self._database.tenant(tenant) as tx:
            await team_rows.insert(tx, tenant, team)
            change = TeamChanged(team_uuid=team.team_uuid)
            await publish(tx, account.TEAM_CREATED, tenant, team.team_uuid, change, context)
        return team

    async def page(self, context: Context, request: PageRequest) -> TeamPage:
        """All teams for an ADMIN; their own for the others."""
        async with self._database.tenant(context.caller.tenant) as tx:
            return await team_rows.page(tx, request, member=_only_their_own(context.caller))

    async def get(self, context: Context, request: ByTeam) -> Team:
        """A team; for a MEMBER, one of their own. Raises NotFound."""
        async with self._database.tenant(context.caller.tenant) as tx:
            return _found(await team_rows.find(tx, request.team_uuid, member=_only_their_own(context.caller)))

    async def update(self, context: Context, request: UpdateTeam) -> Team:
        """Change what is given. Raises NotFound."""
        tenant = context.caller.tenant
        async with self._database.tenant(tenant) as tx:
            team = _found(await team_rows.update(tx, request))
            change = TeamChanged(team_uuid=team.team_uuid)
            await publish(tx, account.TEAM_UPDATED, tenant, team.team_uuid, change, context)
        return team

    async def delete(self, context: Context, request: ByTeam) -> Done:
        """The team and its memberships. Raises NotFound."""
        tenant = context.caller.tenant
        async with self._database.tenant(tenant) as tx:
            await publish_left(tx, tenant, await team_rows.empty_team(tx, request.team_uuid), context)
            if not await team_rows.delete(tx, request.team_uuid):
                raise NotFound("there is no such team")
            change = TeamChanged(team_uuid=request.team_uuid)
            await publish(tx, account.TEAM_DELETED, tenant, request.team_uuid, change, context)
        return Done()

    async def add_member(self, context: Context, request: Membership) -> Membership:
        """Put the user in the team; again changes nothing. Raises NotFound when there is no such user or team."""
        tenant = context.caller.tenant
        try:
            async with self._database.tenant(tenant) as tx:
                await _add(tx, tenant, request, context)
        except asyncpg.ForeignKeyViolationError as error:
            raise NotFound("there is no such user or team") from error
        return request

    async def remove_member(self, context: Context, request: Membership) -> Done:
        """Take the user out of the team. Raises NotFound when it isn't in there."""
        tenant = context.caller.tenant
        async with self._database.tenant(tenant) as tx:
            if not await team_rows.remove_member(tx, request):
                raise NotFound("there is no such membership")
            await publish_left(tx, tenant, [request], context)
        return Done()

    async def users(self, context: Context, request: TeamUsersRequest) -> UserPage:
        """The users of a team. Raises NotFound."""
        async with self._database.tenant(context.caller.tenant) as tx:
            _found(await team_rows.find(tx, request.team_uuid))
            return await user_rows.page(tx, request, team_uuid=request.team_uuid)

    async def of_user(self, context: Context, request: UserTeamsRequest) -> TeamPage:
        """The teams of a user. Raises NotFound."""
        async with self._database.tenant(context.caller.tenant) as tx:
            found_user(await user_rows.find(tx, request.user_uuid))
            return await team_rows.page(tx, request, member=request.user_uuid)

    async def check_membership(self, context: Context, request: CheckMembership) -> MembershipStanding:
        """Whether the caller's client has the team, and the user is in it."""
        async with self._database.tenant(context.caller.tenant) as tx:
            exists = await team_rows.find(tx, request.team_uuid) is not None
            user_uuid = request.user_uuid
            member = exists and user_uuid is not None and await team_rows.is_member(tx, request.team_uuid, user_uuid)
        return MembershipStanding(team_exists=exists, member=member)


async def _add(tx: Transaction, tenant: UUID, request: Membership, context: Context) -> None:
    if await team_rows.add_member(tx, tenant, request):
        change = MembershipChanged(user_uuid=request.user_uuid, team_uuid=request.team_uuid)
        await publish(tx, account.MEMBERSHIP_ADDED, tenant, request.user_uuid, change, context)


def _only_their_own(caller: Principal) -> UUID | None:
    """None for an ADMIN, who sees every team; otherwise whose teams may be seen."""
    return None if caller.role.at_least(Role.ADMIN) else caller.user


def _found(team: Team | None) -> Team:
    if team is None:
        raise NotFound("there is no such team")
    return team
