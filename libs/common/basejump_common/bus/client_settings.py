"""A client's settings as other services read them: what holds is at most five seconds old.

While account is away, what was last known holds for five minutes more; then, and for a client never asked about,
Unavailable is raised, since a limit or a wish for privacy that nobody knows can't be kept.
"""

from uuid import UUID

from basejump_common.bus.connection import Bus
from basejump_common.bus.context import Context
from basejump_common.bus.remembered import REMEMBER_SECONDS, Remembered
from basejump_common.contracts.account import CLIENT_CHOICES
from basejump_common.contracts.client_settings import ClientChoices
from basejump_common.contracts.common import ByClient

STALE_SECONDS = 300.0
PATIENCE_SECONDS = 3.0


class SettingsOfClients:
    """Asks account."""

    def __init__(self, bus: Bus, *, seconds: float = REMEMBER_SECONDS, stale_seconds: float = STALE_SECONDS) -> None:
        self._bus = bus
        self._known: Remembered[UUID, ClientChoices] = Remembered(seconds=seconds, stale_seconds=stale_seconds)

    async def choices(self, client_uuid: UUID, context: Context) -> ClientChoices:
        """Raises NotFound (there is no such client) and Unavailable."""
        request = ByClient(client_uuid=client_uuid)
        return await self._known.get(
            client_uuid, lambda: self._bus.call(CLIENT_CHOICES, request, context, PATIENCE_SECONDS)
        )

    def forget(self) -> None:
        """Ask again from now on."""
        self._known.forget()
