"""Rows of signing keys. They belong to the platform; the private half is sealed."""

from datetime import datetime
from typing import Any

import msgspec

from basejump_common.storage.database import Transaction


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A signing key. `active_from`: not used before."""

    kid: str
    public_jwk: dict[str, Any]
    sealed_private_key: bytes
    created_at: datetime
    active_from: datetime
    published_at: datetime | None = None


async def lock(tx: Transaction) -> None:
    """One replica at a time decides about keys, until its transaction ends."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended(current_schema() || ' signing key', 0))")


async def all_keys(tx: Transaction) -> list[KeyRow]:
    """Newest first."""
    return await tx.rows(KeyRow, "select * from signing_key order by active_from desc")


async def insert(tx: Transaction, row: KeyRow) -> None:
    """A new key, not published yet."""
    await tx.execute(
        """
        insert into signing_key (kid, public_jwk, sealed_private_key, created_at, active_from)
        values ($1, $2, $3, $4, $5)
        """,
        row.kid,
        row.public_jwk,
        row.sealed_private_key,
        row.created_at,
        row.active_from,
    )


async def mark_published(tx: Transaction, kids: list[str]) -> None:
    """KV has them."""
    await tx.execute(
        "update signing_key set published_at = now() where published_at is null and kid = any($1::text[])", kids
    )


async def delete(tx: Transaction, kids: list[str]) -> None:
    """No token signed with them can be left."""
    await tx.execute("delete from signing_key where kid = any($1::text[])", kids)
