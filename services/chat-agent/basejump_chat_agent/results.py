"""Results: list, read, change, delete."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET

from basejump_chat_agent import verifying
from basejump_chat_agent.access import listing_scope, reading_scope
from basejump_chat_agent.adapters import result_rows
from basejump_chat_agent.adapters.result_rows import StoredResult
from basejump_chat_agent.forgetting import forget_later
from basejump_common.bus import Bus, Context, publish
from basejump_common.bus.fitting import fitting
from basejump_common.contracts.common import Done
from basejump_common.contracts.connection import CHECK_GRANTS, CheckGrants, RanUnder
from basejump_common.contracts.result import (
    RESULT_DELETED,
    ByResult,
    ListResults,
    ManyResults,
    Result,
    ResultChanged,
    ResultPage,
    ResultsFound,
    UpdateResult,
)
from basejump_common.errors import Conflict, NotFound
from basejump_common.storage import pages
from basejump_common.storage.database import Database

_GRANTS_AT_ONCE = 200


class Results:
    """A result belongs to the user who asked; an ADMIN may read those of the whole client, and members of a team what
    was saved and shared with it.

    A member sees it while the team that it was asked for, or is shared with, has the grant, and an ADMIN while there is
    the connection; both while nothing that it rests on is ignored or gone. connection-indexer says so, and while that
    is away no result is shown (Unavailable).
    """

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus

    async def list(self, context: Context, request: ListResults) -> ResultPage:
        """The caller's or the client's, newest first; a page is shorter by those whose grant is gone, and where a reply
        has no room. Raises Forbidden."""
        caller = context.caller
        after = pages.position(request.cursor, newest_first=True)
        async with self._database.tenant(caller.tenant) as tx:
            whose, count = listing_scope(caller, request), pages.rows_to_ask(request.limit)
            rows = await result_rows.newest(tx, whose, request.verified, after, count)
        most = len(fitting(rows[: request.limit])) or request.limit
        stored, next_cursor = pages.page(rows, most, lambda result: (result.created_at, result.result_uuid))
        readable = await self._readable(context, stored)
        return ResultPage(data=tuple(result.as_result(caller) for result in readable), next_cursor=next_cursor)

    async def get(self, context: Context, request: ByResult) -> Result:
        """Raises NotFound."""
        return (await self.readable(context, request.result_uuid)).as_result(context.caller)

    async def many(self, context: Context, request: ManyResults) -> ResultsFound:
        """Those that are not the caller's to read are missing like those that aren't there."""
        asked = tuple(dict.fromkeys(request.result_uuids))
        readable = await self.readable_of(context, asked)
        found = [readable[uuid].as_result(context.caller) for uuid in asked if uuid in readable]
        data = fitting(found)
        return ResultsFound(
            data=data,
            missing=tuple(uuid for uuid in asked if uuid not in readable),
            left_out=tuple(result.result_uuid for result in found[len(data) :]),
        )

    async def update(self, context: Context, request: UpdateResult) -> Result:
        """Raises NotFound, and Forbidden where a higher role has verified it."""
        caller = context.caller
        await self.readable(context, request.result_uuid)
        async with self._database.tenant(caller.tenant) as tx:
            if not await result_rows.update(tx, request, reading_scope(caller)):
                raise _not_there()
            if request.verified is not UNSET:
                change = verifying.verify if request.verified else verifying.unverify
                await change(tx, context, request.result_uuid)
        return (await self.readable(context, request.result_uuid)).as_result(context.caller)

    async def delete(self, context: Context, request: ByResult) -> Done:
        """With its rows. Raises NotFound, and Conflict while it is saved."""
        caller, result_uuid = context.caller, request.result_uuid
        try:
            async with self._database.tenant(caller.tenant) as tx:
                run_uuid = await result_rows.delete(tx, result_uuid, reading_scope(caller))
                if run_uuid is None:
                    raise _not_there()
                await forget_later(tx, caller.tenant, (run_uuid,))
                change = ResultChanged(result_uuid=result_uuid)
                await publish(tx, RESULT_DELETED, caller.tenant, result_uuid, change, context)
        except asyncpg.ForeignKeyViolationError as error:
            raise Conflict("the result is saved: delete what was saved of it first") from error
        return Done()

    async def readable(self, context: Context, result_uuid: UUID) -> StoredResult:
        """With where its rows are, and the team under whose grant the caller reads it. Raises NotFound."""
        found = await self.readable_of(context, (result_uuid,))
        if result_uuid not in found:
            raise _not_there()
        return found[result_uuid]

    async def readable_of(self, context: Context, result_uuids: Sequence[UUID]) -> dict[UUID, StoredResult]:
        """Those of the results that the caller may read at this moment."""
        caller = context.caller
        async with self._database.tenant(caller.tenant) as tx:
            found = await result_rows.readable(tx, result_uuids, reading_scope(caller))
        return {result.result_uuid: result for result in await self._readable(context, found)}

    async def _readable(self, context: Context, results: Sequence[StoredResult]) -> tuple[StoredResult, ...]:
        """Those whose grant is there at this moment, and whose statement would still be proved."""
        held = await self._held(context, [under for result in results for under in result.ran_under])
        readable = []
        for result in results:
            under = next((under for under in result.ran_under if under in held), None)
            if under is not None:
                readable.append(msgspec.structs.replace(result, team_uuid=under.team_uuid))
        return tuple(readable)

    async def _held(self, context: Context, grants: Sequence[RanUnder]) -> set[RanUnder]:
        held: set[RanUnder] = set()
        for place in range(0, len(grants), _GRANTS_AT_ONCE):
            asked = CheckGrants(data=tuple(grants[place : place + _GRANTS_AT_ONCE]))
            held.update((await self._bus.call(CHECK_GRANTS, asked, context)).data)
        return held


def _not_there() -> NotFound:
    return NotFound("no such result")
