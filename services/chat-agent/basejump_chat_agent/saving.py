"""Saved results: save, search, read, change, delete."""

from uuid import UUID, uuid4

import msgspec
from msgspec import UNSET

from basejump_chat_agent import verifying
from basejump_chat_agent.access import listing_scope, reading_scope
from basejump_chat_agent.adapters import saved_rows
from basejump_chat_agent.adapters.saved_rows import as_contract
from basejump_chat_agent.results import Results
from basejump_common.bus import Bus, Context
from basejump_common.bus.fitting import fitting
from basejump_common.contracts import account
from basejump_common.contracts.common import Done, PageRequest
from basejump_common.contracts.result import (
    BySavedResult,
    SavedPage,
    SavedResult,
    SaveResult,
    SearchSaved,
    UpdateSavedResult,
)
from basejump_common.errors import InvalidInput, NotFound
from basejump_common.security.principal import Role
from basejump_common.storage import pages
from basejump_common.storage.database import Database

_MOST_TEAMS = 1_000


class Saving:
    """Who saved it, an ADMIN, and the members of the team it is shared with see it, while they may read the result."""

    def __init__(self, database: Database, bus: Bus, results: Results) -> None:
        self._database = database
        self._bus = bus
        self._results = results

    async def save(self, context: Context, request: SaveResult) -> SavedResult:
        """Raises NotFound and InvalidInput."""
        caller, result = context.caller, await self._results.readable(context, request.result_uuid)
        await self._check_team(context, request.team_uuid)
        team_uuid = _shared_with(request.team_uuid, result.team_uuid, share_w_team=request.share_w_team)
        saved = SavedResult(
            saved_result_uuid=uuid4(),
            result_uuid=result.result_uuid,
            user_uuid=caller.user,
            title=request.title or result.result_title,
            subtitle=result.result_subtitle if request.subtitle is None else request.subtitle,
            description=result.result_description if request.description is None else request.description,
            result_type=result.result_type,
            share_w_team=request.share_w_team,
            team_uuid=team_uuid,
            created_at=result.created_at,
            updated_at=result.created_at,
        )
        async with self._database.tenant(caller.tenant) as tx:
            if request.verified:
                await verifying.verify(tx, context, request.result_uuid)
            kept = await saved_rows.find(tx, await saved_rows.save(tx, caller.tenant, saved), None)
        assert kept is not None, "it was stored in the same transaction"
        return kept

    async def search(self, context: Context, request: SearchSaved) -> SavedPage:
        """A page is shorter by those whose grant is gone, and where a reply has no room. Raises Forbidden, and NotFound
        for a team that isn't the caller's."""
        caller, after = context.caller, pages.word_position(request.cursor)
        await self._check_team(context, request.team_uuid)
        scope = listing_scope(caller, request)
        teams = () if scope is None else await self._teams(context)
        async with self._database.tenant(caller.tenant) as tx:
            found = await saved_rows.search(tx, scope, teams, request, after, pages.rows_to_ask(request.limit))
        most = len(fitting(found[: request.limit]))
        rows, next_cursor = pages.page(found, most, lambda row: (row.word, row.saved_result_uuid))
        readable = await self._results.readable_of(context, [row.result_uuid for row in rows])
        data = tuple(as_contract(row) for row in rows if row.result_uuid in readable)
        return SavedPage(data=data, next_cursor=next_cursor)

    async def get(self, context: Context, request: BySavedResult) -> SavedResult:
        """With the result. Raises NotFound."""
        caller = context.caller
        scope = reading_scope(caller)
        teams = () if scope is None else await self._teams(context)
        async with self._database.tenant(caller.tenant) as tx:
            saved = await saved_rows.find(tx, request.saved_result_uuid, scope, teams)
        if saved is None:
            raise _not_there()
        result = await self._results.readable(context, saved.result_uuid)
        return msgspec.structs.replace(saved, result=result.as_result(context.caller))

    async def update(self, context: Context, request: UpdateSavedResult) -> SavedResult:
        """Raises NotFound and InvalidInput."""
        caller = context.caller
        async with self._database.tenant(caller.tenant) as tx:
            saved = await saved_rows.find(tx, request.saved_result_uuid, reading_scope(caller))
        if saved is None:
            raise _not_there()
        if isinstance(request.team_uuid, UUID):
            await self._check_team(context, request.team_uuid)
        result = await self._results.readable(context, saved.result_uuid)
        changed = _changed(saved, request, result.team_uuid)
        async with self._database.tenant(caller.tenant) as tx:
            await saved_rows.update(tx, changed)
            kept = await saved_rows.find(tx, request.saved_result_uuid, reading_scope(caller))
        if kept is None:
            raise _not_there()
        return kept

    async def delete(self, context: Context, request: BySavedResult) -> Done:
        """The result stays. Raises NotFound."""
        caller = context.caller
        async with self._database.tenant(caller.tenant) as tx:
            saved = await saved_rows.find(tx, request.saved_result_uuid, reading_scope(caller))
            if saved is None:
                raise _not_there()
            await saved_rows.delete(tx, saved)
        return Done()

    async def _check_team(self, context: Context, team_uuid: UUID | None) -> None:
        """The caller is in it; an ADMIN shares with any team of the client. Raises NotFound."""
        if team_uuid is None:
            return
        caller = context.caller
        asked = account.CheckMembership(team_uuid=team_uuid, user_uuid=caller.user)
        standing = await self._bus.call(account.CHECK_MEMBERSHIP, asked, context)
        if not (standing.team_exists if caller.role.at_least(Role.ADMIN) else standing.member):
            raise NotFound("no such team, or you are not in it")

    async def _teams(self, context: Context) -> tuple[UUID, ...]:
        """The caller's own."""
        found: list[UUID] = []
        cursor = None
        while len(found) < _MOST_TEAMS:
            request = PageRequest(limit=pages.MAX_LIMIT, cursor=cursor)
            page = await self._bus.call(account.LIST_TEAMS, request, context)
            found += [team.team_uuid for team in page.data]
            cursor = page.next_cursor
            if cursor is None:
                break
        return tuple(found)


def _changed(saved: SavedResult, request: UpdateSavedResult, usual: UUID) -> SavedResult:
    """Raises InvalidInput."""
    names = ("title", "subtitle", "description", "share_w_team")
    given = {name: getattr(request, name) for name in names if getattr(request, name) is not UNSET}
    changed = msgspec.structs.replace(saved, **given)
    asked = request.team_uuid if isinstance(request.team_uuid, UUID) else None
    before = saved.team_uuid if changed.share_w_team and request.team_uuid is UNSET else None
    team_uuid = _shared_with(asked or before, usual, share_w_team=changed.share_w_team)
    return msgspec.structs.replace(changed, team_uuid=team_uuid)


def _shared_with(team_uuid: UUID | None, usual: UUID, *, share_w_team: bool) -> UUID | None:
    """The team that is asked for, else the usual one; none unless it is shared. Raises InvalidInput."""
    if share_w_team:
        return team_uuid or usual
    if team_uuid is not None:
        raise InvalidInput.field("team_uuid", "counts only with share_w_team")
    return None


def _not_there() -> NotFound:
    return NotFound("no such saved result")
