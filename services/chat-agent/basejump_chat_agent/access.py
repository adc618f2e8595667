"""Whose chats and results a caller may read."""

from uuid import UUID

from basejump_common.security.principal import Principal, Role


def reading_scope(caller: Principal) -> UUID | None:
    """The user whose own things the caller reads; None for an ADMIN and up, who read those of the whole client."""
    return None if caller.role.at_least(Role.ADMIN) else caller.user
