"""Revocations reach every service through KV: first a row in the transaction that revokes, then, from here, the key.

A row that isn't in KV yet is tried again every second; one that KV has lost is put again. Keys of secrets and sessions
end every token that names them, whenever it was signed.
"""

import logging
from collections.abc import Sequence
from uuid import UUID

from basejump_auth.adapters import revocation_rows
from basejump_auth.adapters.revocation_rows import RevocationRow
from basejump_auth.domain.lifetimes import REVOCATIONS_KEPT
from basejump_common.bus import REVOCATIONS, Bus, KeyValueMirror
from basejump_common.errors import DeadlineExceeded, Unavailable
from basejump_common.storage.bells import wait_for_bell
from basejump_common.storage.database import Database

log = logging.getLogger("basejump.auth")

POLL_SECONDS = 1.0
REBUILD_EVERY = 30
"""In turns of the poll."""


def secret_key(client_secret_uuid: UUID) -> str:
    """Ends the tokens that came from a client secret."""
    return f"secret.{client_secret_uuid}"


def session_key(session_uuid: UUID) -> str:
    """Ends the tokens of a session."""
    return f"session.{session_uuid}"


def user_key(user_uuid: UUID) -> str:
    """Ends the tokens that a user had until then."""
    return f"user.{user_uuid}"


def client_key(client_uuid: UUID) -> str:
    """Ends the tokens that a client's users and secrets had until then."""
    return f"client.{client_uuid}"


class RevocationPublisher:
    """Brings rows to KV. Run one in every replica. `published` mirrors the bucket."""

    def __init__(self, database: Database, bus: Bus, published: KeyValueMirror) -> None:
        self._database = database
        self._bus = bus
        self._published = published
        self._revoked = database.bell(revocation_rows.BELL)
        self._until_rebuild = 0
        bus.on_reconnect(self._reconnected)

    async def run(self) -> None:
        """Publish until canceled."""
        while True:
            try:
                await (self._publish_new() if self._until_rebuild > 0 else self._rebuild())
            except (Unavailable, DeadlineExceeded) as error:
                log.warning("revocations wait: %s", error.message)
                self._until_rebuild = 0
            await wait_for_bell(self._revoked, POLL_SECONDS)

    def _reconnected(self) -> None:
        """NATS may have lost what it had."""
        self._until_rebuild = 0
        self._revoked.set()

    async def _publish_new(self) -> None:
        self._until_rebuild -= 1
        async with self._database.platform() as tx:
            rows = await revocation_rows.unpublished(tx)
        if rows:
            await self._put(rows)

    async def _rebuild(self) -> None:
        """Everything recent that KV lacks; and sweep what is no longer needed."""
        self._until_rebuild = REBUILD_EVERY
        async with self._database.platform() as tx:
            await revocation_rows.forget(tx, REVOCATIONS_KEPT)
            rows = await revocation_rows.since(tx, REVOCATIONS_KEPT)
        known = self._published.entries if self._published.fresh else {}
        await self._put([row for row in rows if row.published_at is None or row.name not in known])

    async def _put(self, rows: Sequence[RevocationRow]) -> None:
        for row in rows:
            await self._bus.put(REVOCATIONS, row.name, str(int(row.revoked_at.timestamp())).encode())
        async with self._database.platform() as tx:
            await revocation_rows.mark_published(tx, rows)
