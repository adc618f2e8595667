"""What an operation and an event are: subject, request, reply, and who may call.

An operation knows nothing of HTTP; the gateway's route table says which path carries it. From an operation derive the
endpoint of the service that owns it, the typed client, the check of the caller, and the NATS permissions.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar, get_args
from uuid import UUID

import msgspec

from basejump_common.errors import BasejumpError
from basejump_common.security.principal import Credential, Role
from basejump_common.security.secret import Secret

In = TypeVar("In", bound=msgspec.Struct)
Out = TypeVar("Out", bound=msgspec.Struct)
Data = TypeVar("Data", bound=msgspec.Struct)

SERVICES = ("gateway", "auth", "account", "connection-indexer", "chat-agent")
_OWNERS = {
    "auth": "auth",
    "account": "account",
    "connection": "connection-indexer",
    "chat": "chat-agent",
    "result": "chat-agent",
    "usage": "chat-agent",
    "webhook": "chat-agent",
}


class Allow(msgspec.Struct, frozen=True):
    """Which kinds of credential, with which least role, may call. No kinds: no token is asked for."""

    credentials: frozenset[Credential]
    least: Role = Role.MEMBER


PUBLIC = Allow(frozenset())
"""Anybody who reaches the gateway."""

SERVICES_ONLY = Allow(frozenset())
"""The services named in `callers`; NATS permissions on the subject are the guard."""


@dataclass(frozen=True, slots=True)
class Operation(Generic[In, Out]):
    """A request and its reply. `timeout` (seconds) bounds the whole call; `callers` are services that may send it."""

    subject: str
    takes: type[In]
    gives: type[Out]
    allow: Role | Allow
    errors: tuple[type[BasejumpError], ...] = ()
    callers: tuple[str, ...] = ("gateway",)
    timeout: float = 10.0

    @property
    def owner(self) -> str:
        """The service that answers."""
        return _OWNERS[self.subject.split(".")[2]]

    @property
    def name(self) -> str:
        """The subject's last words, e.g. `account.team.create`; unique, and the OpenAPI operationId."""
        return self.subject.removeprefix("basejump.v1.")

    @property
    def shows_secret(self) -> bool:
        """Whether a reply holds something that is shown once."""
        return _holds_secret(self.gives)

    @property
    def access(self) -> Allow:
        """`allow` in full: a bare role means an access token, or one delegated by a user who has that role."""
        if isinstance(self.allow, Allow):
            return self.allow
        return Allow(frozenset({Credential.ACCESS, Credential.DELEGATED}), self.allow)


def _holds_secret(kind: object, seen: frozenset[object] = frozenset()) -> bool:
    if kind is Secret or kind in seen:
        return kind is Secret
    inner = get_args(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        inner = tuple(field.type for field in msgspec.structs.fields(kind))
    return any(_holds_secret(one, seen | {kind}) for one in inner)


@dataclass(frozen=True, slots=True)
class EventType(Generic[Data]):
    """A fact in the past tense that `publisher` publishes and `consumers` act on, ordered per entity.

    `external`: another service of the operator's publishes it, not one of ours.
    """

    entity: str
    verb: str
    data: type[Data]
    publisher: str
    consumers: tuple[str, ...] = ()
    external: bool = False

    @property
    def name(self) -> str:
        """The CloudEvents type, e.g. `basejump.v1.user.deleted`."""
        return f"basejump.v1.{self.entity}.{self.verb}"

    def subject(self, client_uuid: UUID | str = "*") -> str:
        """Where the events of one client (or, by default, of all) are."""
        return f"basejump.v1.{'ext' if self.external else 'event'}.{client_uuid}.{self.entity}.{self.verb}"


def bell_subject(service: str) -> str:
    """Where the replicas of a service wake each other; the message is the bell's name."""
    return f"basejump.v1.bell.{service}"
