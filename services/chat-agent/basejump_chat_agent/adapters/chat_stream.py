"""What a prompt says, on the stream CHAT; the gateway's live subscriptions see it from there."""

import asyncio
import logging
from uuid import UUID

from basejump_chat_agent.domain.messages import message_id
from basejump_common.bus import Bus
from basejump_common.bus.topology import CHAT_STREAM
from basejump_common.contracts import wire
from basejump_common.contracts.chat import Message, stream_subject
from basejump_common.errors import Unavailable

log = logging.getLogger(__name__)
RETRY_SECONDS = 0.5


class ChatStream:
    """The publishing side. A message published again within ten minutes is kept once."""

    def __init__(self, bus: Bus, patience: float) -> None:
        self._bus = bus
        self._patience = patience

    async def say(self, client_uuid: UUID, message: Message) -> None:
        """Publish what may be missed, before whatever is said later: nobody waits for the stream's word."""
        try:
            await self._bus.publish(*_kept(client_uuid, message))
        except Unavailable as error:
            log.warning("a %s message was not published: %s", message.msg_type, error.message)

    async def say_surely(self, client_uuid: UUID, message: Message) -> None:
        """Publish a final message, however often it takes within the patience. Raises Unavailable."""
        give_up = _now() + self._patience
        while True:
            try:
                return await self._bus.publish_durably(*_kept(client_uuid, message))
            except Unavailable:
                if _now() >= give_up:
                    raise
            await asyncio.sleep(RETRY_SECONDS)

    async def forget(self, client_uuid: UUID) -> int:
        """Purge all that was said to a client; how many messages. Raises Unavailable."""
        return await self._bus.purge(CHAT_STREAM, stream_subject(client_uuid, "*", "*"))


def _kept(client_uuid: UUID, message: Message) -> tuple[str, str, bytes]:
    """The subject on which the stream keeps it, the id under which it keeps it once, and its bytes."""
    assert message.prompt_uuid is not None, "only what belongs to a prompt is streamed"
    subject = stream_subject(client_uuid, message.chat_uuid, message.prompt_uuid)
    return subject, message_id(message), wire.encode(message)


def _now() -> float:
    return asyncio.get_running_loop().time()
