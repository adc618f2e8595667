"""Results: list and read."""

from basejump_chat_agent.access import reading_scope
from basejump_chat_agent.adapters import result_rows
from basejump_common.bus import Context
from basejump_common.contracts.common import PageRequest
from basejump_common.contracts.result import ByResult, Result, ResultPage
from basejump_common.errors import NotFound
from basejump_common.storage import pages
from basejump_common.storage.database import Database


class Results:
    """A result belongs to the user who asked; an ADMIN may read those of the whole client."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, context: Context, request: PageRequest) -> ResultPage:
        """The caller's, newest first."""
        caller = context.caller
        after = pages.position(request.cursor, newest_first=True)
        async with self._database.tenant(caller.tenant) as tx:
            rows = await result_rows.newest(tx, caller.user, after, pages.rows_to_ask(request.limit))
        data, next_cursor = pages.page(rows, request.limit, lambda result: (result.created_at, result.result_uuid))
        return ResultPage(data=data, next_cursor=next_cursor)

    async def get(self, context: Context, request: ByResult) -> Result:
        """Raises NotFound."""
        async with self._database.tenant(context.caller.tenant) as tx:
            result = await result_rows.get(tx, request.result_uuid, reading_scope(context.caller))
        if result is None:
            raise NotFound("no such result")
        return result
