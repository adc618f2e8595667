"""Whose chats and results a caller may read, and as whom work is done for a caller."""

from uuid import UUID

from basejump_chat_agent.domain.prompt import Asker
from basejump_common.bus import Context
from basejump_common.contracts.common import WidePageRequest
from basejump_common.errors import Forbidden
from basejump_common.security.principal import Principal, Role


def reading_scope(caller: Principal) -> UUID | None:
    """The user whose own things the caller reads; None for an ADMIN and up, who read those of the whole client."""
    return None if caller.role.at_least(Role.ADMIN) else caller.user


def listing_scope(caller: Principal, request: WidePageRequest) -> UUID | None:
    """The user whose own things a list has; None for those of the whole client. Raises Forbidden."""
    if not request.include_all_client_info:
        return caller.user
    if not caller.role.at_least(Role.ADMIN):
        raise Forbidden("include_all_client_info needs the role ADMIN or above")
    return None


def asker_of(context: Context) -> Asker:
    """As whom work is done that goes on without the caller. Raises Forbidden."""
    caller = context.caller
    if caller.session_uuid is None:
        raise Forbidden("asking needs an access token of a session")
    return Asker(
        client_uuid=caller.tenant,
        user_uuid=caller.user,
        session_uuid=caller.session_uuid,
        role=caller.role,
        request_id=context.request_id,
        traceparent=context.traceparent,
    )
