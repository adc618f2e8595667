"""Messages: ask, list, read, say what one thinks of an answer."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

import msgspec

from basejump_chat_agent import verifying
from basejump_chat_agent.access import asker_of, reading_scope
from basejump_chat_agent.adapters import awaiting_rows, chat_rows, prompt_rows
from basejump_chat_agent.adapters.chat_stream import ChatStream
from basejump_chat_agent.answerers import Answerers
from basejump_chat_agent.answering import ANSWER
from basejump_chat_agent.domain.messages import for_reader, initial, waiting, withheld
from basejump_chat_agent.domain.picking import picked
from basejump_chat_agent.domain.prompt import AnswerPrompt, Asker, Prompt
from basejump_chat_agent.results import Results
from basejump_chat_agent.webhooks import Webhooks
from basejump_common.bus import Context, publish
from basejump_common.contracts.chat import (
    MESSAGE_JUDGED,
    Ask,
    AwaitingPage,
    ByMessage,
    Chat,
    ChatMessagesRequest,
    JudgeMessage,
    Message,
    MessageJudged,
    MessagePage,
)
from basejump_common.contracts.common import PageRequest
from basejump_common.errors import Conflict, NotFound
from basejump_common.storage import jobs, pages
from basejump_common.storage.database import Database, Transaction
from basejump_common.storage.job_rows import NewJob
from basejump_common.storage.job_worker import JobWorker


class Messages:
    """Asking stores the question and its job, and answers at once; the work is done by this replica's `worker`, or,
    where the question has to wait for its turn, by whichever is free.

    More questions of a client than the worker's `per_client` wait, and are told so.
    """

    def __init__(
        self,
        database: Database,
        answerers: Answerers,
        webhooks: Webhooks,
        stream: ChatStream,
        worker: JobWorker,
        results: Results,
    ) -> None:
        self._database = database
        self._answerers = answerers
        self._webhooks = webhooks
        self._stream = stream
        self._worker = worker
        self._results = results

    async def ask(self, context: Context, request: Ask) -> Message:
        """The `initial` message; asked again, what the prompt has come to. Raises NotFound, Conflict, InvalidInput."""
        asker = asker_of(context)
        webhook = self._webhooks.wanted(request)
        if request.llm is not None:
            await self._answerers.check(request.llm, context)
        most = self._worker.per_client
        at_once = min(most, await self._answerers.at_once(context) or most)
        async with self._database.tenant(asker.client_uuid) as tx:
            chat = await chat_rows.asked(tx, request.chat_uuid, asker.user_uuid, request.prompt)
            await _check_parent(tx, request)
            request = _as_reply(request, chat.asked_back)
            prompt = _accept(request, chat, asker)
            if not await prompt_rows.insert(tx, prompt):
                return await _asked_before(tx, prompt)
            if webhook is not None:
                await self._webhooks.order(tx, prompt, webhook)
            begun = await self._worker.enqueue(tx, _job(prompt, asker, at_once))
            before = 0 if begun else await jobs.unfinished(tx, ANSWER, asker.client_uuid) - 1
        if before >= at_once:
            await self._stream.say(asker.client_uuid, waiting(prompt, at_once, before, datetime.now(UTC)))
        return prompt.message

    async def list(self, context: Context, request: ChatMessagesRequest) -> MessagePage:
        """Newest question first. Raises NotFound and Unavailable."""
        caller = context.caller
        after = pages.position(request.cursor, newest_first=True)
        async with self._database.tenant(caller.tenant) as tx:
            await chat_rows.get(tx, request.chat_uuid, reading_scope(caller))
            count = pages.rows_to_ask(request.limit)
            rows = await prompt_rows.newest_messages(tx, request.chat_uuid, after, count)
        stored, next_cursor = pages.page(rows, request.limit, lambda row: (row.asked_at, row.msg_uuid))
        return MessagePage(data=await self._as_read(context, [row.message for row in stored]), next_cursor=next_cursor)

    async def get(self, context: Context, request: ByMessage) -> Message:
        """Raises NotFound and Unavailable."""
        async with self._database.tenant(context.caller.tenant) as tx:
            message = await prompt_rows.message(tx, request.msg_uuid, reading_scope(context.caller))
        if message is None:
            raise NotFound("no such message")
        return (await self._as_read(context, [message]))[0]

    async def awaiting(self, context: Context, request: PageRequest) -> AwaitingPage:
        """What members of a STRICT client asked in vain, newest first."""
        after = pages.position(request.cursor, newest_first=True)
        async with self._database.tenant(context.caller.tenant) as tx:
            rows = await awaiting_rows.newest(tx, after, pages.rows_to_ask(request.limit))
        data, next_cursor = pages.page(rows, request.limit, lambda row: (row.asked_at, row.msg_uuid))
        return AwaitingPage(data=tuple(data), next_cursor=next_cursor)

    async def judge(self, context: Context, request: JudgeMessage) -> Message:
        """The message with what is thought of it; a thumbs-up verifies its result. Raises NotFound, and Conflict before
        it is answered."""
        caller = context.caller
        async with self._database.tenant(caller.tenant) as tx:
            prompt = await prompt_rows.answered(tx, request.parent_msg_uuid, reading_scope(caller))
            if prompt is None:
                raise NotFound("no such message")
            if not prompt.answered:
                raise Conflict("this question is not answered yet")
            if request.thumbs_up and prompt.message.result_uuid is not None:
                await verifying.verify_if_there(tx, context, prompt.message.result_uuid)
            message = await prompt_rows.judge(tx, request, caller.user)
            judged = MessageJudged(
                chat_uuid=prompt.chat_uuid,
                prompt_uuid=prompt.prompt_uuid,
                msg_uuid=prompt.msg_uuid,
                user_uuid=caller.user,
                thumbs_up=request.thumbs_up,
            )
            await publish(tx, MESSAGE_JUDGED, caller.tenant, prompt.msg_uuid, judged, context)
        return (await self._as_read(context, [message]))[0]

    async def _as_read(self, context: Context, messages: Sequence[Message]) -> tuple[Message, ...]:
        """As the caller reads them: what an answer says of its result goes with the result. Raises Unavailable."""
        answers = {message.result_uuid for message in messages if message.result_uuid is not None}
        readable = await self._results.readable_of(context, tuple(answers)) if answers else {}
        seen = (message if message.result_uuid in (None, *readable) else withheld(message) for message in messages)
        return tuple(for_reader(message, context.caller.role) for message in seen)


def _accept(request: Ask, chat: Chat, asker: Asker) -> Prompt:
    prompt_uuid, msg_uuid, now = request.prompt_uuid or uuid4(), uuid4(), datetime.now(UTC)
    return Prompt(
        prompt_uuid=prompt_uuid,
        client_uuid=asker.client_uuid,
        chat_uuid=chat.chat_uuid,
        team_uuid=chat.team_uuid,
        user_uuid=asker.user_uuid,
        msg_uuid=msg_uuid,
        parent_msg_uuid=request.parent_msg_uuid,
        question=request.prompt,
        run_uuid=uuid4(),
        return_sql_in_thoughts=request.return_sql_in_thoughts,
        return_visual_json=request.return_visual_json,
        llm=request.llm,
        asked_at=now,
        message=initial(request, prompt_uuid, msg_uuid, now),
    )


def _job(prompt: Prompt, asker: Asker, at_once: int) -> NewJob:
    work = AnswerPrompt(prompt_uuid=prompt.prompt_uuid, asker=asker)
    return NewJob(
        job_uuid=prompt.prompt_uuid, client_uuid=asker.client_uuid, kind=ANSWER, payload=work, at_once=at_once
    )


def _as_reply(request: Ask, asked_back: Message | None) -> Ask:
    """A message that picks an option of the clarification right before it answers that, whether it says so or not."""
    clarification = None if asked_back is None else asked_back.clarification
    if request.parent_msg_uuid is not None or asked_back is None or clarification is None:
        return request
    if picked(request.prompt, clarification.options) is None:
        return request
    return msgspec.structs.replace(request, parent_msg_uuid=asked_back.msg_uuid)


async def _check_parent(tx: Transaction, request: Ask) -> None:
    parent = request.parent_msg_uuid
    if parent is not None and await prompt_rows.find_by_message(tx, request.chat_uuid, parent) is None:
        raise NotFound("parent_msg_uuid: no such message in this chat")


async def _asked_before(tx: Transaction, prompt: Prompt) -> Message:
    stored = await prompt_rows.find(tx, prompt.prompt_uuid)
    if stored is None or (stored.chat_uuid, stored.question) != (prompt.chat_uuid, prompt.question):
        raise Conflict("this prompt_uuid belongs to another question")
    return stored.message
