"""SQL of stream tickets. Every function takes the tenant's transaction."""

from datetime import datetime
from uuid import UUID

import msgspec

from basejump_common.contracts.chat import StreamReader
from basejump_common.storage.database import Transaction

_INSERT = """
    with expired as (delete from stream_ticket where client_uuid = $2 and expires_at < now())
    insert into stream_ticket (ticket_hash, client_uuid, chat_uuid, reader, expires_at)
    values ($1, $2, $3, $4, now() + make_interval(secs => $5))
    returning expires_at
"""
_REDEEM = """
    delete from stream_ticket where ticket_hash = $1 and chat_uuid = $2 and expires_at > now() returning reader
"""


async def insert(tx: Transaction, ticket_hash: bytes, reader: StreamReader, seconds: float) -> datetime:
    """Keep a ticket, forget the tenant's expired ones; when it expires."""
    expires_at: datetime = await tx.fetchval(
        _INSERT, ticket_hash, reader.client_uuid, reader.chat_uuid, reader, seconds
    )
    return expires_at


async def redeem(tx: Transaction, ticket_hash: bytes, chat_uuid: UUID) -> StreamReader | None:
    """Use the ticket up: whoever deletes the row has it, once over all replicas. None when there is none."""
    reader = await tx.fetchval(_REDEEM, ticket_hash, chat_uuid)
    return None if reader is None else msgspec.convert(reader, StreamReader)
