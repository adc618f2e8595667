"""Tickets: text that names its tenant, and is known by a hash."""

import base64
import binascii
import hashlib
import secrets
from uuid import UUID

from basejump_common.errors import Unauthenticated
from basejump_common.security.secret import Secret

TICKET_SECONDS = 30
REFUSED = "the ticket is not valid for this chat, was used, or is older than 30 seconds; get a new one"

_PREFIX = "st_"
_RANDOM_BYTES = 32
_LENGTH = len(_PREFIX) + (16 + _RANDOM_BYTES) * 4 // 3


def new_ticket(client_uuid: UUID) -> Secret:
    """256 random bits, and the tenant in whose table they are looked up."""
    return Secret(_PREFIX + base64.urlsafe_b64encode(client_uuid.bytes + secrets.token_bytes(_RANDOM_BYTES)).decode())


def tenant_of(ticket: Secret) -> UUID:
    """Whose ticket it says it is. Raises Unauthenticated."""
    text = ticket.reveal()
    try:
        decoded = base64.urlsafe_b64decode(text.removeprefix(_PREFIX).encode("ascii"))
    except (binascii.Error, ValueError) as error:
        raise Unauthenticated(REFUSED) from error
    if len(text) != _LENGTH or not text.startswith(_PREFIX):
        raise Unauthenticated(REFUSED)
    return UUID(bytes=decoded[:16])


def ticket_hash(ticket: Secret) -> bytes:
    """What is kept of it."""
    return hashlib.sha256(ticket.reveal().encode()).digest()
