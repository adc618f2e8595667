"""What account says about a user, or a client, now."""

from uuid import UUID

from basejump_common.bus import Bus, Context
from basejump_common.contracts import account
from basejump_common.contracts.account import ByClientUser
from basejump_common.contracts.common import ByClient
from basejump_common.security.principal import UserRole


class Standings:
    """Asks account; nothing is remembered, so that no token outlives a fact."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def role_of(self, client_uuid: UUID, user_uuid: UUID, context: Context) -> UserRole:
        """The user's role. Raises NotFound: not there, or another client's."""
        request = ByClientUser(client_uuid=client_uuid, user_uuid=user_uuid)
        standing = await self._bus.call(account.USER_STANDING, request, context)
        return standing.role

    async def is_active(self, client_uuid: UUID, context: Context) -> bool:
        """False once the client is suspended or deleted."""
        return (await self._bus.call(account.CLIENT_STANDING, ByClient(client_uuid=client_uuid), context)).active
