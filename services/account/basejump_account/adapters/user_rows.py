"""Rows of users."""

from uuid import UUID

from basejump_common.contracts.account import UpdateUser, User, UserPage
from basejump_common.contracts.common import PageRequest
from basejump_common.security.principal import UserRole
from basejump_common.storage import pages
from basejump_common.storage.database import Transaction


async def insert(tx: Transaction, user: User) -> None:
    """A new user."""
    await tx.execute(
        """
        insert into client_user (client_uuid, user_uuid, username, role, email_address, service_user_uuid, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        user.client_uuid,
        user.user_uuid,
        user.username,
        user.role.value,
        user.email_address,
        user.service_user_uuid,
        user.created_at,
    )


async def find(tx: Transaction, user_uuid: UUID) -> User | None:
    """The user, if this client has it."""
    return await tx.row(User, "select * from client_user where user_uuid = $1", user_uuid)


async def lock(tx: Transaction, user_uuid: UUID) -> User | None:
    """The user, who doesn't change until the transaction ends."""
    return await tx.row(User, "select * from client_user where user_uuid = $1 for update", user_uuid)


async def lock_for_share(tx: Transaction, user_uuid: UUID) -> User | None:
    """The user, whose role doesn't change until the transaction ends."""
    return await tx.row(User, "select * from client_user where user_uuid = $1 for share", user_uuid)


async def lock_owners(tx: Transaction) -> int:
    """How many OWNERs there are; none comes or goes by another transaction until this one ends."""
    owners = await tx.fetch("select user_uuid from client_user where role = 'OWNER' order by user_uuid for update")
    return len(owners)


async def update(tx: Transaction, request: UpdateUser) -> User:
    """Change what is given. Only a SUB_MEMBER has a service member, and only a SERVICE_MEMBER keeps its sub members."""
    user = await tx.row(
        User,
        """
        update client_user set
            username = coalesce($2, username),
            role = coalesce($3, role),
            email_address = coalesce($4, email_address),
            service_user_uuid = case when coalesce($3, role) = 'SUB_MEMBER' then coalesce($5, service_user_uuid) end
        where user_uuid = $1 returning *
        """,
        request.user_uuid,
        request.username,
        None if request.role is None else request.role.value,
        request.email_address,
        request.service_user_uuid,
    )
    assert user is not None, "the row is locked"
    if user.role is not UserRole.SERVICE_MEMBER:
        await tx.execute("update client_user set service_user_uuid = null where service_user_uuid = $1", user.user_uuid)
    return user


async def delete(tx: Transaction, user_uuid: UUID) -> None:
    """The user; its memberships must be gone, its sub-members are left without a service member."""
    await tx.execute("delete from client_user where user_uuid = $1", user_uuid)


async def page(tx: Transaction, request: PageRequest, team_uuid: UUID | None = None) -> UserPage:
    """Users, newest first; those of one team when it is given."""
    rows = await tx.rows(
        User,
        """
        select * from client_user u
        where (created_at, user_uuid) < ($1, $2)
          and ($4::uuid is null
               or exists (select from membership m where m.team_uuid = $4 and m.user_uuid = u.user_uuid))
        order by created_at desc, user_uuid desc limit $3
        """,
        *pages.position(request.cursor, newest_first=True),
        pages.rows_to_ask(request.limit),
        team_uuid,
    )
    data, next_cursor = pages.page(rows, request.limit, lambda user: (user.created_at, user.user_uuid))
    return UserPage(data=data, next_cursor=next_cursor)
