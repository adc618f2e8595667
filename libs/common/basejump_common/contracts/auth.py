"""auth: client secrets, sessions, refresh and access tokens, signing keys, revocations."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from basejump_common.contracts.common import Done, Nothing, PageRequest, Text
from basejump_common.contracts.erasing import erase_client
from basejump_common.contracts.operation import PUBLIC, SERVICES_ONLY, Allow, EventType, Operation
from basejump_common.errors import Forbidden, NotFound, Unauthenticated
from basejump_common.security.principal import Credential, Role, UserRole
from basejump_common.security.secret import Secret

# -- tokens -------------------------------------------------------------------------------------------------------


class CreateRefreshToken(msgspec.Struct, frozen=True, kw_only=True):
    """For which user; a MEMBER secret mints only for the user it is bound to, one of a SERVICE_MEMBER also for the
    SUB_MEMBERs that belong to it."""

    user_uuid: UUID


class RefreshToken(msgspec.Struct, frozen=True, kw_only=True):
    """Shown once."""

    refresh_token: Secret
    token_type: str = "bearer"  # noqa: S105 (a scheme)
    expires_at: datetime


class CreateAccessToken(msgspec.Struct, frozen=True, kw_only=True):
    """`user_uuid`, when given, must be the refresh token's own user."""

    user_uuid: UUID | None = None


class AccessToken(msgspec.Struct, frozen=True, kw_only=True):
    """Lives 15 minutes."""

    access_token: Secret
    token_type: str = "bearer"  # noqa: S105 (a scheme)
    expires_at: datetime


class Jwks(msgspec.Struct, frozen=True, kw_only=True):
    """A JSON Web Key Set (RFC 7517) of the verification keys."""

    keys: tuple[dict[str, Any], ...]


class ExchangeSecret(msgspec.Struct, frozen=True, kw_only=True):
    """The client secret as the caller sent it."""

    client_secret: Secret


class ExchangedToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token of kind CLIENT_SECRET that says what the secret may do; lives five minutes."""

    token: Secret
    expires_at: datetime


class Delegate(msgspec.Struct, frozen=True, kw_only=True):
    """Background work for a user: who accepted it, in which session, and which service acts."""

    client_uuid: UUID
    user_uuid: UUID
    session_uuid: UUID
    role: Role
    actor: str


class DelegatedToken(msgspec.Struct, frozen=True, kw_only=True):
    """Lives five minutes; carries the `act` claim of RFC 8693."""

    token: Secret
    expires_at: datetime


# -- client secrets -----------------------------------------------------------------------------------------------


class CreateSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A new API key of a role. `user_uuid` binds a secret of MEMBER rank to one user, which it must have."""

    role: UserRole = UserRole.ADMIN
    description: Text = ""
    user_uuid: UUID | None = None


class ClientSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A client secret without its value. `public_key` names it in public: who holds the secret can compute it, nobody
    gets back from it. None for one that was made before there were any."""

    client_secret_uuid: UUID
    public_key: str | None = None
    role: UserRole
    prefix: str
    description: str
    user_uuid: UUID | None
    created_at: datetime
    last_used: datetime | None


class CreatedSecret(ClientSecret, frozen=True, kw_only=True):
    """The only time the value is shown."""

    client_secret: Secret


class BySecret(msgspec.Struct, frozen=True, kw_only=True):
    """Names a client secret."""

    client_secret_uuid: UUID


class ClientSecretPage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first."""

    data: tuple[ClientSecret, ...]
    next_cursor: str | None = None


class IssueFirstSecret(msgspec.Struct, frozen=True, kw_only=True):
    """The OWNER secret of a client that account has just created; asked again, the first one is replaced."""

    client_uuid: UUID
    client_name: str


# -- events -------------------------------------------------------------------------------------------------------


class SecretRevoked(msgspec.Struct, frozen=True, kw_only=True):
    """A client secret and every token that came from it are no longer good."""

    client_secret_uuid: UUID


class SessionRevoked(msgspec.Struct, frozen=True, kw_only=True):
    """A refresh token and the access tokens that came from it are no longer good."""

    session_uuid: UUID
    user_uuid: UUID


SECRET_REVOKED = EventType("secret", "revoked", SecretRevoked, publisher="auth")
SESSION_REVOKED = EventType("session", "revoked", SessionRevoked, publisher="auth")

# -- operations ---------------------------------------------------------------------------------------------------

CREATE_REFRESH_TOKEN = Operation(
    "basejump.v1.auth.token.create",
    takes=CreateRefreshToken,
    gives=RefreshToken,
    allow=Allow(frozenset({Credential.CLIENT_SECRET})),
    errors=(Forbidden, NotFound),
)
CREATE_ACCESS_TOKEN = Operation(
    "basejump.v1.auth.access-token.create",
    takes=CreateAccessToken,
    gives=AccessToken,
    allow=Allow(frozenset({Credential.REFRESH})),
    errors=(Forbidden, NotFound),
)
REVOKE_TOKENS = Operation(
    "basejump.v1.auth.token.revoke",
    takes=Nothing,
    gives=Done,
    allow=Allow(frozenset({Credential.ACCESS})),
)
GET_JWKS = Operation("basejump.v1.auth.jwks.get", takes=Nothing, gives=Jwks, allow=PUBLIC)
EXCHANGE_SECRET = Operation(
    "basejump.v1.auth.secret.exchange",
    takes=ExchangeSecret,
    gives=ExchangedToken,
    allow=PUBLIC,
    callers=("gateway", "cli"),
    errors=(Unauthenticated,),
)
DELEGATE = Operation(
    "basejump.v1.auth.token.delegate",
    takes=Delegate,
    gives=DelegatedToken,
    allow=SERVICES_ONLY,
    callers=("chat-agent", "connection-indexer"),
    errors=(Unauthenticated,),
)
CREATE_SECRET = Operation(
    "basejump.v1.auth.secret.create",
    takes=CreateSecret,
    gives=CreatedSecret,
    allow=Role.OWNER,
    errors=(Forbidden, NotFound),
)
LIST_SECRETS = Operation("basejump.v1.auth.secret.list", takes=PageRequest, gives=ClientSecretPage, allow=Role.OWNER)
DELETE_SECRET = Operation(
    "basejump.v1.auth.secret.delete", takes=BySecret, gives=Done, allow=Role.OWNER, errors=(NotFound,)
)
ISSUE_FIRST_SECRET = Operation(
    "basejump.v1.auth.secret.issue-first",
    takes=IssueFirstSecret,
    gives=CreatedSecret,
    allow=SERVICES_ONLY,
    callers=("account",),
)
ERASE_CLIENT = erase_client("auth")
