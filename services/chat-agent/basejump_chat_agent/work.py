"""One attempt at a prompt: what is known, and which steps are finished."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar

import msgspec

from basejump_chat_agent.adapters import prompt_rows
from basejump_chat_agent.domain.meter import Meter
from basejump_chat_agent.domain.prompt import AnswerPrompt, Asker, Prompt
from basejump_common.contracts.chat import Usage
from basejump_common.storage.database import Database, Transaction
from basejump_common.storage.jobs import Job

T = TypeVar("T", bound=msgspec.Struct)
Also: TypeAlias = Callable[[Transaction, T], Awaitable[None]]


class Work:
    """`step` runs each step once over all attempts, and only while the job is ours."""

    def __init__(self, database: Database, job: Job[AnswerPrompt], prompt: Prompt, finished: dict[str, Any]) -> None:
        self._database = database
        self._finished = finished
        self.job = job
        self.prompt = prompt
        self.meter = Meter()

    @classmethod
    async def begin(cls, database: Database, job: Job[AnswerPrompt]) -> "Work | None":
        """None when the prompt's chat was deleted."""
        async with database.tenant(job.client_uuid) as tx:
            prompt = await prompt_rows.find(tx, job.payload.prompt_uuid)
            finished = await prompt_rows.steps(tx, job.payload.prompt_uuid)
        return None if prompt is None else cls(database, job, prompt, finished)

    @property
    def asker(self) -> Asker:
        """As whom the work is done."""
        return self.job.payload.asker

    async def step(self, name: str, kind: Any, perform: Callable[[], Awaitable[T]], also: Also[T] | None = None) -> T:
        """The outcome of the step, of type `kind`; performed now unless an earlier attempt did. Raises LeaseLost.

        What `also` writes is one commit with the outcome.
        """
        if name in self._finished:
            earlier: T = msgspec.convert(self._finished[name], kind)
            return earlier
        outcome = await perform()
        async with self._database.tenant(self.job.client_uuid) as tx:
            await self.job.fence(tx)
            await prompt_rows.keep_step(tx, self.prompt, name, outcome)
            if also is not None:
                await also(tx, outcome)
        return outcome

    def seconds(self) -> float:
        """Since the question was asked."""
        return round((datetime.now(UTC) - self.prompt.asked_at).total_seconds(), 3)

    def usage(self) -> Usage:
        """What the answer took so far."""
        return self.meter.usage(self.seconds())
