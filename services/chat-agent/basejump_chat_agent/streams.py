"""Who may read the stream of a chat: with a token, or with a ticket got by one. The gateway does the streaming."""

from uuid import UUID

from basejump_chat_agent.access import reading_scope
from basejump_chat_agent.adapters import chat_rows, ticket_rows
from basejump_chat_agent.domain.tickets import REFUSED, TICKET_SECONDS, new_ticket, tenant_of, ticket_hash
from basejump_common.bus import Context
from basejump_common.contracts.chat import ByChat, OpenStream, StreamReader, StreamTicket
from basejump_common.errors import Unauthenticated
from basejump_common.security.principal import Principal
from basejump_common.storage.database import Database


class Streams:
    """A chat's stream is read by its owner, and by an ADMIN of the client."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, context: Context, request: OpenStream) -> StreamReader:
        """Raises NotFound."""
        async with self._database.tenant(context.caller.tenant) as tx:
            await chat_rows.get(tx, request.chat_uuid, reading_scope(context.caller))
        return _reader(context.caller, request.chat_uuid)

    async def create_ticket(self, context: Context, request: ByChat) -> StreamTicket:
        """Good for 30 seconds and one use. Raises NotFound."""
        caller = context.caller
        ticket = new_ticket(caller.tenant)
        async with self._database.tenant(caller.tenant) as tx:
            await chat_rows.get(tx, request.chat_uuid, reading_scope(caller))
            reader = _reader(caller, request.chat_uuid)
            expires_at = await ticket_rows.insert(tx, ticket_hash(ticket), reader, TICKET_SECONDS)
        return StreamTicket(ticket=ticket, expires_at=expires_at)

    async def redeem_ticket(self, _context: Context, request: OpenStream) -> StreamReader:
        """Raises Unauthenticated."""
        if request.ticket is None:
            raise Unauthenticated(REFUSED)
        async with self._database.tenant(tenant_of(request.ticket)) as tx:
            reader = await ticket_rows.redeem(tx, ticket_hash(request.ticket), request.chat_uuid)
        if reader is None:
            raise Unauthenticated(REFUSED)
        return reader


def _reader(caller: Principal, chat_uuid: UUID) -> StreamReader:
    return StreamReader(
        client_uuid=caller.tenant,
        chat_uuid=chat_uuid,
        user_uuid=caller.user,
        role=caller.role,
        session_uuid=caller.session_uuid,
        secret_uuid=caller.secret_uuid,
        issued_at=caller.issued_at,
        expires_at=caller.expires_at,
    )
