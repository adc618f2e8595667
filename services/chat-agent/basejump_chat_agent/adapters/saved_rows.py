"""SQL of saved results. Every function takes the tenant's transaction."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from basejump_common.contracts.result import SavedResult, SavedSort, SearchSaved
from basejump_common.storage.database import Transaction
from basejump_common.storage.pages import WordPosition

_SELECT = "select saved_result.*, result_type from saved_result join result using (result_uuid)"
_UPSERT = """
    insert into saved_result (saved_result_uuid, client_uuid, result_uuid, user_uuid, title, subtitle, description,
                              share_w_team, team_uuid)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    on conflict (result_uuid, user_uuid) do update set
        title = excluded.title, subtitle = excluded.subtitle, description = excluded.description,
        share_w_team = excluded.share_w_team, team_uuid = excluded.team_uuid, updated_at = now()
    returning saved_result_uuid
"""
_UPDATE = """
    update saved_result set title = $2, subtitle = $3, description = $4, share_w_team = $5, team_uuid = $6,
                            updated_at = now()
    where saved_result_uuid = $1
"""
_FIND = f"""
    {_SELECT} where saved_result_uuid = $1
    and ($2::uuid is null or saved_result.user_uuid = $2 or share_w_team and saved_result.team_uuid = any($3::uuid[]))
"""
# Words are ordered by how they begin: a whole description has no place in a cursor.
_KEYS = {
    SavedSort.TITLE: "left(lower(title), 40)",
    SavedSort.DESCRIPTION: "left(lower(description), 40)",
    SavedSort.RESULT_TYPE: "result_type",
}
_SEARCH = """
    select saved_result.*, result_type, {key} as word
    from saved_result join result using (result_uuid)
    where ($1::uuid is null or saved_result.user_uuid = $1 or share_w_team and saved_result.team_uuid = any($2::uuid[]))
    and ($3::text is null or title ilike $3 or subtitle ilike $3 or description ilike $3)
    and ($4::uuid is null or share_w_team and saved_result.team_uuid = $4)
    and ($5::text is null or result_type = $5)
    and ($6::text is null or ({key}, saved_result_uuid) {beyond} ($6, $7))
    order by word {direction}, saved_result_uuid {direction} limit $8
"""
# In the message that tells of the result, while the asker has it saved.
_MARK = """
    update prompt set message = jsonb_set(message, '{saved_result_uuid}', (
        select coalesce(to_jsonb(max(saved_result_uuid::text)), 'null') from saved_result
        where result_uuid = $1 and saved_result.user_uuid = prompt.user_uuid))
    where prompt_uuid = (select prompt_uuid from result where result_uuid = $1)
"""


class SavedRow(SavedResult, frozen=True, kw_only=True):
    """A saved result, and the word it is ordered by."""

    word: str


async def save(tx: Transaction, client_uuid: UUID, saved: SavedResult) -> UUID:
    """Its uuid: an older one where the user had saved the result before."""
    kept: UUID = await tx.fetchval(
        _UPSERT,
        saved.saved_result_uuid,
        client_uuid,
        saved.result_uuid,
        saved.user_uuid,
        saved.title,
        saved.subtitle,
        saved.description,
        saved.share_w_team,
        saved.team_uuid,
    )
    await tx.execute(_MARK, saved.result_uuid)
    return kept


async def find(
    tx: Transaction, saved_result_uuid: UUID, user_uuid: UUID | None, teams: Sequence[UUID] = ()
) -> SavedResult | None:
    """Of the user, or shared with one of the teams; of anybody when `user_uuid` is None."""
    return await tx.row(SavedResult, _FIND, saved_result_uuid, user_uuid, list(teams))


async def update(tx: Transaction, saved: SavedResult) -> None:
    """Its words, and whom it is shared with."""
    await tx.execute(
        _UPDATE,
        saved.saved_result_uuid,
        saved.title,
        saved.subtitle,
        saved.description,
        saved.share_w_team,
        saved.team_uuid,
    )


async def delete(tx: Transaction, saved: SavedResult) -> None:
    """The result stays."""
    await tx.execute("delete from saved_result where saved_result_uuid = $1", saved.saved_result_uuid)
    await tx.execute(_MARK, saved.result_uuid)


async def search(
    tx: Transaction,
    user_uuid: UUID | None,
    teams: Sequence[UUID],
    request: SearchSaved,
    after: WordPosition | None,
    count: int,
) -> list[SavedRow]:
    """In the order that is asked for, those beyond `after`."""
    beyond, direction = ("<", "desc") if request.descending else (">", "asc")
    query = _SEARCH.format(key=_KEYS[request.sort], beyond=beyond, direction=direction)
    return await tx.rows(
        SavedRow,
        query,
        user_uuid,
        list(teams),
        None if request.text is None else f"%{_literal(request.text)}%",
        request.team_uuid,
        request.result_type,
        *(after or (None, None)),
        count,
    )


async def of_results(tx: Transaction, result_uuids: Sequence[UUID]) -> set[UUID]:
    """Those of the results that somebody has saved."""
    rows = await tx.fetch("select distinct result_uuid from saved_result where result_uuid = any($1)", result_uuids)
    return {row["result_uuid"] for row in rows}


def _literal(text: str) -> str:
    """As LIKE spells it."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def as_contract(row: SavedRow) -> SavedResult:
    """Without the word."""
    return msgspec.convert(row, SavedResult, from_attributes=True)
