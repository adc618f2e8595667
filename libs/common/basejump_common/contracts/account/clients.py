"""Clients (tenants): created, suspended and deleted by the operator, set by their OWNER."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from basejump_common.contracts.client_settings import (
    ClientChoices,
    ClientSettings,
    Quota,
    UpdateClientSettings,
    UpdateVerifyMode,
)
from basejump_common.contracts.common import ByClient, Done, Name, Nothing, PageRequest, Text
from basejump_common.contracts.operation import SERVICES_ONLY, Allow, EventType, Operation
from basejump_common.errors import Conflict, NotFound
from basejump_common.security.principal import Credential, Role
from basejump_common.security.secret import Secret


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


class ClientStateChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant was suspended, resumed or deleted."""

    client_uuid: UUID
    state: ClientState


CLIENT_SUSPENDED = EventType("client", "suspended", ClientStateChanged, publisher="account", consumers=("auth",))
CLIENT_RESUMED = EventType("client", "resumed", ClientStateChanged, publisher="account")
CLIENT_DELETED = EventType("client", "deleted", ClientStateChanged, publisher="account")
CLIENT_CREATED = EventType("client", "created", ClientCreated, publisher="account")
CLIENT_UPDATED = EventType("client", "updated", ClientUpdated, publisher="account")

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
