"""Bells that ring in every replica of a service. NATS only wakes; what is true is in the rows."""

import contextlib
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from basejump_common.bus.connection import Bus
from basejump_common.contracts.operation import bell_subject
from basejump_common.storage.bells import Bells


@asynccontextmanager
async def shared(bells: Bells, bus: Bus, service: str) -> AsyncIterator[None]:
    """While the block lasts, `bells` ring for what other replicas tell, and tell them in turn."""
    subject = bell_subject(service)

    async def tell(names: Collection[str]) -> None:
        if bus.connected:
            with contextlib.suppress(NatsError, OSError):
                await bus.nats.publish(subject, "\n".join(names).encode())

    async def told(message: Msg) -> None:
        for name in message.data.decode("utf-8", "replace").split("\n"):
            bells.ring(name)

    subscription = await bus.nats.subscribe(subject, cb=told)
    bells.told_by(tell)
    try:
        yield
    finally:
        with contextlib.suppress(NatsError, OSError):
            await subscription.unsubscribe()
