"""Connections to customers' databases, kept open for a while so that the next question needn't log in again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from basejump_common.errors import Unavailable
from basejump_connection_indexer.adapters.waited import Waited
from basejump_connection_indexer.domain.session import Connect, Session
from basejump_connection_indexer.domain.target import Target

WAIT_SECONDS = 10.0
IDLE_SECONDS = 60.0
_SWEEP_SECONDS = 15.0


@dataclass
class _Pool:
    target: Target
    places: asyncio.Semaphore
    out: int = 0
    idle: list[tuple[Session, float]] = field(default_factory=list)
    coming: set[asyncio.Task[None]] = field(default_factory=set)


class CustomerPools:
    """At most `per_login` connections of a login at once in this process; one that idles for a minute is closed.

    Who borrowed a session doesn't wait until it is as it was; whoever comes next does.
    """

    def __init__(self, connect: Connect, per_login: int) -> None:
        self._connect = connect
        self._per_login = per_login
        self._pools: dict[UUID, _Pool] = {}

    @asynccontextmanager
    async def borrow(self, conn_uuid: UUID, target: Target, waited: Waited | None = None) -> AsyncIterator[Session]:
        """A session as if it had just logged in; one that was left in the middle of something is closed after.

        Raises Unavailable when all are busy, and what connecting raises.
        """
        pool = self._pool(conn_uuid, target)
        await _take_place(pool)
        pool.out += 1
        try:
            session = await self._idle_or_new(pool, waited or Waited())
            try:
                yield session
            except BaseException:
                # Whatever it was doing is canceled, so that nothing goes on in the customer's database.
                await session.close()
                raise
        except BaseException:
            # However it ended, a cancellation too: a place that is never left would be missing for good.
            _leave_place(pool)
            raise
        coming = asyncio.create_task(self._give_back(conn_uuid, pool, session))
        pool.coming.add(coming)
        coming.add_done_callback(pool.coming.discard)

    async def sweep(self) -> None:
        """Close what idles, until canceled; then everything."""
        try:
            while True:
                await asyncio.sleep(_SWEEP_SECONDS)
                await self._close_idle(before=_now() - IDLE_SECONDS)
        finally:
            await asyncio.gather(*(coming for pool in self._pools.values() for coming in pool.coming))
            await self._close_idle(before=float("inf"))

    async def forget(self, conn_uuid: UUID) -> None:
        """Close what idles for a login that was removed or changed."""
        pool = self._pools.pop(conn_uuid, None)
        for session, _ in pool.idle if pool else ():
            await session.close()

    def _pool(self, conn_uuid: UUID, target: Target) -> _Pool:
        pool = self._pools.get(conn_uuid)
        if pool is None or pool.target != target:
            stale, pool = pool, _Pool(target, asyncio.Semaphore(self._per_login))
            self._pools[conn_uuid] = pool
            for session, _ in stale.idle if stale else ():
                session.terminate()
        return pool

    async def _idle_or_new(self, pool: _Pool, waited: Waited) -> Session:
        with waited.waiting():
            while pool.idle or pool.coming:
                if not pool.idle:
                    await asyncio.wait(pool.coming, return_when=asyncio.FIRST_COMPLETED)
                    continue
                session, _ = pool.idle.pop()
                if session.is_open:
                    return session
            return await self._connect(pool.target)

    async def _give_back(self, conn_uuid: UUID, pool: _Pool, session: Session) -> None:
        """The session keeps its place until it is fit for the next one, or closed. Never raises."""
        try:
            is_fit = await session.reset()
            # The login may have been changed or removed while it was out.
            is_current = self._pools.get(conn_uuid) is pool
            if not is_current or not is_fit:
                await session.close()
            else:
                pool.idle.append((session, _now()))
        finally:
            _leave_place(pool)

    async def _close_idle(self, before: float) -> None:
        for conn_uuid, pool in list(self._pools.items()):
            old = [entry for entry in pool.idle if entry[1] < before]
            pool.idle = [entry for entry in pool.idle if entry[1] >= before]
            for session, _ in old:
                await session.close()
            if not pool.idle and not pool.out:
                self._pools.pop(conn_uuid, None)


async def _take_place(pool: _Pool) -> None:
    try:
        await asyncio.wait_for(pool.places.acquire(), WAIT_SECONDS)
    except TimeoutError as error:
        raise Unavailable("every connection to the customer's database is busy", retry_after=2) from error


def _leave_place(pool: _Pool) -> None:
    pool.out -= 1
    pool.places.release()


def _now() -> float:
    return asyncio.get_running_loop().time()
