"""Which role may create, change and delete a user of which role."""

from basejump_common.contracts.account import CreateUser, UpdateUser, User
from basejump_common.errors import Forbidden, InvalidInput
from basejump_common.security.principal import Principal, Role, UserRole


def check_may_give(caller: Role, role: UserRole) -> None:
    """A role gives only roles below itself. Raises Forbidden."""
    if not caller.may_create(Role(role)):
        raise Forbidden(f"{caller} creates and changes only users below itself, not {role}")


def check_may_change(caller: Principal, target: User, request: UpdateUser) -> None:
    """Oneself, or a user below; a role only of a user below, to a role below, never one's own. Raises Forbidden."""
    is_self = caller.user_uuid == target.user_uuid
    if changes_role(target, request):
        if is_self:
            raise Forbidden("nobody changes their own role")
        check_may_give(caller.role, request.role or target.role)
    if not is_self:
        check_may_give(caller.role, target.role)


def changes_role(target: User, request: UpdateUser) -> bool:
    """Whether the update gives the user another role."""
    return request.role is not None and request.role != target.role


def check_may_delete(caller: Role, target: UserRole) -> None:
    """A user below; or an OWNER by an OWNER (the last one stays, which the caller must see to). Raises Forbidden."""
    if not (caller is Role.OWNER and target is UserRole.OWNER):
        check_may_give(caller, target)


def email_of(request: CreateUser | UpdateUser) -> str | None:
    """`email` and `email_address` are one field with two spellings. Raises InvalidInput when they differ."""
    if request.email and request.email_address and request.email != request.email_address:
        raise InvalidInput.field("email", "differs from email_address, which is the same field: give one of them")
    return request.email_address or request.email


def check_service_user_fits(role: UserRole, service_user: User) -> None:
    """Only a SUB_MEMBER belongs to a service member. Raises InvalidInput."""
    if role is not UserRole.SUB_MEMBER:
        raise InvalidInput.field("service_user_uuid", f"only a SUB_MEMBER has one, not {role}")
    if service_user.role is not UserRole.SERVICE_MEMBER:
        raise InvalidInput.field("service_user_uuid", "that user is not a SERVICE_MEMBER")
