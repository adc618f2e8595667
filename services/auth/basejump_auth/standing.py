"""What account says about a user, or a client, now."""

from uuid import UUID

from basejump_common.bus import Bus, Context
from basejump_common.contracts import account
from basejump_common.contracts.account import ByClientUser, UserStanding
from basejump_common.contracts.common import ByClient


class Standings:
    """Asks account; nothing is remembered, so that no token outlives a fact."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def of_user(self, client_uuid: UUID, user_uuid: UUID, context: Context) -> UserStanding:
        """The user's role and service member. Raises NotFound: not there, or another client's."""
        request = ByClientUser(client_uuid=client_uuid, user_uuid=user_uuid)
        return await self._bus.call(account.USER_STANDING, request, context)

    async def is_active(self, client_uuid: UUID, context: Context) -> bool:
        """False once the client is suspended or deleted."""
        return (await self._bus.call(account.CLIENT_STANDING, ByClient(client_uuid=client_uuid), context)).active
