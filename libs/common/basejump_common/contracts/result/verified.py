"""Verification of results."""

from uuid import UUID

import msgspec

from basejump_common.contracts.operation import EventType
from basejump_common.security.principal import Role


class ResultVerified(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody called the answer verified, or it isn't any more: then `user_uuid` is who took it back, none where that
    follows from another answer's fall or from a changed schema."""

    result_uuid: UUID
    user_uuid: UUID | None = None
    role: Role | None = None


RESULT_VERIFIED = EventType("result", "verified", ResultVerified, publisher="chat-agent")
RESULT_UNVERIFIED = EventType("result", "unverified", ResultVerified, publisher="chat-agent")
