"""Teams, and who is in them."""

from datetime import datetime
from uuid import UUID

import msgspec

from basejump_common.contracts.account.users import UserPage
from basejump_common.contracts.common import Done, Name, PageRequest, Text
from basejump_common.contracts.operation import EventType, Operation
from basejump_common.errors import NotFound
from basejump_common.security.principal import Role


class CreateTeam(msgspec.Struct, frozen=True, kw_only=True):
    """Names are labels: two teams may share one."""

    team_name: Name
    team_desc: Text = ""


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """A team of a client."""

    team_uuid: UUID
    team_name: str
    team_desc: str
    created_at: datetime


class UpdateTeam(msgspec.Struct, frozen=True, kw_only=True):
    """What is given is changed."""

    team_uuid: UUID
    team_name: Name | None = None
    team_desc: Text | None = None


class ByTeam(msgspec.Struct, frozen=True, kw_only=True):
    """Names a team."""

    team_uuid: UUID


class TeamPage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first."""

    data: tuple[Team, ...]
    next_cursor: str | None = None


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """A user in a team."""

    user_uuid: UUID
    team_uuid: UUID


class TeamUsersRequest(PageRequest, frozen=True, kw_only=True):
    """The users of one team."""

    team_uuid: UUID


class UserTeamsRequest(PageRequest, frozen=True, kw_only=True):
    """The teams of one user."""

    user_uuid: UUID


class CheckMembership(msgspec.Struct, frozen=True, kw_only=True):
    """Is this user in this team? Does this team exist?"""

    team_uuid: UUID
    user_uuid: UUID | None = None


class MembershipStanding(msgspec.Struct, frozen=True, kw_only=True):
    """`member` is False when no user was asked about."""

    team_exists: bool
    member: bool


# -- events -------------------------------------------------------------------------------------------------------


class TeamChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A team was created, updated or deleted."""

    team_uuid: UUID


class MembershipChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A user joined a team or left it."""

    user_uuid: UUID
    team_uuid: UUID


TEAM_CREATED = EventType("team", "created", TeamChanged, publisher="account")
TEAM_UPDATED = EventType("team", "updated", TeamChanged, publisher="account")
TEAM_DELETED = EventType(
    "team", "deleted", TeamChanged, publisher="account", consumers=("connection-indexer", "chat-agent")
)
MEMBERSHIP_ADDED = EventType("membership", "added", MembershipChanged, publisher="account")
MEMBERSHIP_REMOVED = EventType(
    "membership", "removed", MembershipChanged, publisher="account", consumers=("connection-indexer",)
)

# -- operations ---------------------------------------------------------------------------------------------------

CREATE_TEAM = Operation("basejump.v1.account.team.create", takes=CreateTeam, gives=Team, allow=Role.ADMIN)
LIST_TEAMS = Operation(
    "basejump.v1.account.team.list",
    takes=PageRequest,
    gives=TeamPage,
    allow=Role.MEMBER,
    callers=("gateway", "chat-agent"),
)
GET_TEAM = Operation("basejump.v1.account.team.get", takes=ByTeam, gives=Team, allow=Role.MEMBER, errors=(NotFound,))
UPDATE_TEAM = Operation(
    "basejump.v1.account.team.update", takes=UpdateTeam, gives=Team, allow=Role.ADMIN, errors=(NotFound,)
)
DELETE_TEAM = Operation(
    "basejump.v1.account.team.delete", takes=ByTeam, gives=Done, allow=Role.ADMIN, errors=(NotFound,)
)
ADD_MEMBER = Operation(
    "basejump.v1.account.membership.add",
    takes=Membership,
    gives=Membership,
    allow=Role.ADMIN,
    errors=(NotFound,),
)
REMOVE_MEMBER = Operation(
    "basejump.v1.account.membership.remove",
    takes=Membership,
    gives=Done,
    allow=Role.ADMIN,
    errors=(NotFound,),
)
LIST_TEAM_USERS = Operation(
    "basejump.v1.account.team.users",
    takes=TeamUsersRequest,
    gives=UserPage,
    allow=Role.ADMIN,
    errors=(NotFound,),
)
LIST_USER_TEAMS = Operation(
    "basejump.v1.account.user.teams",
    takes=UserTeamsRequest,
    gives=TeamPage,
    allow=Role.ADMIN,
    errors=(NotFound,),
)
CHECK_MEMBERSHIP = Operation(
    "basejump.v1.account.membership.check",
    takes=CheckMembership,
    gives=MembershipStanding,
    allow=Role.MEMBER,
    callers=("chat-agent", "connection-indexer"),
)
