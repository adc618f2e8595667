"""Rows of client secrets, and the look-up that finds a secret's tenant by its hash.

The operator's INTERNAL secrets belong to no client; their rows have the nil UUID in its place.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from basejump_common.contracts.auth import ClientSecret, ClientSecretPage
from basejump_common.contracts.common import PageRequest
from basejump_common.security.principal import Role
from basejump_common.storage import pages
from basejump_common.storage.database import Transaction

OPERATOR = UUID(int=0)


class SecretOwner(msgspec.Struct, frozen=True, kw_only=True):
    """Whose a secret is."""

    client_uuid: UUID
    client_secret_uuid: UUID


class SecretRow(msgspec.Struct, frozen=True, kw_only=True):
    """A client secret without its value."""

    client_uuid: UUID
    client_secret_uuid: UUID
    role: Role
    prefix: str = ""
    public_key: str | None = None
    description: str
    user_uuid: UUID | None = None
    is_first: bool = False


class OperatorSecret(msgspec.Struct, frozen=True, kw_only=True):
    """An INTERNAL secret without its value."""

    client_secret_uuid: UUID
    prefix: str
    description: str
    created_at: datetime
    last_used: datetime | None


async def owner_of(tx: Transaction, secret_hash: bytes) -> SecretOwner | None:
    """Whose secret has that hash; needs no tenant."""
    return await tx.row(
        SecretOwner,
        "select client_uuid, client_secret_uuid from secret_lookup where secret_hash = $1",
        secret_hash,
    )


async def insert(tx: Transaction, row: SecretRow, secret_hash: bytes) -> datetime:
    """The secret and its look-up; when it was created."""
    await tx.execute(
        "insert into secret_lookup (secret_hash, client_uuid, client_secret_uuid) values ($1, $2, $3)",
        secret_hash,
        row.client_uuid,
        row.client_secret_uuid,
    )
    created_at: datetime = await tx.fetchval(
        """
        insert into client_secret
            (client_uuid, client_secret_uuid, role, prefix, description, user_uuid, is_first, public_key)
        values ($1, $2, $3, $4, $5, $6, $7, $8) returning created_at
        """,
        row.client_uuid,
        row.client_secret_uuid,
        row.role.value,
        row.prefix,
        row.description,
        row.user_uuid,
        row.is_first,
        row.public_key,
    )
    return created_at


async def find_alive(tx: Transaction, client_secret_uuid: UUID) -> SecretRow | None:
    """The secret, unless it is revoked."""
    return await tx.row(
        SecretRow,
        "select * from client_secret where client_secret_uuid = $1 and revoked_at is null",
        client_secret_uuid,
    )


async def page(tx: Transaction, request: PageRequest) -> ClientSecretPage:
    """The secrets that aren't revoked, newest first."""
    rows = await tx.rows(
        ClientSecret,
        """
        select * from client_secret where revoked_at is null and (created_at, client_secret_uuid) < ($1, $2)
        order by created_at desc, client_secret_uuid desc limit $3
        """,
        *pages.position(request.cursor, newest_first=True),
        pages.rows_to_ask(request.limit),
    )
    data, next_cursor = pages.page(rows, request.limit, lambda row: (row.created_at, row.client_secret_uuid))
    return ClientSecretPage(data=data, next_cursor=next_cursor)


async def of_operator(tx: Transaction) -> list[OperatorSecret]:
    """Those of the operator that aren't revoked, newest first; in the operator's transaction."""
    return await tx.rows(
        OperatorSecret,
        "select * from client_secret where revoked_at is null order by created_at desc, client_secret_uuid",
    )


async def revoke(tx: Transaction, client_secret_uuid: UUID) -> bool:
    """Mark it revoked and forget its hash; False when there is none alive."""
    await tx.execute("delete from secret_lookup where client_secret_uuid = $1", client_secret_uuid)
    revoked = await tx.execute(
        "update client_secret set revoked_at = now() where client_secret_uuid = $1 and revoked_at is null",
        client_secret_uuid,
    )
    return revoked == 1


async def first_of_client(tx: Transaction, client_uuid: UUID) -> UUID | None:
    """The client's first secret while it is alive; one transaction at a time may ask, until it ends."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended('first secret ' || $1, 0))", str(client_uuid))
    found: UUID | None = await tx.fetchval(
        "select client_secret_uuid from client_secret where is_first and revoked_at is null"
    )
    return found


async def bound_to(tx: Transaction, user_uuid: UUID) -> list[UUID]:
    """The living secrets that are bound to a user."""
    rows = await tx.fetch(
        "select client_secret_uuid from client_secret where user_uuid = $1 and revoked_at is null", user_uuid
    )
    return [row["client_secret_uuid"] for row in rows]


async def all_alive(tx: Transaction) -> list[UUID]:
    """Every secret of the client that isn't revoked."""
    rows = await tx.fetch("select client_secret_uuid from client_secret where revoked_at is null")
    return [row["client_secret_uuid"] for row in rows]


async def set_last_used(tx: Transaction, client_secret_uuid: UUID, at: datetime) -> None:
    """Note a use; an earlier one than is known changes nothing."""
    await tx.execute(
        "update client_secret set last_used = greatest(last_used, $2) where client_secret_uuid = $1",
        client_secret_uuid,
        at,
    )
