"""Retrieval: over which connection of a team, and which tables, a question is."""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from basejump_common.bus import Context
from basejump_common.bus.fitting import fitting
from basejump_common.contracts.connection import Candidate, Retrieve, Retrieved
from basejump_common.storage.database import Database
from basejump_connection_indexer.adapters import grant_rows
from basejump_connection_indexer.adapters.grant_rows import GrantedConnection
from basejump_connection_indexer.adapters.teams import Teams
from basejump_connection_indexer.checking import BUSY
from basejump_connection_indexer.domain.engine import ENGINES
from basejump_connection_indexer.domain.retrieval import Ranking
from basejump_connection_indexer.prepared import PreparedCatalogs

SMALL = 12
"""A database of so few tables is given whole."""

AS_GOOD = 0.02
"""Two databases whose coverage differs by less fit equally well."""


class _Option(msgspec.Struct, frozen=True):
    granted: GrantedConnection
    ranking: Ranking


class Retrieving:
    """Ranks what a team may ask over."""

    def __init__(self, database: Database, teams: Teams, catalogs: PreparedCatalogs) -> None:
        self._database = database
        self._teams = teams
        self._catalogs = catalogs

    async def retrieve(self, context: Context, request: Retrieve) -> Retrieved:
        """Raises NotFound unless the caller is in the team."""
        await self._teams.require_member(context, request.team_uuid)
        async with self._database.tenant(context.caller.tenant) as tx:
            granted = await grant_rows.of_team(tx, request.team_uuid)
        if request.db_uuid is not None:
            granted = [one for one in granted if one.db_uuid == request.db_uuid]
        options = [await self._option(context, one, request) for one in granted if one.index_version]
        missing = [one for one in granted if not one.index_version]
        best = max(options, key=lambda option: option.ranking.coverage, default=None)
        whole = Retrieved(
            waiting_for=_once(one.db_uuid for one in missing if one.index_status in BUSY),
            failed=tuple(dict.fromkeys(_failure(one) for one in missing if one.index_status not in BUSY)),
        )
        return whole if best is None else _with_tables(whole, best, options)

    async def _option(self, context: Context, granted: GrantedConnection, request: Retrieve) -> _Option:
        catalog = await self._catalogs.get(context.caller.tenant, granted)
        index = catalog.retrieval
        small = len(index) <= SMALL
        return _Option(
            granted, index.rank_all(request.question) if small else index.rank(request.question, request.limit)
        )


def _with_tables(whole: Retrieved, best: _Option, options: list[_Option]) -> Retrieved:
    granted = best.granted
    engine = ENGINES[granted.database_type]
    permitted = (ranked.table.permitted() for ranked in best.ranking.tables)
    tables = (table.as_table(granted.db_uuid, folds_names=engine.folds_names) for table in permitted)
    return msgspec.structs.replace(
        whole,
        conn_uuid=granted.conn_uuid,
        db_uuid=granted.db_uuid,
        database_name_alias=granted.database_name_alias,
        dialect=engine.dialect,
        tables=fitting(tables),
        functions=granted.functions,
        tied=_tied(best, options),
    )


def _tied(best: _Option, options: list[_Option]) -> tuple[Candidate, ...]:
    """Other databases that fit as well; of none that knows a word of the question."""
    coverage = best.ranking.coverage
    as_good = {
        option.granted.db_uuid: option
        for option in options
        if coverage > 0
        and option.granted.db_uuid != best.granted.db_uuid
        and coverage - option.ranking.coverage < AS_GOOD
    }
    return tuple(
        Candidate(
            db_uuid=db_uuid,
            database_name_alias=option.granted.database_name_alias,
            score=round(option.ranking.coverage, 4),
        )
        for db_uuid, option in as_good.items()
    )


def _failure(granted: GrantedConnection) -> str:
    return f"{granted.database_name_alias}: {granted.index_error or 'indexing was stopped'}"


def _once(db_uuids: Iterable[UUID]) -> tuple[UUID, ...]:
    return tuple(dict.fromkeys(db_uuids))
