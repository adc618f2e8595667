"""Two results side by side."""

from basejump_chat_agent.adapters.result_rows import StoredResult
from basejump_chat_agent.domain.likeness import likeness
from basejump_chat_agent.results import Results
from basejump_common.bus import Bus, Context
from basejump_common.contracts.connection import COMPARE_RUNS, CompareRuns, StoredRunOf
from basejump_common.contracts.result import ComparedResults, CompareResults


class Comparing:
    """connection-indexer knows the dialect and has the rows."""

    def __init__(self, results: Results, bus: Bus) -> None:
        self._results = results
        self._bus = bus

    async def compare(self, context: Context, request: CompareResults) -> ComparedResults:
        """Raises NotFound and Unavailable."""
        source = await self._results.readable(context, request.source_result_uuid)
        target = await self._results.readable(context, request.target_result_uuid)
        asked = CompareRuns(source=_run_of(source), target=_run_of(target))
        compared = await self._bus.call(COMPARE_RUNS, asked, context)
        return likeness(source.proof, target.proof, compared)


def _run_of(result: StoredResult) -> StoredRunOf:
    return StoredRunOf(run_uuid=result.run_uuid, conn_uuid=result.conn_uuid, team_uuid=result.team_uuid)
