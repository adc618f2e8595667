"""One proved statement in a customer's MySQL or MariaDB: what is expected of it, and its rows, as they come.

The floor below the proof, should that have a hole: the server itself is asked whether the text is one query and
nothing else, it runs in a read-only transaction that is rolled back, and `Session.reset` undoes what outlives that.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import asyncmy
from asyncmy.constants import CR, ER
from asyncmy.cursors import SSCursor

from basejump_common.contracts.connection import Estimate
from basejump_common.errors import QueryFailed, Unavailable
from basejump_connection_indexer.adapters.inflow import Inflow
from basejump_connection_indexer.adapters.mysql.driver import Connection, Cursor, fields
from basejump_connection_indexer.adapters.mysql.plan import estimated
from basejump_connection_indexer.adapters.mysql.types import shape
from basejump_connection_indexer.domain.session import FETCH_BYTES, Row, ran_too_long

_TOO_LONG = (1969, 3024)  # MariaDB's, MySQL's
_KILLED = 1927
_VIEW_NOT_EXPLAINED = 1345
_BROKE_OFF = (ER.QUERY_INTERRUPTED, ER.SERVER_SHUTDOWN, _KILLED, CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST)


class MysqlRows:
    """The port's `Rows`. The driver holds a few packets, not the result."""

    def __init__(self, cursor: Cursor, inflow: Inflow) -> None:
        self._cursor = cursor
        self._inflow = inflow
        self.columns = tuple(map(shape, fields(cursor)))

    async def fetch(self, most: int) -> Sequence[Row]:
        with self._inflow.only_within(FETCH_BYTES):
            rows: Sequence[Row] = await self._cursor.fetchmany(most)
        return rows


async def started(connection: Connection, inflow: Inflow, sql: str, label: str) -> MysqlRows:
    """`label` is a comment before the statement in the processlist. Raises asyncmy.Error."""
    await _refuse_what_is_no_query(connection, sql)
    cursor = connection.cursor(SSCursor)
    with inflow.only_within(FETCH_BYTES):
        await cursor.execute(f"/* {label} */ {sql}")
    return MysqlRows(cursor, inflow)


async def explained(connection: Connection, sql: str, label: str, *, is_mariadb: bool) -> Estimate:
    """As `Session.explain`. Raises asyncmy.Error."""
    await _refuse_what_is_no_query(connection, sql)
    # MySQL tells all that MariaDB tells when it is asked for more, and has no word for asking.
    more = "extended " if is_mariadb else ""
    cursor = connection.cursor()
    await cursor.execute(f"/* {label} */ explain {more}{sql}")
    names = [column[0].lower() for column in cursor.description or ()]
    return estimated(sql, [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()])


async def _refuse_what_is_no_query(connection: Connection, sql: str) -> None:
    """Let the server's parser say so: only what is a query, and keeps its rows nowhere, can be a subquery.

    Only prepared, never executed; and what ends the subquery early isn't a statement by itself.
    """
    statement = await connection.prepare(f"select exists (\n{sql}\n)")
    await statement.close()


@contextmanager
def in_our_words(seconds: float) -> Iterator[None]:
    """What the driver raises; a statement's own mistakes are the customer's to see."""
    try:
        yield
    except OSError as error:
        raise Unavailable("the customer's database broke off", retry_after=1) from error
    except asyncmy.Error as error:
        number, message = error.args if len(error.args) == 2 else (0, str(error))
        if number in _TOO_LONG:
            raise ran_too_long(seconds) from error
        if number in _BROKE_OFF:
            raise Unavailable("the customer's database broke off", retry_after=1) from error
        if number == _VIEW_NOT_EXPLAINED:
            message = "the login needs SHOW VIEW, and SELECT on what is below, to be told what a view takes"
        details = {"sqlstate": error.sqlstate, "errno": number}
        raise QueryFailed(f"the database refused the statement: {message}", details=details) from error
