"""Users of a client: each role creates, changes and deletes those below itself."""

import logging
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec

from basejump_account.adapters import team_rows, user_rows
from basejump_account.domain import roles
from basejump_account.events import publish_left
from basejump_account.lifecycle import is_active
from basejump_common.bus import Context, Event, publish
from basejump_common.contracts import account
from basejump_common.contracts.account import (
    ByClientUser,
    CreateUser,
    UpdateUser,
    User,
    UserChanged,
    UserGone,
    UserPage,
    UserStanding,
)
from basejump_common.contracts.common import ByUser, Done, PageRequest
from basejump_common.errors import Conflict, Forbidden, NotFound
from basejump_common.security.principal import Role, UserRole
from basejump_common.storage.database import Database, Transaction

log = logging.getLogger(__name__)


class Users:
    """What account does about users."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, context: Context, request: CreateUser) -> User:
        """A user below the caller's role. Raises Forbidden, NotFound (its service member), InvalidInput."""
        user = _new_user(context.caller.tenant, request)
        roles.check_may_give(context.caller.role, request.role)
        async with self._database.tenant(user.client_uuid) as tx:
            await _check_service_user(tx, user.role, request.service_user_uuid)
            await user_rows.insert(tx, user)
            change = UserChanged(user_uuid=user.user_uuid, role=user.role, service_user_uuid=user.service_user_uuid)
            await publish(tx, account.USER_CREATED, user.client_uuid, user.user_uuid, change, context)
        return user

    async def page(self, context: Context, request: PageRequest) -> UserPage:
        """The client's users."""
        async with self._database.tenant(context.caller.tenant) as tx:
            return await user_rows.page(tx, request)

    async def get(self, context: Context, request: ByUser) -> User:
        """A user: oneself, or anybody of the client for an ADMIN. Raises NotFound before Forbidden."""
        caller = context.caller
        async with self._database.tenant(caller.tenant) as tx:
            user = found(await user_rows.find(tx, request.user_uuid))
        if user.user_uuid != caller.user_uuid and not caller.role.at_least(Role.ADMIN):
            raise Forbidden("only an ADMIN sees other users")
        return user

    async def update(self, context: Context, request: UpdateUser) -> User:
        """Change what is given. A new role ends the user's tokens. Raises NotFound, Forbidden, InvalidInput."""
        caller = context.caller
        async with self._database.tenant(caller.tenant) as tx:
            before = found(await user_rows.lock(tx, request.user_uuid))
            roles.check_may_change(caller, before, request)
            await _check_service_user(tx, request.role or before.role, request.service_user_uuid)
            user = await user_rows.update(tx, msgspec.structs.replace(request, email_address=roles.email_of(request)))
            change = UserChanged(
                user_uuid=user.user_uuid,
                role=user.role,
                role_changed=roles.changes_role(before, request),
                service_user_uuid=user.service_user_uuid,
            )
            await publish(tx, account.USER_UPDATED, user.client_uuid, user.user_uuid, change, context)
        return user

    async def delete(self, context: Context, request: ByUser) -> Done:
        """The user, its memberships and tokens. Raises NotFound, Forbidden, Conflict (the last OWNER)."""
        caller = context.caller
        async with self._database.tenant(caller.tenant) as tx:
            owners = await user_rows.lock_owners(tx)
            user = found(await user_rows.lock(tx, request.user_uuid))
            roles.check_may_delete(caller.role, user.role)
            if user.role is UserRole.OWNER and owners == 1:
                raise Conflict("the last OWNER of a client stays")
            await _remove(tx, user, context)
        return Done()

    async def deprovisioned(self, tx: Transaction, event: Event[UserGone]) -> None:
        """Another service of the operator's says that a person has left: the user is deleted, as `delete` does."""
        owners = await user_rows.lock_owners(tx)
        user = await user_rows.lock(tx, event.data.user_uuid)
        if user is None:
            return
        if user.role is UserRole.OWNER and owners == 1:
            log.warning("the last OWNER of a client stays", extra={"user_uuid": str(user.user_uuid)})
            return
        await _remove(tx, user, event.context)

    async def standing(self, _context: Context, request: ByClientUser) -> UserStanding:
        """The user's role now, for auth. Raises NotFound."""
        async with self._database.tenant(request.client_uuid) as tx:
            user = found(await user_rows.find(tx, request.user_uuid))
            if not await is_active(tx, user.client_uuid):
                raise NotFound("the client is suspended")
        return UserStanding(
            client_uuid=user.client_uuid,
            user_uuid=user.user_uuid,
            role=user.role,
            service_user_uuid=user.service_user_uuid,
        )


async def _remove(tx: Transaction, user: User, context: Context) -> None:
    await publish_left(tx, user.client_uuid, await team_rows.leave_all(tx, user.user_uuid), context)
    await user_rows.delete(tx, user.user_uuid)
    gone = UserGone(user_uuid=user.user_uuid)
    await publish(tx, account.USER_DELETED, user.client_uuid, user.user_uuid, gone, context)


def found(user: User | None) -> User:
    """The user. Raises NotFound: not there, or another client's."""
    if user is None:
        raise NotFound("there is no such user")
    return user


def _new_user(client_uuid: UUID, request: CreateUser) -> User:
    return User(
        user_uuid=uuid4(),
        client_uuid=client_uuid,
        username=request.username,
        role=request.role,
        email_address=roles.email_of(request),
        service_user_uuid=request.service_user_uuid,
        created_at=datetime.now(UTC),
    )


async def _check_service_user(tx: Transaction, role: UserRole, service_user_uuid: UUID | None) -> None:
    if service_user_uuid is not None:
        service_user = await user_rows.lock_for_share(tx, service_user_uuid)
        roles.check_service_user_fits(role, found(service_user))
