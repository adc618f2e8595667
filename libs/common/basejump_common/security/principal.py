"""Who is calling: the tenant, the user, the role and the kind of credential, taken from a verified token."""

from enum import Enum, StrEnum
from uuid import UUID

import msgspec

from basejump_common.errors import Forbidden


class Role(StrEnum):
    """Roles of api-v1, and SYSTEM for housekeeping bound to one client."""

    INTERNAL = "INTERNAL"
    SYSTEM = "SYSTEM"
    OWNER = "OWNER"
    ADMIN = "ADMIN"
    MEMBER = "MEMBER"
    SERVICE_MEMBER = "SERVICE_MEMBER"
    SUB_MEMBER = "SUB_MEMBER"

    @property
    def rank(self) -> int:
        """Higher may do more; equal ranks are peers."""
        return _RANKS[self]

    def at_least(self, least: "Role") -> bool:
        """True when this role may do what `least` may."""
        return self.rank >= least.rank

    def may_create(self, role: "Role") -> bool:
        """A role creates only below itself; SYSTEM and INTERNAL are never given through the API."""
        return self.rank > role.rank and role not in (Role.SYSTEM, Role.INTERNAL)


_RANKS = {
    Role.INTERNAL: 50,
    Role.SYSTEM: 40,
    Role.OWNER: 30,
    Role.ADMIN: 20,
    Role.MEMBER: 10,
    Role.SERVICE_MEMBER: 10,
    Role.SUB_MEMBER: 10,
}


class UserRole(StrEnum):
    """The roles a user of a client can have: what requests may name."""

    OWNER = "OWNER"
    ADMIN = "ADMIN"
    MEMBER = "MEMBER"
    SERVICE_MEMBER = "SERVICE_MEMBER"
    SUB_MEMBER = "SUB_MEMBER"


class Credential(Enum):
    """Kinds of token; the value is the JWT's `typ` header (RFC 9068 for access tokens)."""

    ACCESS = "at+jwt"
    REFRESH = "rt+jwt"
    CLIENT_SECRET = "cs+jwt"  # what a client secret is exchanged for at the edge  # noqa: S105
    DELEGATED = "dt+jwt"  # background work for a user, RFC 8693 `act`


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """The verified caller. `client_uuid` is None only for the operator (INTERNAL)."""

    credential: Credential
    role: Role
    client_uuid: UUID | None
    user_uuid: UUID | None = None
    session_uuid: UUID | None = None
    secret_uuid: UUID | None = None
    actor: str | None = None
    issued_at: int = 0
    expires_at: int = 0

    @property
    def credential_name(self) -> str:
        """Names the credential: the same for all tokens of one session, and for all of one client secret."""
        held = self.session_uuid or self.secret_uuid
        return f"{self.credential.value} {self.client_uuid} {self.user_uuid} {held}"

    @property
    def tenant(self) -> UUID:
        """The client whose data this call may touch. Raises Forbidden for the operator, who has none."""
        if self.client_uuid is None:
            raise Forbidden("this call needs a credential of a client")
        return self.client_uuid

    @property
    def user(self) -> UUID:
        """The user this call acts as. Raises Forbidden for a client secret that is bound to none."""
        if self.user_uuid is None:
            raise Forbidden("this call needs a user: use an access token")
        return self.user_uuid
