"""Stopping prompts: the final message first, then the worker, then the statement in the database."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from basejump_chat_agent.adapters import prompt_rows
from basejump_chat_agent.adapters.chat_stream import ChatStream
from basejump_chat_agent.domain import messages
from basejump_chat_agent.domain.failures import canceled
from basejump_chat_agent.domain.prompt import Prompt
from basejump_chat_agent.endings import announce_later, settle
from basejump_common.bus import Bus, Context
from basejump_common.contracts.connection import STOP_RUN, StopRun
from basejump_common.errors import BasejumpError
from basejump_common.storage import jobs
from basejump_common.storage.database import Transaction

log = logging.getLogger(__name__)


class Stopping:
    """In two halves, around the commit."""

    def __init__(self, bus: Bus, stream: ChatStream) -> None:
        self._bus = bus
        self._stream = stream

    async def stop(self, tx: Transaction, chat_uuid: UUID, context: Context) -> list[Prompt]:
        """End every open prompt of the chat, with its job; what was stopped. The caller holds the chat's lock."""
        stopped = []
        for prompt in await prompt_rows.unanswered(tx, chat_uuid):
            # The job before the prompt, the order in which its worker locks them.
            await jobs.cancel(tx, prompt.prompt_uuid)
            final = messages.failure(prompt, canceled(), datetime.now(UTC))
            if await settle(tx, prompt, final, context):
                await announce_later(tx, prompt, final)
                stopped.append(msgspec.structs.replace(prompt, message=final))
        return stopped

    async def tell(self, stopped: Sequence[Prompt], context: Context) -> None:
        """After the commit: tell who listens, and cancel the statements."""
        told = (self._stream.say(prompt.client_uuid, prompt.message) for prompt in stopped)
        canceled_runs = (self._cancel_run(prompt, context) for prompt in stopped)
        await asyncio.gather(*told, *canceled_runs)

    async def _cancel_run(self, prompt: Prompt, context: Context) -> None:
        try:
            await self._bus.call(STOP_RUN, StopRun(run_uuid=prompt.run_uuid), context)
        except BasejumpError as error:
            # The prompt has ended all the same; the statement ends at its own timeout.
            log.warning("the statement of prompt %s may still run: %s", prompt.prompt_uuid, error.message)
