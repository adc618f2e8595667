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
from basejump_chat_agent.endings import announce_later, settle
from basejump_common.bus import Bus, Context
from basejump_common.contracts.chat import Message
from basejump_common.contracts.connection import STOP_RUN, StopRun
from basejump_common.errors import BasejumpError
from basejump_common.storage import jobs
from basejump_common.storage.database import Transaction

log = logging.getLogger(__name__)


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt that was stopped: what it says in the end, and the statements that are to be canceled."""

    client_uuid: UUID
    final: Message
    run_uuids: tuple[UUID, ...]


class Stopping:
    """In two halves, around the commit."""

    def __init__(self, bus: Bus, stream: ChatStream) -> None:
        self._bus = bus
        self._stream = stream

    async def stop(self, tx: Transaction, chat_uuid: UUID, context: Context) -> list[Stopped]:
        """End every open prompt of the chat, with its job; what was stopped. The caller holds the chat's lock."""
        stopped = []
        for prompt in await prompt_rows.unanswered(tx, chat_uuid):
            # The job before the prompt, the order in which its worker locks them; from here on it begins no statement.
            await jobs.cancel(tx, prompt.prompt_uuid)
            run_uuids = await prompt_rows.running(tx, prompt.prompt_uuid)
            final = messages.failure(prompt, canceled(), datetime.now(UTC))
            stored = await settle(tx, prompt, final, context)
            if stored is not None:
                await announce_later(tx, prompt, stored)
                stopped.append(Stopped(client_uuid=prompt.client_uuid, final=stored, run_uuids=tuple(run_uuids)))
        return stopped

    async def tell(self, stopped: Sequence[Stopped], context: Context) -> None:
        """After the commit: tell who listens, and cancel the statements."""
        told = (self._stream.say(one.client_uuid, one.final) for one in stopped)
        canceled_runs = (self._cancel_run(run_uuid, context) for one in stopped for run_uuid in one.run_uuids)
        await asyncio.gather(*told, *canceled_runs)

    async def _cancel_run(self, run_uuid: UUID, context: Context) -> None:
        try:
            await self._bus.call(STOP_RUN, StopRun(run_uuid=run_uuid), context)
        except BasejumpError as error:
            # The prompt has ended all the same; the statement ends at its own timeout.
            log.warning("the statement of run %s may still run: %s", run_uuid, error.message)
