"""Who may call an answer verified, and who may take that back."""

from basejump_common.security.principal import Role


def verifies(caller: Role, verified_as: Role | None) -> bool:
    """Whether the caller's word makes a difference: nobody of the same or a higher role has said so before."""
    return verified_as is None or caller.rank > verified_as.rank


def may_unverify(caller: Role, verified_as: Role) -> bool:
    """A role takes back what its own or a lower one has verified."""
    return caller.at_least(verified_as)


def may_get_unverified(caller: Role, *, strict: bool) -> bool:
    """Of a STRICT client only its ADMINs and up."""
    return not strict or caller.at_least(Role.ADMIN)
