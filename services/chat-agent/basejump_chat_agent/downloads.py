"""Whole results: who may read them gets an address where their rows are."""

from basejump_chat_agent.domain.file_names import file_name
from basejump_chat_agent.results import Results
from basejump_common.bus import Bus, Context
from basejump_common.contracts.connection import OPEN_RUN, Format, OpenRun
from basejump_common.contracts.result import ByResult, Download


class Downloads:
    """chat-agent says whose a result is; connection-indexer checks the grant and has the rows."""

    def __init__(self, results: Results, bus: Bus) -> None:
        self._results = results
        self._bus = bus

    async def csv(self, context: Context, request: ByResult) -> Download:
        """Raises NotFound and Unavailable."""
        return await self._open(context, request, Format.CSV)

    async def parquet(self, context: Context, request: ByResult) -> Download:
        """Raises NotFound and Unavailable."""
        return await self._open(context, request, Format.PARQUET)

    async def _open(self, context: Context, request: ByResult, form: Format) -> Download:
        result = await self._results.readable(context, request.result_uuid)
        asked = OpenRun(run_uuid=result.run_uuid, conn_uuid=result.conn_uuid, team_uuid=result.team_uuid, format=form)
        opened = await self._bus.call(OPEN_RUN, asked, context)
        return Download(
            url=opened.url,
            file_name=file_name(result.result_title, form),
            row_count=opened.row_count,
            truncated=opened.truncated,
        )
