"""Results: list and read."""

from collections.abc import Sequence
from uuid import UUID

from basejump_chat_agent.access import listing_scope, reading_scope
from basejump_chat_agent.adapters import result_rows
from basejump_chat_agent.adapters.result_rows import StoredResult
from basejump_common.bus import Bus, Context
from basejump_common.contracts.common import WidePageRequest
from basejump_common.contracts.connection import CHECK_GRANTS, CheckGrants
from basejump_common.contracts.result import ByResult, Result, ResultPage
from basejump_common.errors import NotFound
from basejump_common.storage import pages
from basejump_common.storage.database import Database


class Results:
    """A result belongs to the user who asked; an ADMIN may read those of the whole client.

    A member sees it while the team that it was asked for has the grant, and an ADMIN while there is the connection;
    both while nothing that it rests on is ignored or gone. connection-indexer says so, and while that is away no result
    is shown (Unavailable).
    """

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus

    async def list(self, context: Context, request: WidePageRequest) -> ResultPage:
        """The caller's or the client's, newest first; a page is shorter by those whose grant is gone. Raises
        Forbidden."""
        caller = context.caller
        after = pages.position(request.cursor, newest_first=True)
        async with self._database.tenant(caller.tenant) as tx:
            rows = await result_rows.newest(tx, listing_scope(caller, request), after, pages.rows_to_ask(request.limit))
        stored, next_cursor = pages.page(rows, request.limit, lambda result: (result.created_at, result.result_uuid))
        readable = await self._readable(context, stored)
        return ResultPage(data=tuple(result.as_result() for result in readable), next_cursor=next_cursor)

    async def get(self, context: Context, request: ByResult) -> Result:
        """Raises NotFound."""
        return (await self.readable(context, request.result_uuid)).as_result()

    async def readable(self, context: Context, result_uuid: UUID) -> StoredResult:
        """With where its rows are. Raises NotFound."""
        async with self._database.tenant(context.caller.tenant) as tx:
            result = await result_rows.get(tx, result_uuid, reading_scope(context.caller))
        readable = await self._readable(context, () if result is None else (result,))
        if not readable:
            raise NotFound("no such result")
        return readable[0]

    async def _readable(self, context: Context, results: Sequence[StoredResult]) -> tuple[StoredResult, ...]:
        """Those whose grant is there at this moment, and whose statement would still be proved."""
        if not results:
            return ()
        asked = CheckGrants(data=tuple(result.ran_under for result in results))
        held = (await self._bus.call(CHECK_GRANTS, asked, context)).data
        return tuple(result for result in results if result.ran_under in held)
