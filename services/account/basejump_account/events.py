"""Events that several use cases publish."""

from collections.abc import Iterable
from uuid import UUID

from basejump_common.bus import Context, publish
from basejump_common.contracts import account
from basejump_common.contracts.account import Membership, MembershipChanged
from basejump_common.storage.database import Transaction


async def publish_left(tx: Transaction, client_uuid: UUID, ended: Iterable[Membership], context: Context) -> None:
    """membership.removed, for each membership that ended; ordered with the user's other events."""
    for membership in ended:
        change = MembershipChanged(user_uuid=membership.user_uuid, team_uuid=membership.team_uuid)
        await publish(tx, account.MEMBERSHIP_REMOVED, client_uuid, membership.user_uuid, change, context)
