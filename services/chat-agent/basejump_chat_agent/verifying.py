"""Verification: saying that an answer is right, taking it back, and what a changed schema takes back by itself."""

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from basejump_chat_agent.access import reading_scope
from basejump_chat_agent.adapters import verified_rows
from basejump_chat_agent.domain.verified.rights import may_unverify, verifies
from basejump_common.bus import Context, Event, publish
from basejump_common.contracts.connection import Drift, SchemaDrifted, TableDescribed
from basejump_common.contracts.result import RESULT_UNVERIFIED, RESULT_VERIFIED, ResultVerified
from basejump_common.errors import Forbidden, NotFound
from basejump_common.security.principal import Principal
from basejump_common.storage.database import Transaction


async def verify(tx: Transaction, context: Context, result_uuid: UUID) -> None:
    """In the caller's name; nothing changes where their role or a higher one has said so before. Raises NotFound."""
    caller = context.caller
    standing = await _standing(tx, caller, result_uuid)
    if verifies(caller.role, standing.verified_user_role):
        await verified_rows.verify(tx, standing, caller.role, caller.user)
        told = ResultVerified(result_uuid=result_uuid, user_uuid=caller.user, role=caller.role)
        await publish(tx, RESULT_VERIFIED, caller.tenant, result_uuid, told, context)


async def verify_if_there(tx: Transaction, context: Context, result_uuid: UUID) -> None:
    """As `verify`; a result that was deleted is left alone."""
    with suppress(NotFound):
        await verify(tx, context, result_uuid)


async def unverify(tx: Transaction, context: Context, result_uuid: UUID) -> None:
    """With all that came from it. Raises NotFound, and Forbidden where a higher role has verified it."""
    caller = context.caller
    role = (await _standing(tx, caller, result_uuid)).verified_user_role
    if role is None:
        return
    if not may_unverify(caller.role, role):
        raise Forbidden(f"it was verified by {role}: only that role or a higher one may take it back")
    await _fall(tx, caller.tenant, [result_uuid], context)


async def schema_drifted(tx: Transaction, event: Event[SchemaDrifted]) -> None:
    """The reaction to `schema.drifted`: what rests on a table that is another one now, or gone, isn't verified; where
    there are too many to be told, nothing over that database is."""
    drift = event.data
    tables = [table.table_name for table in drift.tables if table.drift is not Drift.ADDED]
    await _drifted(tx, event.client_uuid, drift.db_uuid, None if drift.more else tables, event.context)


async def table_described(tx: Transaction, event: Event[TableDescribed]) -> None:
    """The reaction to `table.described`: what rests on a table of which something is ignored now isn't verified."""
    if event.data.ignored_more:
        tables = (event.data.table_name,)
        await _drifted(tx, event.client_uuid, event.data.db_uuid, tables, event.context)


async def _drifted(
    tx: Transaction, client_uuid: UUID, db_uuid: UUID, tables: Sequence[str] | None, context: Context
) -> None:
    names = None if tables is None else [table.lower() for table in tables]
    await _fall(tx, client_uuid, await verified_rows.resting_on(tx, db_uuid, names), context)


async def _fall(tx: Transaction, client_uuid: UUID, result_uuids: Sequence[UUID], context: Context) -> None:
    for fallen in await verified_rows.unverify(tx, result_uuids):
        told = ResultVerified(result_uuid=fallen)
        await publish(tx, RESULT_UNVERIFIED, client_uuid, fallen, told, context)


async def _standing(tx: Transaction, caller: Principal, result_uuid: UUID) -> verified_rows.Standing:
    standing = await verified_rows.standing(tx, result_uuid, reading_scope(caller))
    if standing is None:
        raise NotFound("no such result")
    return standing
