"""Calls with an Idempotency-Key: carried out once, answered the same for a day (docs/adr/0006).

    body = await idempotency.once(call, act)

`act` runs inside one transaction together with the note of its answer: every door of the database that it opens is a
part of that transaction. So effect and answer are committed together or not at all, whoever dies when. A duplicate
waits: for the row in PostgreSQL when another replica is at work, in memory when it is this one.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import msgspec

from basejump_common.errors import BasejumpError, Conflict, ErrorBody, InvalidInput, from_body
from basejump_common.security.envelope import Envelope, EnvelopeError
from basejump_common.security.principal import Principal
from basejump_common.storage.database import Database, Transaction

REMEMBERED = timedelta(days=1)
SECRET_SHOWN = timedelta(minutes=10)
MOST_BYTES = 262_144
"""Larger answers are not kept: a repetition is still refused, it just can't be told the answer."""

NO_CLIENT = UUID(int=0)  # the operator's own calls

_CLAIM = """
    insert into idempotency (call, client_uuid) values ($1, $2)
    on conflict (call) do update set request = null, answer = null, answer_until = null, about = null,
        created_at = now()
    where idempotency.created_at < now() - $3::interval
"""
_KEEP = """
    update idempotency set request = $2, answer = $3, answer_until = now() + $4::interval, about = $5 where call = $1
"""
_FIND = "select request, case when answer_until > now() then answer end as answer from idempotency where call = $1"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call of `operation` (its name) with `request` (its bytes). `shows_secret`: its answer is kept shorter."""

    caller: Principal
    operation: str
    key: str
    request: bytes
    shows_secret: bool = False

    @property
    def name(self) -> bytes:
        """Which call it is: the caller's credential, the operation and the key, hashed."""
        return hashlib.sha256(f"{self.caller.credential_name}\n{self.operation}\n{self.key}".encode()).digest()


class _Answer(msgspec.Struct, frozen=True):
    body: bytes | None = None
    error: ErrorBody | None = None

    def give(self) -> bytes:
        if self.error is not None:
            raise from_body(self.error)
        return self.body or b""


class _OfClient(msgspec.Struct, frozen=True):
    client_uuid: UUID | None = None


class Idempotency:
    """`at_once`: how many such calls are under way in this process; each holds a connection for as long as it takes."""

    def __init__(self, database: Database, envelope: Envelope, at_once: int) -> None:
        self._database = database
        self._envelope = envelope
        self._places = asyncio.Semaphore(at_once)
        self._lanes: dict[bytes, tuple[asyncio.Lock, int]] = {}

    async def once(self, call: Call, act: Callable[[], Awaitable[bytes]], seconds: float) -> bytes:
        """What `act` answers, or answered when the same call came before; `seconds` is how long it may take.

        Raises what `act` raises or raised; InvalidInput when the key came with another request; Conflict when the
        answer is no longer kept. An error that may be otherwise next time is not remembered.
        """
        async with self._lane(call.name), self._places, self._database.whole(seconds) as tx:
            if not await tx.execute(_CLAIM, call.name, call.caller.client_uuid or NO_CLIENT, REMEMBERED):
                answer = await self._earlier(tx, call)
            else:
                answer = await _carried_out(tx, act)
                await self._keep(tx, call, answer)
        return answer.give()

    async def _keep(self, tx: Transaction, call: Call, answer: _Answer) -> None:
        text = msgspec.msgpack.encode(answer)
        kept = self._envelope.encrypt(text, context=_bound(call, "answer")) if len(text) <= MOST_BYTES else None
        request = self._envelope.encrypt(_digest(call), context=_bound(call, "request"))
        seconds = SECRET_SHOWN if call.shows_secret else REMEMBERED
        about = _about(answer) if call.caller.client_uuid is None else None
        await tx.execute(_KEEP, call.name, request, kept, seconds, about)

    async def _earlier(self, tx: Transaction, call: Call) -> _Answer:
        row = await tx.fetchrow(_FIND, call.name)
        assert row is not None, "it was there a moment ago, and only the clean-up of old ones deletes"
        try:
            if self._envelope.decrypt(row["request"], context=_bound(call, "request")) != _digest(call):
                raise InvalidInput.field("Idempotency-Key", "was used with another request")
            if row["answer"] is not None:
                text = self._envelope.decrypt(row["answer"], context=_bound(call, "answer"))
                return msgspec.msgpack.decode(text, type=_Answer)
        except EnvelopeError as error:
            raise _no_longer() from error
        raise _no_longer()

    @asynccontextmanager
    async def _lane(self, name: bytes) -> AsyncIterator[None]:
        """One of the calls of a name at a time in this process: those that wait hold no connection."""
        lock, waiting = self._lanes.get(name, (asyncio.Lock(), 0))
        self._lanes[name] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._lanes.pop(name)
            if waiting > 1:
                self._lanes[name] = (lock, waiting - 1)


async def _carried_out(tx: Transaction, act: Callable[[], Awaitable[bytes]]) -> _Answer:
    try:
        async with tx.savepoint():
            return _Answer(body=await act())
    except BasejumpError as error:
        if error.passing:
            raise
        return _Answer(error=error.body())


async def forget(tx: Transaction) -> int:
    """Delete what is a day old, and answers that may no longer be shown; how many."""
    count = await tx.execute("update idempotency set answer = null where answer is not null and answer_until <= now()")
    return count + await tx.execute("delete from idempotency where created_at < now() - $1::interval", REMEMBERED)


async def forget_client(tx: Transaction, client_uuid: UUID) -> int:
    """Delete the answers to the operator that are about the client; their keys stay bound. How many."""
    return await tx.execute("update idempotency set answer = null, about = null where about = $1", client_uuid)


def _about(answer: _Answer) -> UUID | None:
    """The client that an answer to the operator names."""
    return msgspec.json.decode(answer.body, type=_OfClient).client_uuid if answer.body else None


def _digest(call: Call) -> bytes:
    return hashlib.sha256(call.request).digest()


def _bound(call: Call, what: str) -> tuple[str, ...]:
    return ("idempotency", call.name.hex(), what)


def _no_longer() -> Conflict:
    return Conflict("this Idempotency-Key was used, and its answer is no longer kept: look at what there is")
