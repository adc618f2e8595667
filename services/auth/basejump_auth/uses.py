"""When client secrets were used: remembered here and written every ten seconds, not at every request."""

import asyncio
import logging
from datetime import UTC, datetime

from basejump_auth.adapters import secret_rows
from basejump_auth.adapters.secret_rows import SecretOwner
from basejump_common.errors import DeadlineExceeded, Unavailable
from basejump_common.storage.database import Database

log = logging.getLogger("basejump.auth")

FLUSH_SECONDS = 10.0


class Uses:
    """The latest use of each secret since the last writing. What a crash loses is ten seconds of precision."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._latest: dict[SecretOwner, datetime] = {}

    def note(self, owner: SecretOwner) -> None:
        """It was used now."""
        self._latest[owner] = datetime.now(UTC)

    async def run(self) -> None:
        """Write every ten seconds, and once more at the end."""
        try:
            while True:
                await asyncio.sleep(FLUSH_SECONDS)
                await self.flush()
        finally:
            await self.flush()

    async def flush(self) -> None:
        """Write what is new; with the database away it waits for the next time."""
        latest, self._latest = self._latest, {}
        try:
            for owner, at in latest.items():
                async with self._database.tenant(owner.client_uuid) as tx:
                    await secret_rows.set_last_used(tx, owner.client_secret_uuid, at)
        except (Unavailable, DeadlineExceeded) as error:
            log.warning("uses of client secrets can't be written: %s", error.message)
            self._latest = latest | self._latest
