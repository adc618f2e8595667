"""Which teams there are and who is in them: account's facts, asked for and remembered for five seconds at most, or
until somebody leaves a team."""

import asyncio
from collections.abc import Iterable
from uuid import UUID

from basejump_common.bus import Bus, Context, Event
from basejump_common.bus.remembered import Remembered
from basejump_common.contracts.account import CHECK_MEMBERSHIP, CheckMembership, MembershipChanged, MembershipStanding
from basejump_common.errors import NotFound
from basejump_common.storage.bells import Bells
from basejump_common.storage.database import Transaction

Key = tuple[UUID, UUID, UUID | None]


_LEFT = "membership removed"


class Teams:
    """Asks account in the caller's name. `seconds`: how long an answer is remembered."""

    def __init__(self, bus: Bus, bells: Bells, seconds: float) -> None:
        self._bus = bus
        self._bells = bells
        self._known: Remembered[Key, MembershipStanding] = Remembered(seconds=seconds)

    async def left(self, tx: Transaction, _event: Event[MembershipChanged]) -> None:
        """Somebody has left a team: every replica asks again."""
        tx.ring(_LEFT, everywhere=True)

    async def forget_who_left(self) -> None:
        """Background work, until canceled."""
        with self._bells.listening(_LEFT) as bell:
            while True:
                await bell.wait()
                bell.clear()
                self._known.forget()

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
