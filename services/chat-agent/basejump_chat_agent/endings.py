"""The end of a prompt: its final message, stored once with its event, then told on the stream."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import msgspec

from basejump_chat_agent.adapters import prompt_rows, usage_rows
from basejump_chat_agent.adapters.chat_stream import ChatStream
from basejump_chat_agent.domain.new_result import NewResult
from basejump_chat_agent.domain.prompt import Prompt
from basejump_chat_agent.forgetting import forget_later
from basejump_chat_agent.webhooks import send_answer
from basejump_common.bus import Context, as_published
from basejump_common.contracts.chat import DELETED, MESSAGE_ANSWERED, Message, MessageAnswered, stream_subject
from basejump_common.contracts.result import RESULT_CREATED, ResultCreated
from basejump_common.storage import jobs, outbox
from basejump_common.storage.database import Transaction

ANNOUNCE = "announce"


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of the job that publishes a final message."""

    message: Message


async def settle(
    tx: Transaction, prompt: Prompt, final: Message, context: Context, result: NewResult | None = None
) -> Message | None:
    """Store the final message, its webhook, and the events of it and of its result; None when the prompt has its final
    message already. Of the statements that were run only the rows of the result stay.

    The message as it is stored is the one to publish: so that it is the same, byte for byte, whoever publishes it.
    """
    settled = await prompt_rows.settle(tx, prompt, final)
    if settled is None:
        return None
    stored = settled.message
    kept = None if result is None else result.ran.run_uuid
    await forget_later(tx, prompt.client_uuid, [run_uuid for run_uuid in settled.run_uuids if run_uuid != kept])
    await usage_rows.ended(tx, prompt, final.usage)
    await outbox.add(tx, *_events(prompt, final, context, result))
    if settled.awaited:
        await send_answer(tx, prompt, stored)
    return stored


def _events(
    prompt: Prompt, final: Message, context: Context, result: NewResult | None
) -> Iterator[outbox.OutboxMessage]:
    answered = MessageAnswered(
        chat_uuid=prompt.chat_uuid,
        prompt_uuid=prompt.prompt_uuid,
        msg_uuid=prompt.msg_uuid,
        msg_type=final.msg_type,
        code=final.code,
    )
    yield as_published(MESSAGE_ANSWERED, prompt.client_uuid, prompt.msg_uuid, answered, context)
    if result is not None:
        created = ResultCreated(result_uuid=result.result_uuid, chat_uuid=prompt.chat_uuid)
        yield as_published(RESULT_CREATED, prompt.client_uuid, created.result_uuid, created, context)


async def announce_later(tx: Transaction, prompt: Prompt, final: Message) -> None:
    """Publish the final message of a prompt whose own job has ended, even if this process dies after the commit."""
    await jobs.enqueue(tx, ANNOUNCE, Announcement(message=final), prompt.client_uuid)


async def announce_deletion(tx: Transaction, client_uuid: UUID, chat_uuid: UUID) -> None:
    """Tell whoever follows the chat that nothing comes any more."""
    subject = stream_subject(client_uuid, chat_uuid, DELETED)
    await outbox.add(tx, outbox.OutboxMessage(id=uuid4(), subject=subject, payload=b"{}"))


class Announcing:
    """Carries out `announce` jobs."""

    def __init__(self, stream: ChatStream) -> None:
        self._stream = stream

    async def announce(self, job: jobs.Job[Announcement]) -> None:
        """Publishing twice is no harm: the stream keeps it once."""
        await self._stream.say_surely(job.client_uuid, job.payload.message)
