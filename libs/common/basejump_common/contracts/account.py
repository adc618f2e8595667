"""account: clients (tenants) with their OWNER user, users, teams, memberships."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from basejump_common.contracts.client_settings import (
    ClientChoices,
    ClientSettings,
    Quota,
    UpdateClientSettings,
    UpdateVerifyMode,
)
from basejump_common.contracts.common import ByClient, ByUser, Done, Name, Nothing, PageRequest, Text
from basejump_common.contracts.operation import SERVICES_ONLY, Allow, EventType, Operation
from basejump_common.errors import Conflict, Forbidden, InvalidInput, NotFound
from basejump_common.security.principal import Credential, Role, UserRole
from basejump_common.security.secret import Secret

Email = Annotated[str, Meta(min_length=3, max_length=320, pattern=r"^[^@\s]+@[^@\s]+$(?!\n)")]

# -- clients ------------------------------------------------------------------------------------------------------


class CreateClient(msgspec.Struct, frozen=True, kw_only=True):
    """A new tenant."""

    client_name: Name
    description: Text = ""


class CreatedClient(msgspec.Struct, frozen=True, kw_only=True):
    """The client, its OWNER user, and the only showing of its first secret."""

    client_uuid: UUID
    client_name: str
    owner_user_uuid: UUID
    client_secret: Secret
    client_secret_uuid: UUID


class ClientState(StrEnum):
    """`suspended`: nobody of it gets in until the operator resumes it. `erasing`: it is deleted, some data is left."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    ERASING = "erasing"


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant as its members see it. `llm` is the one of its settings."""

    client_uuid: UUID
    client_name: str
    description: str
    verify_mode: str
    created_at: datetime
    state: ClientState = ClientState.ACTIVE
    llm: str | None = None
    settings: ClientSettings = ClientSettings()
    quota: Quota = Quota()


class UpdateClient(msgspec.Struct, frozen=True, kw_only=True):
    """What is given is changed. A suspended client's tokens end within seconds; its data stays."""

    client_uuid: UUID
    client_name: Name | None = None
    description: Text | None = None
    suspended: bool | None = None
    quota: Quota | None = None


class CheckOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """Whether any client allows calls from web pages of this origin."""

    origin: str


class OriginStanding(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to CheckOrigin."""

    allowed: bool


class ClientStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What auth needs before it lets a client secret in."""

    client_uuid: UUID
    active: bool


class ClientPage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first."""

    data: tuple[Client, ...]
    next_cursor: str | None = None


# -- users --------------------------------------------------------------------------------------------------------


class CreateUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user below the caller's role. `email` is another spelling of `email_address`. `service_user_uuid`: the
    SERVICE_MEMBER whose secret gets tokens for this SUB_MEMBER."""

    username: Name
    role: UserRole = UserRole.MEMBER
    email_address: Email | None = None
    email: Email | None = None
    service_user_uuid: UUID | None = None


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user of a client."""

    user_uuid: UUID
    client_uuid: UUID
    username: str
    role: UserRole
    email_address: str | None
    service_user_uuid: UUID | None
    created_at: datetime


class UpdateUser(msgspec.Struct, frozen=True, kw_only=True):
    """What is given is changed. A new role ends every token of the user within seconds; another service member ends
    those that the one before got for it."""

    user_uuid: UUID
    username: Name | None = None
    role: UserRole | None = None
    email_address: Email | None = None
    email: Email | None = None
    service_user_uuid: UUID | None = None


class UserPage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first."""

    data: tuple[User, ...]
    next_cursor: str | None = None


class UserStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What auth needs before it signs a token."""

    client_uuid: UUID
    user_uuid: UUID
    role: UserRole
    service_user_uuid: UUID | None = None


class ByClientUser(msgspec.Struct, frozen=True, kw_only=True):
    """Names a user of a client."""

    client_uuid: UUID
    user_uuid: UUID


# -- teams --------------------------------------------------------------------------------------------------------


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


class ClientCreated(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant was created."""

    client_uuid: UUID
    client_name: str


class ClientUpdated(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's settings or its verify mode changed."""

    client_uuid: UUID
    settings: ClientSettings
    verify_mode: str


class UserChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A user was created or updated; `role_changed` ends its tokens, and so does another `service_user_uuid` those that
    the service member before got for it."""

    user_uuid: UUID
    role: UserRole
    role_changed: bool = False
    service_user_uuid: UUID | None = None


class UserGone(msgspec.Struct, frozen=True, kw_only=True):
    """A user was deleted, or left the company; its tokens end."""

    user_uuid: UUID


class TeamChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A team was created, updated or deleted."""

    team_uuid: UUID


class MembershipChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A user joined a team or left it."""

    user_uuid: UUID
    team_uuid: UUID


class ClientStateChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant was suspended, resumed or deleted."""

    client_uuid: UUID
    state: ClientState


CLIENT_SUSPENDED = EventType("client", "suspended", ClientStateChanged, publisher="account", consumers=("auth",))
CLIENT_RESUMED = EventType("client", "resumed", ClientStateChanged, publisher="account")
CLIENT_DELETED = EventType("client", "deleted", ClientStateChanged, publisher="account")
CLIENT_CREATED = EventType("client", "created", ClientCreated, publisher="account")
CLIENT_UPDATED = EventType("client", "updated", ClientUpdated, publisher="account")
USER_CREATED = EventType("user", "created", UserChanged, publisher="account")
USER_UPDATED = EventType("user", "updated", UserChanged, publisher="account", consumers=("auth",))
USER_DELETED = EventType("user", "deleted", UserGone, publisher="account", consumers=("auth", "chat-agent"))
USER_DEPROVISIONED = EventType(
    "user", "deprovisioned", UserGone, publisher="external", consumers=("account",), external=True
)
TEAM_CREATED = EventType("team", "created", TeamChanged, publisher="account")
TEAM_UPDATED = EventType("team", "updated", TeamChanged, publisher="account")
TEAM_DELETED = EventType(
    "team", "deleted", TeamChanged, publisher="account", consumers=("connection-indexer", "chat-agent")
)
MEMBERSHIP_ADDED = EventType("membership", "added", MembershipChanged, publisher="account")
MEMBERSHIP_REMOVED = EventType("membership", "removed", MembershipChanged, publisher="account")

# -- operations ---------------------------------------------------------------------------------------------------

CREATE_CLIENT = Operation(
    "basejump.v1.account.client.create",
    takes=CreateClient,
    gives=CreatedClient,
    allow=Allow(frozenset({Credential.CLIENT_SECRET}), Role.INTERNAL),
    callers=("gateway", "cli"),
    errors=(Conflict,),
)
LIST_CLIENTS = Operation(
    "basejump.v1.account.client.list",
    takes=PageRequest,
    gives=ClientPage,
    allow=Allow(frozenset({Credential.CLIENT_SECRET}), Role.INTERNAL),
)
UPDATE_CLIENT = Operation(
    "basejump.v1.account.client.update",
    takes=UpdateClient,
    gives=Client,
    allow=Allow(frozenset({Credential.CLIENT_SECRET}), Role.INTERNAL),
    errors=(NotFound, Conflict),
)
DELETE_CLIENT = Operation(
    "basejump.v1.account.client.delete",
    takes=ByClient,
    gives=Done,
    allow=Allow(frozenset({Credential.CLIENT_SECRET, Credential.ACCESS}), Role.OWNER),
    errors=(NotFound,),
)
CLIENT_STANDING = Operation(
    "basejump.v1.account.client.standing",
    takes=ByClient,
    gives=ClientStanding,
    allow=SERVICES_ONLY,
    callers=("auth",),
)
GET_CLIENT = Operation("basejump.v1.account.client.get", takes=Nothing, gives=Client, allow=Role.MEMBER)
UPDATE_CLIENT_SETTINGS = Operation(
    "basejump.v1.account.client.update-settings", takes=UpdateClientSettings, gives=Client, allow=Role.OWNER
)
UPDATE_VERIFY_MODE = Operation(
    "basejump.v1.account.client.update-verify-mode", takes=UpdateVerifyMode, gives=Client, allow=Role.OWNER
)
CLIENT_CHOICES = Operation(
    "basejump.v1.account.client.choices",
    takes=ByClient,
    gives=ClientChoices,
    allow=SERVICES_ONLY,
    callers=("connection-indexer", "chat-agent", "gateway"),
    errors=(NotFound,),
)
CHECK_ORIGIN = Operation(
    "basejump.v1.account.origin.check", takes=CheckOrigin, gives=OriginStanding, allow=SERVICES_ONLY
)
CREATE_USER = Operation(
    "basejump.v1.account.user.create",
    takes=CreateUser,
    gives=User,
    allow=Allow(frozenset({Credential.CLIENT_SECRET, Credential.ACCESS}), Role.ADMIN),
    errors=(Forbidden, NotFound, InvalidInput),
)
LIST_USERS = Operation("basejump.v1.account.user.list", takes=PageRequest, gives=UserPage, allow=Role.ADMIN)
GET_USER = Operation(
    "basejump.v1.account.user.get", takes=ByUser, gives=User, allow=Role.MEMBER, errors=(Forbidden, NotFound)
)
UPDATE_USER = Operation(
    "basejump.v1.account.user.update",
    takes=UpdateUser,
    gives=User,
    allow=Role.ADMIN,
    errors=(Forbidden, NotFound, InvalidInput),
)
DELETE_USER = Operation(
    "basejump.v1.account.user.delete",
    takes=ByUser,
    gives=Done,
    allow=Role.ADMIN,
    errors=(Forbidden, NotFound, Conflict),
)
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
USER_STANDING = Operation(
    "basejump.v1.account.user.standing",
    takes=ByClientUser,
    gives=UserStanding,
    allow=SERVICES_ONLY,
    callers=("auth",),
    errors=(NotFound,),
)
CHECK_MEMBERSHIP = Operation(
    "basejump.v1.account.membership.check",
    takes=CheckMembership,
    gives=MembershipStanding,
    allow=Role.MEMBER,
    callers=("chat-agent", "connection-indexer"),
)
