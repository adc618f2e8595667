"""Text values of questions and statements, looked up in customers' databases: used once, kept nowhere.

A database that is away or slow takes nothing from a proof but this: the values are not looked up then.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from basejump_common.bus import Context
from basejump_common.contracts.connection import FindValues, FoundValues, Missing, MissingValue
from basejump_common.errors import BasejumpError, NotFound, ValuesMissing
from basejump_connection_indexer.access import Access, Gate
from basejump_connection_indexer.adapters.customer_pools import CustomerPools
from basejump_connection_indexer.adapters.values import Closest, find_closest, find_values, look_up
from basejump_connection_indexer.adapters.waited import Waited
from basejump_connection_indexer.domain.session import text_columns
from basejump_connection_indexer.prepared import PreparedCatalog
from basejump_sqlguard import LookUp, TextLiteral

MOST_MISSING = 50
"""So many missing values of a statement are told; what is like them only of the first few."""

MOST_COMPARED = 10


class LookUps:
    """Each has a session of its own: one that was cut short is not fit for a statement."""

    def __init__(self, gate: Gate, pools: CustomerPools) -> None:
        self._gate = gate
        self._pools = pools

    async def find(self, context: Context, request: FindValues) -> FoundValues:
        """Where the phrases stand in the data. Raises NotFound."""
        access = await self._gate.open(context, request.team_uuid, request.conn_uuid)
        try:
            tables = [access.catalog.tables[tbl_uuid] for tbl_uuid in request.tbl_uuids]
        except KeyError as error:
            raise NotFound("there is no such table") from error
        catalog = access.catalog
        asked = [text_columns(table.in_schemas(catalog.schemas)) for table in tables if not table.notes.ignore]
        async with self._pools.borrow(access.conn_uuid, access.target) as session:
            found, complete = await find_values(session, asked, request.phrases, like=request.closest)
        named = (msgspec.structs.replace(one, schema_name=catalog.logical(one.schema_name)) for one in found)
        return FoundValues(data=tuple(named), complete=complete)

    async def outcomes(
        self, access: Access, literals: Sequence[TextLiteral], waited: Waited | None = None
    ) -> Mapping[TextLiteral, LookUp]:
        """Whether each stands in its column; columns that the admin excluded are not read."""
        waited = waited or Waited()
        excluded = {one for one in literals if (one.schema, one.table, one.column) in access.catalog.not_searched}
        outcomes = dict.fromkeys(excluded, LookUp.EXCLUDED)
        asked = [literal for literal in literals if literal not in excluded]
        if not asked:
            return outcomes
        try:
            async with self._pools.borrow(access.conn_uuid, access.target, waited) as session:
                with waited.waiting():
                    return outcomes | await look_up(session, asked)
        except BasejumpError:
            return outcomes | dict.fromkeys(asked, LookUp.UNKNOWN)

    async def closest(self, access: Access, missing: Sequence[TextLiteral]) -> tuple[MissingValue, ...]:
        """The missing values with what is like them in their columns."""
        if not missing:
            return ()
        found: Mapping[TextLiteral, Closest] = {}
        try:
            async with self._pools.borrow(access.conn_uuid, access.target) as session:
                found = await find_closest(session, missing[:MOST_COMPARED])
        except BasejumpError:
            pass  # then nothing is known to be like them
        return tuple(
            _missing(literal, found.get(literal, Closest()), access.catalog) for literal in missing[:MOST_MISSING]
        )


def missing_of(outcomes: Mapping[TextLiteral, LookUp]) -> list[TextLiteral]:
    """Those that aren't in the data."""
    return [literal for literal, outcome in outcomes.items() if outcome is LookUp.MISSING]


def named(missing: Iterable[TextLiteral], catalog: PreparedCatalog) -> tuple[MissingValue, ...]:
    """The missing values alone, as they are kept with a statement that ran."""
    return tuple(_missing(literal, Closest(all_seen=True), catalog) for literal in list(missing)[:MOST_MISSING])


def values_missing(missing: tuple[MissingValue, ...]) -> ValuesMissing:
    """The error of a statement that doesn't run because of them."""
    first = missing[0]
    what = "nothing is like" if first.pattern else "no row has"
    others = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
    message = f"{what} '{first.value[:200]}' in {first.table_name}.{first.column_name}{others}"
    return ValuesMissing(message, details=msgspec.to_builtins(Missing(values=missing)))


def _missing(literal: TextLiteral, closest: Closest, catalog: PreparedCatalog) -> MissingValue:
    return MissingValue(
        schema_name=catalog.logical(literal.schema),
        table_name=literal.table,
        column_name=literal.column,
        value=literal.value,
        closest=tuple(one.value for one in closest.alike),
        same=closest.same,
        all_seen=closest.all_seen,
        pattern=literal.pattern,
        negated=literal.negated,
    )
