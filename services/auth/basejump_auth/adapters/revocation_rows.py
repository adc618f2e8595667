"""Rows of revocations: what must be in KV, and whether it got there. They belong to the platform: UUIDs alone."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from basejump_common.storage.database import Transaction

BELL = "revocations"


class RevocationRow(msgspec.Struct, frozen=True, kw_only=True):
    """`name` is the key in KV, e.g. `secret.<uuid>`."""

    name: str
    revoked_at: datetime
    published_at: datetime | None


async def add(tx: Transaction, names: Sequence[str]) -> None:
    """To be put into KV once `tx` is committed."""
    await tx.execute(
        """
        insert into revocation (name, revoked_at) select name, clock_timestamp() from unnest($1::text[]) as name
        on conflict (name) do update set revoked_at = excluded.revoked_at, published_at = null
        """,
        list(names),
    )
    tx.ring(BELL)


async def unpublished(tx: Transaction) -> list[RevocationRow]:
    """What isn't in KV yet, oldest first."""
    return await tx.rows(RevocationRow, "select * from revocation where published_at is null order by revoked_at")


async def since(tx: Transaction, age: timedelta) -> list[RevocationRow]:
    """What was revoked not longer ago than `age`."""
    return await tx.rows(RevocationRow, "select * from revocation where revoked_at > now() - $1::interval", age)


async def mark_published(tx: Transaction, rows: Sequence[RevocationRow]) -> None:
    """KV has them; one that was revoked again meanwhile isn't marked."""
    await tx.execute(
        """
        update revocation set published_at = now()
        from unnest($1::text[], $2::timestamptz[]) as put (name, revoked_at)
        where revocation.name = put.name and revocation.revoked_at = put.revoked_at
        """,
        [row.name for row in rows],
        [row.revoked_at for row in rows],
    )


async def forget(tx: Transaction, age: timedelta) -> int:
    """Delete those from which no token can be left; how many."""
    return await tx.execute(
        "delete from revocation where published_at is not null and revoked_at < now() - $1::interval", age
    )
