"""Rows of sessions: one per refresh token."""

from datetime import datetime
from uuid import UUID

import msgspec

from basejump_common.security.principal import UserRole
from basejump_common.storage.database import Transaction


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A refresh token's session. `role` is its user's when it began; `bound_to`: whose secret began it, if a user's."""

    client_uuid: UUID
    session_uuid: UUID
    user_uuid: UUID
    client_secret_uuid: UUID
    role: UserRole
    token_hash: bytes
    expires_at: datetime
    bound_to: UUID | None = None


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """A session that was revoked, and whose it was."""

    session_uuid: UUID
    user_uuid: UUID


async def insert(tx: Transaction, row: SessionRow) -> None:
    """A new session; the user's expired ones are swept on this occasion."""
    await tx.execute("delete from session where user_uuid = $1 and expires_at < now()", row.user_uuid)
    await tx.execute(
        """
        insert into session
            (client_uuid, session_uuid, user_uuid, client_secret_uuid, role, token_hash, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        row.client_uuid,
        row.session_uuid,
        row.user_uuid,
        row.client_secret_uuid,
        row.role.value,
        row.token_hash,
        row.expires_at,
    )


async def find_alive(tx: Transaction, session_uuid: UUID) -> SessionRow | None:
    """The session, unless it has expired, or it or its secret is revoked."""
    return await tx.row(
        SessionRow,
        """
        select session.*, secret.user_uuid as bound_to from session
        join client_secret secret using (client_uuid, client_secret_uuid)
        where session_uuid = $1 and expires_at > now() and session.revoked_at is null and secret.revoked_at is null
        """,
        session_uuid,
    )


async def revoke_of_user(tx: Transaction, user_uuid: UUID, unless_role: UserRole | None = None) -> list[Ended]:
    """Revoke a user's sessions, but for those that began in the role `unless_role`; which they were."""
    return await tx.rows(
        Ended,
        """
        update session set revoked_at = now()
        where user_uuid = $1 and revoked_at is null and ($2::text is null or role <> $2)
        returning session_uuid, user_uuid
        """,
        user_uuid,
        None if unless_role is None else unless_role.value,
    )


async def revoke_of_service_members(tx: Transaction, user_uuid: UUID, service_user_uuid: UUID | None) -> list[Ended]:
    """Revoke what secrets of service members began for the user; but for those of `service_user_uuid`."""
    return await tx.rows(
        Ended,
        """
        update session set revoked_at = now() from client_secret secret
        where secret.client_secret_uuid = session.client_secret_uuid and session.revoked_at is null
          and session.user_uuid = $1 and secret.user_uuid <> $1 and secret.user_uuid is distinct from $2
        returning session_uuid, session.user_uuid
        """,
        user_uuid,
        service_user_uuid,
    )


async def revoke_of_sub_members(tx: Transaction, service_user_uuid: UUID) -> list[Ended]:
    """Revoke what the secrets of a service member began for others."""
    return await tx.rows(
        Ended,
        """
        update session set revoked_at = now() from client_secret secret
        where secret.client_secret_uuid = session.client_secret_uuid and session.revoked_at is null
          and secret.user_uuid = $1 and session.user_uuid <> $1
        returning session_uuid, session.user_uuid
        """,
        service_user_uuid,
    )


async def all_alive(tx: Transaction) -> list[UUID]:
    """Every session of the client that hasn't ended."""
    rows = await tx.fetch("select session_uuid from session where revoked_at is null and expires_at > now()")
    return [row["session_uuid"] for row in rows]
