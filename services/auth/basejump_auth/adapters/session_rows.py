"""Rows of sessions: one per refresh token."""

from datetime import datetime
from uuid import UUID

import msgspec

from basejump_common.security.principal import UserRole
from basejump_common.storage.database import Transaction


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A refresh token's session. `role` is its user's when it began."""

    client_uuid: UUID
    session_uuid: UUID
    user_uuid: UUID
    client_secret_uuid: UUID
    role: UserRole
    token_hash: bytes
    expires_at: datetime


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
        select session.* from session
        join client_secret secret using (client_uuid, client_secret_uuid)
        where session_uuid = $1 and expires_at > now() and session.revoked_at is null and secret.revoked_at is null
        """,
        session_uuid,
    )


async def revoke_of_user(tx: Transaction, user_uuid: UUID, unless_role: UserRole | None = None) -> list[UUID]:
    """Revoke a user's sessions, but for those that began in the role `unless_role`; which they were."""
    rows = await tx.fetch(
        """
        update session set revoked_at = now()
        where user_uuid = $1 and revoked_at is null and ($2::text is null or role <> $2) returning session_uuid
        """,
        user_uuid,
        None if unless_role is None else unless_role.value,
    )
    return [row["session_uuid"] for row in rows]


async def all_alive(tx: Transaction) -> list[UUID]:
    """Every session of the client that hasn't ended."""
    rows = await tx.fetch("select session_uuid from session where revoked_at is null and expires_at > now()")
    return [row["session_uuid"] for row in rows]
