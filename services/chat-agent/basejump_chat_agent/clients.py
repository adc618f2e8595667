"""What concerns a client as a whole: what its questions took, what goes with a user or a team of it, and erasing it."""

from datetime import UTC, date, datetime

import msgspec

from basejump_chat_agent.adapters import chat_rows, expiry_rows, usage_rows, webhook_rows
from basejump_chat_agent.adapters.chat_stream import ChatStream
from basejump_chat_agent.adapters.usage_rows import DayOfUsage
from basejump_common.bus import Context, Event
from basejump_common.contracts.account import TeamChanged, UserGone
from basejump_common.contracts.common import ByClient
from basejump_common.contracts.erasing import Erased
from basejump_common.contracts.result import ResultOrphanType
from basejump_common.contracts.usage import MOST_DAYS, USUAL_DAYS, ListUsage, UsageOfDay, UsagePage
from basejump_common.errors import InvalidInput
from basejump_common.storage import pages
from basejump_common.storage.database import Database, Transaction
from basejump_common.storage.erasure import erase_rows


class Clients:
    """Chats and results of a deleted user stay for the client's ADMINs; what was to be sent for it isn't any more."""

    def __init__(self, database: Database, stream: ChatStream) -> None:
        self._database = database
        self._stream = stream

    async def usage(self, context: Context, request: ListUsage) -> UsagePage:
        """Newest day first. Raises InvalidInput: no range of days."""
        first, last = _range(request)
        after = pages.position(request.cursor, newest_first=True)
        async with self._database.tenant(context.caller.tenant) as tx:
            rows = await usage_rows.by_day(tx, first, last, after, pages.rows_to_ask(request.limit))
        days, next_cursor = pages.page(rows, request.limit, _place)
        data = tuple(msgspec.convert(day, UsageOfDay, from_attributes=True) for day in days)
        return UsagePage(data=data, next_cursor=next_cursor)

    async def user_deleted(self, tx: Transaction, event: Event[UserGone]) -> None:
        """Webhooks that the user asked for end, chats and results are orphans; running questions end with the user's
        session."""
        user_uuid = event.data.user_uuid
        await webhook_rows.end_of_user(tx, user_uuid)
        await chat_rows.orphan_of_user(tx, user_uuid)
        await expiry_rows.orphan(tx, ResultOrphanType.USER_DELETED, user_uuid)
        await expiry_rows.forget_saved_of_user(tx, user_uuid)

    async def team_deleted(self, tx: Transaction, event: Event[TeamChanged]) -> None:
        """Its chats and results are orphans, and nothing is shared with it any more; running questions end with the
        team's grants."""
        team_uuid = event.data.team_uuid
        await chat_rows.orphan_of_team(tx, team_uuid)
        await expiry_rows.orphan(tx, ResultOrphanType.TEAM_DELETED, team_uuid)
        await expiry_rows.unshare(tx, team_uuid)

    async def erase(self, _context: Context, request: ByClient) -> Erased:
        """Its rows, and what its prompts said on the stream. What is at work loses its lease with its row, and writes
        nothing more. Raises Unavailable."""
        async with self._database.tenant(request.client_uuid) as tx:
            rows = await erase_rows(tx, request.client_uuid)
        return Erased(count=rows + await self._stream.forget(request.client_uuid))


def _range(request: ListUsage) -> tuple[date, date]:
    last = request.to_day or datetime.now(UTC).date()
    first = request.from_day or date.fromordinal(max(1, last.toordinal() - USUAL_DAYS + 1))
    if first > last:
        raise InvalidInput.field("from_day", f"is after the last day, {last}")
    if last.toordinal() - first.toordinal() >= MOST_DAYS:
        raise InvalidInput.field("from_day", f"more than {MOST_DAYS} days before the last day, {last}")
    return first, last


def _place(row: DayOfUsage) -> pages.Position:
    return datetime(row.day.year, row.day.month, row.day.day, tzinfo=UTC), row.place
