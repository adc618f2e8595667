"""Who may mint for whom, and which secrets a role may create."""

from uuid import UUID

from basejump_common.contracts.account import UserStanding
from basejump_common.contracts.auth import CreateSecret
from basejump_common.errors import Forbidden, InvalidInput
from basejump_common.security.principal import Principal, Role, UserRole


def check_may_ask_for(secret: Principal, user: UserStanding) -> None:
    """A secret of MEMBER rank mints for the user it is bound to; one of a service member also for its sub members.

    Raises Forbidden.
    """
    if secret.role.at_least(Role.ADMIN) or secret.user_uuid == user.user_uuid:
        return
    if secret.role is not Role.SERVICE_MEMBER or secret.user_uuid != user.service_user_uuid:
        raise Forbidden("this client secret is bound to another user")


def is_still_theirs(bound_to: UUID | None, user: UserStanding) -> bool:
    """Whether a secret that is bound to `bound_to` may still stand behind the user's tokens."""
    return bound_to is None or bound_to in (user.user_uuid, user.service_user_uuid)


def check_not_above(secret: Role, user: UserRole) -> None:
    """A secret mints for users up to its own role. Raises Forbidden."""
    if not secret.at_least(Role(user)):
        raise Forbidden(f"a client secret of role {secret} can't mint tokens for a user with the role {user}")


def check_may_create_secret(caller: Role, request: CreateSecret) -> None:
    """A role creates secrets below itself; an OWNER also OWNER ones, so that the last key can be replaced.

    Exactly the secrets of MEMBER rank are bound to a user. Raises Forbidden, InvalidInput.
    """
    role = Role(request.role)
    if not (caller.may_create(role) or caller is role is Role.OWNER):
        raise Forbidden(f"{caller} creates only secrets below itself, not {role}")
    if is_member_rank(role) and request.user_uuid is None:
        raise InvalidInput.field("user_uuid", f"a secret of role {role} is bound to one user: name it")
    if not is_member_rank(role) and request.user_uuid is not None:
        raise InvalidInput.field("user_uuid", f"only secrets of MEMBER rank are bound to a user, not {role}")


def is_member_rank(role: Role) -> bool:
    """MEMBER and its peers."""
    return not role.at_least(Role.ADMIN)
