"""What becomes of a client's credentials when the client is suspended or deleted."""

from basejump_auth.adapters import revocation_rows, secret_rows, session_rows
from basejump_auth.revocations import client_key, secret_key, session_key
from basejump_common.bus import Context, Event
from basejump_common.contracts.account import ClientStateChanged
from basejump_common.contracts.common import ByClient
from basejump_common.contracts.erasing import Erased
from basejump_common.storage.database import Database, Transaction
from basejump_common.storage.erasure import erase_rows


class Clients:
    """That no new token is signed is decided where account is asked; here the tokens that exist end."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def suspended(self, tx: Transaction, event: Event[ClientStateChanged]) -> None:
        """Every token from before ends. Secrets and sessions stay for when the client is resumed."""
        await revocation_rows.add(tx, [client_key(event.client_uuid)])

    async def erase(self, _context: Context, request: ByClient) -> Erased:
        """Secrets and sessions, and the tokens that came from them."""
        async with self._database.tenant(request.client_uuid) as tx:
            names = [secret_key(secret) for secret in await secret_rows.all_alive(tx)]
            names += [session_key(session) for session in await session_rows.all_alive(tx)]
            await revocation_rows.add(tx, names)
            return Erased(count=await erase_rows(tx, request.client_uuid))
