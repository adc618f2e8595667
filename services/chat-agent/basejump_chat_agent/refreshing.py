"""A result's statement is run again, under the caller's grants as they are now, and its new rows take the old ones'
place."""

import time
from uuid import UUID, uuid4

from basejump_chat_agent.access import asker_of
from basejump_chat_agent.adapters import result_rows
from basejump_chat_agent.adapters.result_rows import StoredResult
from basejump_chat_agent.charting import Charting, Source
from basejump_chat_agent.domain.charts import Visual
from basejump_chat_agent.domain.words import describe
from basejump_chat_agent.forgetting import forget_later
from basejump_chat_agent.results import Results
from basejump_common.bus import Bus, Context, publish
from basejump_common.contracts.connection import LONGEST_RUN_SECONDS, RUN, Run, RunResult
from basejump_common.contracts.result import RESULT_REFRESHED, RefreshResult, Result, ResultChanged
from basejump_common.errors import DeadlineExceeded
from basejump_common.storage.database import Database


class Refreshing:
    """The chart is drawn again, and so are the words, unless a person wrote them."""

    def __init__(self, database: Database, bus: Bus, results: Results, charting: Charting) -> None:
        self._database = database
        self._bus = bus
        self._results = results
        self._charting = charting

    async def refresh(self, context: Context, request: RefreshResult) -> Result:
        """Asked again with the same `run_uuid`, nothing runs twice. Raises NotFound and what running raises."""
        kept = await self._results.readable(context, request.result_uuid)
        if kept.run_uuid == request.run_uuid:
            return kept.as_result(context.caller)
        ran = await self._run(context, kept, request.run_uuid)
        await self._keep(context, await self._renewed(context, kept, ran), kept.run_uuid)
        return (await self._results.readable(context, kept.result_uuid)).as_result(context.caller)

    async def _run(self, context: Context, kept: StoredResult, run_uuid: UUID | None) -> RunResult:
        """Waits for as long as the call may; one who knows the `run_uuid` may ask again for what goes on running."""
        request = Run(
            run_uuid=run_uuid or uuid4(),
            conn_uuid=kept.conn_uuid,
            team_uuid=kept.team_uuid,
            sql=kept.sql_query,
            prompt_uuid=kept.prompt_uuid,
            deadline=context.deadline if run_uuid is None else time.time() + LONGEST_RUN_SECONDS,
        )
        while True:
            try:
                return await self._bus.call(RUN, request, context)
            except DeadlineExceeded:
                if context.remaining() <= 0:
                    raise

    async def _renewed(self, context: Context, kept: StoredResult, ran: RunResult) -> StoredResult:
        visual = await self._visual(context, kept, ran)
        words = kept.result_description if kept.described else describe(kept.result_title, kept.result_subtitle, ran)
        return result_rows.with_rows(kept, ran, words, visual)

    async def _visual(self, context: Context, kept: StoredResult, ran: RunResult) -> Visual:
        """Again, if there was one, or was to be one."""
        if kept.visual_json is None and kept.visual_explanation is None:
            return Visual()
        source = Source(
            asker=asker_of(context), team_uuid=kept.team_uuid, conn_uuid=kept.conn_uuid, dialect=ran.dialect
        )
        return await self._charting.again(source, ran)

    async def _keep(self, context: Context, renewed: StoredResult, before: UUID) -> None:
        """Whoever refreshes it at the same time and comes second leaves it as it is."""
        tenant = context.caller.tenant
        async with self._database.tenant(tenant) as tx:
            ours = await result_rows.refresh(tx, renewed, before)
            await forget_later(tx, tenant, (before if ours else renewed.run_uuid,))
            if ours:
                change = ResultChanged(result_uuid=renewed.result_uuid)
                await publish(tx, RESULT_REFRESHED, tenant, renewed.result_uuid, change, context)
