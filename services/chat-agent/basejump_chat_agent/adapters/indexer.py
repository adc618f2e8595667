"""connection-indexer, asked in the name of the person who asked the question.

Before each call auth gives a five-minute token, and refuses it once the session, secret or user is revoked. While one
of the two services is away the call is tried again with back-off; what comes to nothing raises CannotGoOn.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

import msgspec

from basejump_chat_agent.domain.charts import READ_ROWS, Reading
from basejump_chat_agent.domain.failures import CannotGoOn
from basejump_chat_agent.domain.prompt import Asker
from basejump_common.bus import Bus, Context
from basejump_common.bus.remembered import Remembered
from basejump_common.contracts import auth, connection
from basejump_common.contracts.operation import Operation
from basejump_common.errors import BasejumpError, DeadlineExceeded, Unavailable
from basejump_common.security.secret import Secret

In = TypeVar("In", bound=msgspec.Struct)
Out = TypeVar("Out", bound=msgspec.Struct)

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 4.0
TOKEN_SECONDS = 2.0
"""The steps of a question share a token for so long: then auth is asked again whether the asker may still act."""

_MAX_PHRASES = 50
_LONGEST_PHRASE = 200
_MAX_TABLES = 50


class Indexer:
    """The calls of the pipeline. `patience`: seconds for which a service may be away before the prompt ends."""

    def __init__(self, bus: Bus, patience: float) -> None:
        self._bus = bus
        self._patience = patience
        self._tokens: Remembered[auth.Delegate, Secret] = Remembered(seconds=TOKEN_SECONDS)

    async def retrieve(
        self, asker: Asker, team_uuid: UUID, question: str, db_uuid: UUID | None = None
    ) -> connection.Retrieved:
        """The tables that the question is about; with `db_uuid` those of that database."""
        request = connection.Retrieve(team_uuid=team_uuid, question=question, db_uuid=db_uuid)
        return await self._call(asker, connection.RETRIEVE, request)

    async def find_values(self, asker: Asker, request: connection.FindValues) -> tuple[connection.FoundValue, ...]:
        """Which of the phrases are values stored in the tables; what is too much to ask at once is left out."""
        phrases = tuple(phrase for phrase in request.phrases if 0 < len(phrase) <= _LONGEST_PHRASE)[:_MAX_PHRASES]
        tables = request.tbl_uuids[:_MAX_TABLES]
        if not phrases or not tables:
            return ()
        bounded = msgspec.structs.replace(request, phrases=phrases, tbl_uuids=tables)
        return (await self._call(asker, connection.FIND_VALUES, bounded)).data

    async def run(self, asker: Asker, request: connection.Run) -> connection.RunResult:
        """Run the statement, once, however often it is asked for; wait until its deadline if it takes so long."""
        return await self._call(asker, connection.RUN, request, request.deadline)

    async def prove(self, asker: Asker, request: connection.Prove) -> connection.Proved:
        """Whether the statement could run for the asker's team at this moment."""
        return await self._call(asker, connection.PROVE, request)

    async def read(
        self, asker: Asker, team_uuid: UUID, conn_uuid: UUID, run_uuid: UUID, reading: Reading
    ) -> connection.RunRows:
        """Rows of a stored result for a chart."""
        request = connection.ReadRun(
            run_uuid=run_uuid,
            conn_uuid=conn_uuid,
            team_uuid=team_uuid,
            columns=reading.columns,
            pick=reading.pick,
            by=reading.by,
            most=READ_ROWS,
        )
        return await self._call(asker, connection.READ_RUN, request)

    async def held(self, asker: Asker, grants: Sequence[connection.RanUnder]) -> frozenset[connection.RanUnder]:
        """Those under which the asker may read results at this moment."""
        request = connection.CheckGrants(data=tuple(grants))
        return frozenset((await self._call(asker, connection.CHECK_GRANTS, request)).data)

    async def stop(self, asker: Asker, run_uuid: UUID) -> None:
        """Cancel the statement in the customer's database; no harm when it has ended."""
        await self._call(asker, connection.STOP_RUN, connection.StopRun(run_uuid=run_uuid))

    async def _call(self, asker: Asker, operation: Operation[In, Out], request: In, until: float | None = None) -> Out:
        try:
            return await self._patiently(asker, operation, request, until)
        except BasejumpError as error:
            raise CannotGoOn.because_of(error) from error

    async def _patiently(self, asker: Asker, operation: Operation[In, Out], request: In, until: float | None) -> Out:
        """Until then (seconds since the epoch) an answer that doesn't come in time is no failure: it is asked again."""
        give_up, pause = None, FIRST_PAUSE
        while True:
            try:
                return await self._once(asker, operation, request)
            except (Unavailable, DeadlineExceeded) as error:
                if until is not None and isinstance(error, DeadlineExceeded):
                    if time.time() >= until:
                        raise
                    give_up, pause = None, FIRST_PAUSE
                else:
                    give_up = give_up or _now() + self._patience
                    if _now() + pause > give_up:
                        raise
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - no secret
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _once(self, asker: Asker, operation: Operation[In, Out], request: In) -> Out:
        background = background_context(asker, operation.timeout + auth.DELEGATE.timeout)
        delegate = auth.Delegate(
            client_uuid=asker.client_uuid,
            user_uuid=asker.user_uuid,
            session_uuid=asker.session_uuid,
            role=asker.role,
            actor="chat-agent",
        )
        token = await self._tokens.get(delegate, lambda: self._delegated(delegate, background))
        return await self._bus.call(operation, request, msgspec.structs.replace(background, token=token))

    async def _delegated(self, delegate: auth.Delegate, background: Context) -> Secret:
        return (await self._bus.call(auth.DELEGATE, delegate, background)).token


def background_context(asker: Asker, seconds: float = 30.0) -> Context:
    """Work in the background that belongs to the request that began it; without a token."""
    context = Context.new(seconds=seconds)
    return msgspec.structs.replace(context, request_id=asker.request_id, traceparent=asker.traceparent)


def _now() -> float:
    return asyncio.get_running_loop().time()
