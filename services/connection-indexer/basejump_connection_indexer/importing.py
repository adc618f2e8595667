"""Many logins of one database at once, from a CSV text: one that is wrong doesn't stop the others."""

import asyncio
from functools import partial

import msgspec

from basejump_common.bus import Context
from basejump_common.contracts.connection import (
    CreateConnection,
    ImportConnections,
    ImportedConnection,
    ImportReport,
)
from basejump_common.errors import BasejumpError, DeadlineExceeded, FieldError
from basejump_connection_indexer.adapters.database_rows import DatabaseRow
from basejump_connection_indexer.adapters.login_rows import ConnectionRow
from basejump_connection_indexer.connections import Connections
from basejump_connection_indexer.domain.imported import Row, rows_of
from basejump_connection_indexer.side_by_side import side_by_side
from basejump_connection_indexer.trying import AT_ONCE

SECONDS = 40.0
"""For trying them all; a database that answers takes some 20 ms for one."""

_LONGEST_MESSAGE = 500
Outcome = ConnectionRow | BasejumpError


class Imports:
    """Tries every row, keeps those that are right, and says what became of each."""

    def __init__(self, connections: Connections, seconds: float = SECONDS) -> None:
        self._connections = connections
        self._seconds = seconds

    async def run(self, context: Context, request: ImportConnections) -> ImportReport:
        """Raises NotFound, Conflict, and InvalidInput when no row can be read rightly."""
        row = await self._connections.idle(context.caller.tenant, request.db_uuid)
        rows = await asyncio.to_thread(rows_of, request.csv.reveal(), row.schemas)
        give_up = asyncio.get_running_loop().time() + self._seconds
        works = (partial(self._try, row, one, give_up, accepted=request.accept_risky_role) for one in rows)
        outcomes = await side_by_side(works, AT_ONCE)
        if logins := [outcome for outcome in outcomes if isinstance(outcome, ConnectionRow)]:
            await self._connections.store(context, row.db_uuid, logins)
        data = tuple(_reported(one, outcome) for one, outcome in zip(rows, outcomes, strict=True))
        return ImportReport(data=data, created=len(logins), failed=len(rows) - len(logins))

    async def _try(self, row: DatabaseRow, one: Row, give_up: float, *, accepted: bool) -> Outcome:
        if one.login is None:
            return one.problem or DeadlineExceeded("it wasn't read")
        login = msgspec.structs.asdict(one.login)
        try:
            async with asyncio.timeout_at(give_up):
                return await self._connections.tried(
                    row, CreateConnection(db_uuid=row.db_uuid, accept_risky_role=accepted, **login)
                )
        except TimeoutError:
            return DeadlineExceeded("not tried: the time for one call was over, send it again")
        except BasejumpError as error:
            return error


def _reported(one: Row, outcome: Outcome) -> ImportedConnection:
    if isinstance(outcome, ConnectionRow):
        return ImportedConnection(
            row=one.number, username=one.username, conn_uuid=outcome.conn_uuid, warnings=outcome.warnings
        )
    errors = outcome.errors or (FieldError(field="", message=outcome.message),)
    return ImportedConnection(row=one.number, username=one.username, code=outcome.code, errors=tuple(map(_cut, errors)))


def _cut(error: FieldError) -> FieldError:
    return msgspec.structs.replace(error, message=error.message[:_LONGEST_MESSAGE])
