"""Users of a client, with their roles."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from basejump_common.contracts.common import ByUser, Done, Name, PageRequest
from basejump_common.contracts.operation import SERVICES_ONLY, Allow, EventType, Operation
from basejump_common.errors import Conflict, Forbidden, InvalidInput, NotFound
from basejump_common.security.principal import Credential, Role, UserRole

Email = Annotated[str, Meta(min_length=3, max_length=320, pattern=r"^[^@\s]+@[^@\s]+$(?!\n)")]


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


# -- events -------------------------------------------------------------------------------------------------------


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


USER_CREATED = EventType("user", "created", UserChanged, publisher="account")
USER_UPDATED = EventType("user", "updated", UserChanged, publisher="account", consumers=("auth",))
USER_DELETED = EventType("user", "deleted", UserGone, publisher="account", consumers=("auth", "chat-agent"))
USER_DEPROVISIONED = EventType(
    "user", "deprovisioned", UserGone, publisher="external", consumers=("account",), external=True
)

# -- operations ---------------------------------------------------------------------------------------------------

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
USER_STANDING = Operation(
    "basejump.v1.account.user.standing",
    takes=ByClientUser,
    gives=UserStanding,
    allow=SERVICES_ONLY,
    callers=("auth",),
    errors=(NotFound,),
)
