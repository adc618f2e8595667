"""Erasing a client: its rows, and what its prompts said on the stream."""

from basejump_chat_agent.adapters.chat_stream import ChatStream
from basejump_common.bus import Context
from basejump_common.contracts.common import ByClient
from basejump_common.contracts.erasing import Erased
from basejump_common.storage.database import Database
from basejump_common.storage.erasure import erase_rows


class Erasing:
    """What is at work loses its lease with its row, and writes nothing more."""

    def __init__(self, database: Database, stream: ChatStream) -> None:
        self._database = database
        self._stream = stream

    async def erase(self, _context: Context, request: ByClient) -> Erased:
        """Raises Unavailable."""
        async with self._database.tenant(request.client_uuid) as tx:
            rows = await erase_rows(tx, request.client_uuid)
        return Erased(count=rows + await self._stream.forget(request.client_uuid))
