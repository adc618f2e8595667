"""Connections to customers' databases, kept open for a while so that the next question needn't log in again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from basejump_common.errors import Unavailable
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


class CustomerPools:
    """At most `per_login` connections of a login at once in this process; one that idles for a minute is closed."""

    def __init__(self, connect: Connect, per_login: int) -> None:
        self._connect = connect
        self._per_login = per_login
        self._pools: dict[UUID, _Pool] = {}

    @asynccontextmanager
    async def borrow(self, conn_uuid: UUID, target: Target) -> AsyncIterator[Session]:
        """A session as if it had just logged in; one that was left in the middle of something is closed after.

        Raises Unavailable when all are busy, and what connecting raises.
        """
        pool = self._pool(conn_uuid, target)
        await _take_place(pool)
        pool.out += 1
        try:
            session = await self._idle_or_new(pool)
            try:
                yield session
                is_fit = await session.reset()
            except BaseException:
                # Whatever it was doing is canceled, so that nothing goes on in the customer's database.
                await session.close()
                raise
            await self._give_back(conn_uuid, pool, session, is_fit=is_fit)
        finally:
            pool.out -= 1
            pool.places.release()

    async def sweep(self) -> None:
        """Close what idles, until canceled; then everything."""
        try:
            while True:
                await asyncio.sleep(_SWEEP_SECONDS)
                await self._close_idle(before=_now() - IDLE_SECONDS)
        finally:
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

    async def _idle_or_new(self, pool: _Pool) -> Session:
        while pool.idle:
            session, _ = pool.idle.pop()
            if session.is_open:
                return session
        return await self._connect(pool.target)

    async def _give_back(self, conn_uuid: UUID, pool: _Pool, session: Session, *, is_fit: bool) -> None:
        # The login may have been changed or removed while it was out.
        is_current = self._pools.get(conn_uuid) is pool
        if not is_current or not is_fit:
            await session.close()
        else:
            pool.idle.append((session, _now()))

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


def _now() -> float:
    return asyncio.get_running_loop().time()
