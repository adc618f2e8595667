"""Which teams there are and who is in them: account's facts, asked for and remembered for at most five seconds."""

import asyncio
from collections.abc import Iterable
from uuid import UUID

from basejump_common.bus import Bus, Context
from basejump_common.bus.remembered import Remembered
from basejump_common.contracts.account import CHECK_MEMBERSHIP, CheckMembership, MembershipStanding
from basejump_common.errors import NotFound

Key = tuple[UUID, UUID, UUID | None]


class Teams:
    """Asks account in the caller's name."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._known: Remembered[Key, MembershipStanding] = Remembered()

    async def require_member(self, context: Context, team_uuid: UUID) -> None:
        """Raises NotFound unless the caller is in the team."""
        if not (await self._standing(context, team_uuid, context.caller.user)).member:
            raise NotFound("there is no such team")

    async def require_team(self, context: Context, team_uuid: UUID) -> None:
        """Raises NotFound unless the caller's client has the team. Never from memory."""
        request = CheckMembership(team_uuid=team_uuid)
        if not (await self._bus.call(CHECK_MEMBERSHIP, request, context)).team_exists:
            raise NotFound(f"there is no team {team_uuid}")

    async def of_caller(self, context: Context, team_uuids: Iterable[UUID]) -> set[UUID]:
        """Those of the teams that the caller is in."""
        asked = list(team_uuids)
        user = context.caller.user
        standings = await asyncio.gather(*(self._standing(context, team, user) for team in asked))
        return {team for team, standing in zip(asked, standings, strict=True) if standing.member}

    async def _standing(self, context: Context, team_uuid: UUID, user_uuid: UUID) -> MembershipStanding:
        request = CheckMembership(team_uuid=team_uuid, user_uuid=user_uuid)
        return await self._known.get(
            (context.caller.tenant, team_uuid, user_uuid), lambda: self._bus.call(CHECK_MEMBERSHIP, request, context)
        )
