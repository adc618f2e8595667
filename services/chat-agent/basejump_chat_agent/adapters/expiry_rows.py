"""SQL of results that lost what they were asked in, or grow old. Every function takes the tenant's transaction."""

from uuid import UUID

import msgspec

from basejump_common.contracts.result import ResultOrphanType
from basejump_common.storage.database import Transaction

_AT_ONCE = 500
_ORPHANED = {
    ResultOrphanType.CHAT_DELETED: "chat_uuid",
    ResultOrphanType.USER_DELETED: "user_uuid",
    ResultOrphanType.TEAM_DELETED: "team_uuid",
    ResultOrphanType.CONNECTION_DELETED: "conn_uuid",
}
# The first loss counts, but for that of the connection: then nobody can read it any more.
_MARK = "update result set orphan_type = $2 where {column} = $1 and (orphan_type is null or $2 = 'connection_deleted')"
_NOT_SHARED = "delete from saved_result where user_uuid = $1 and not share_w_team returning result_uuid"
_UNSHARE = "update saved_result set share_w_team = false, team_uuid = null where team_uuid = $1"
_EXPIRED = f"""
    delete from result where result_uuid in (
        select result_uuid from result
        where not verified
        and not exists (select from saved_result where saved_result.result_uuid = result.result_uuid)
        and (chat_uuid is null or orphan_type = 'connection_deleted'
             or coalesce(refreshed_at, created_at) < now() - make_interval(days => $1))
        limit {_AT_ONCE}
    ) returning result_uuid, run_uuid
"""  # noqa: S608 - a constant


class Expired(msgspec.Struct, frozen=True, kw_only=True):
    """A result that is gone, and the run whose rows nobody needs now."""

    result_uuid: UUID
    run_uuid: UUID


async def orphan(tx: Transaction, kind: ResultOrphanType, lost_uuid: UUID) -> None:
    """Mark the results of what was deleted."""
    await tx.execute(_MARK.format(column=_ORPHANED[kind]), lost_uuid, kind)


async def forget_saved_of_user(tx: Transaction, user_uuid: UUID) -> None:
    """What a user saved for themselves; what is shared stays."""
    await tx.execute(_NOT_SHARED, user_uuid)


async def unshare(tx: Transaction, team_uuid: UUID) -> None:
    """With a team that is gone; who saved it keeps it."""
    await tx.execute(_UNSHARE, team_uuid)


async def expire(tx: Transaction, days: int | None) -> list[Expired]:
    """Delete some of what is older (None: however old), and of what nobody can or wants to read any more; not what is
    saved or verified. Nothing is left when none are given."""
    return await tx.rows(Expired, _EXPIRED, days)


async def any_left(tx: Transaction) -> bool:
    """Whether the client has results."""
    found: bool = await tx.fetchval("select exists (select from result)")
    return found
