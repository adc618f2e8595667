"""One attempt at a prompt: what is known, and which steps are finished."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar

import msgspec

from basejump_chat_agent.adapters import prompt_rows
from basejump_chat_agent.adapters.prompt_rows import PromptAtWork
from basejump_chat_agent.domain.meter import Meter
from basejump_chat_agent.domain.prompt import AnswerPrompt, Asker, Prompt
from basejump_chat_agent.thread import Thread, thread_of
from basejump_common.contracts.chat import Usage
from basejump_common.storage.database import Database, Transaction
from basejump_common.storage.jobs import Job

T = TypeVar("T", bound=msgspec.Struct)
Also: TypeAlias = Callable[[Transaction, T], Awaitable[None]]


class Work:
    """Each step is finished once over all attempts. `keep` keeps it at once, and only while the job is ours; `step`
    with the next that is kept, so that a question takes few commits."""

    def __init__(self, database: Database, job: Job[AnswerPrompt], prompt: PromptAtWork, thread: Thread) -> None:
        self._database = database
        self._finished = prompt.steps
        self._unkept: dict[str, msgspec.Struct] = {}
        self.job = job
        self.prompt: Prompt = prompt
        self.any_verified = prompt.any_verified
        self.thread = thread
        self.meter = Meter()

    @classmethod
    async def begin(cls, database: Database, job: Job[AnswerPrompt]) -> "Work | None":
        """None when the prompt's chat was deleted."""
        async with database.tenant(job.client_uuid) as tx:
            prompt = await prompt_rows.at_work(tx, job.payload.prompt_uuid)
            return None if prompt is None else cls(database, job, prompt, await thread_of(tx, prompt))

    @property
    def asker(self) -> Asker:
        """As whom the work is done."""
        return self.job.payload.asker

    async def step(self, name: str, kind: Any, perform: Callable[[], Awaitable[T]]) -> T:
        """The outcome of the step, of type `kind`; performed now unless an earlier attempt did.

        An attempt that dies before the next `keep` leaves it to be done again: it may only look.
        """
        if name not in self._finished:
            outcome = self._unkept[name] = await perform()
            return outcome
        earlier: T = msgspec.convert(self._finished[name], kind)
        return earlier

    async def keep(self, name: str, kind: Any, perform: Callable[[], Awaitable[T]], also: Also[T] | None = None) -> T:
        """As `step`, and kept when this returns, in one commit with what `also` writes. Raises LeaseLost."""
        if name not in self._finished:
            outcome = await perform()
            async with self.job.writing(self._database) as tx:
                if also is not None:
                    await also(tx, outcome)
                await prompt_rows.keep_steps(tx, self.prompt, {**self._unkept, name: outcome})
            self._unkept.clear()
            return outcome
        earlier: T = msgspec.convert(self._finished[name], kind)
        return earlier

    def note(self, name: str, outcome: msgspec.Struct) -> None:
        """A step that is finished; kept with the next that is."""
        self._unkept[name] = outcome

    def seconds(self) -> float:
        """Since the question was asked."""
        return round((datetime.now(UTC) - self.prompt.asked_at).total_seconds(), 3)

    def usage(self) -> Usage:
        """What the answer took so far."""
        return self.meter.usage(self.seconds())
