"""Events: CloudEvents 1.0 that leave through the outbox and act once at each consumer.

await publish(tx, account.USER_DELETED, client_uuid, user_uuid, UserGone(user_uuid=user_uuid))     # publisher
on(account.USER_DELETED, sessions.user_deleted)                                                    # consumer
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import msgspec
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import Error as JetStreamError

from basejump_common.bus.connection import Bus
from basejump_common.bus.context import Context
from basejump_common.bus.topology import EVENTS_STREAM
from basejump_common.contracts import wire
from basejump_common.contracts.operation import EventType
from basejump_common.errors import BasejumpError
from basejump_common.storage import inbox, outbox
from basejump_common.storage.database import Database, Transaction
from basejump_common.telemetry import bind_request

log = logging.getLogger("basejump.events")
Data = TypeVar("Data", bound=msgspec.Struct)

FETCH_SECONDS = 5.0
RETRY_SECONDS = 0.5
REDELIVER_SECONDS = 2.0


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """CloudEvents 1.0 in its JSON format; `subject` is the entity, `clientuuid` and `traceparent` are extensions."""

    specversion: str = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: str = "application/json"
    clientuuid: UUID
    traceparent: str = ""
    data: msgspec.Raw


class Event(msgspec.Struct, Generic[Data], frozen=True, kw_only=True):
    """An event as a consumer sees it. `data` is the contract's struct."""

    id: UUID
    time: datetime
    client_uuid: UUID
    data: Data
    context: Context


async def publish(
    tx: Transaction,
    event_type: EventType[Data],
    client_uuid: UUID,
    entity_uuid: UUID,
    data: Data,
    context: Context | None = None,
) -> None:
    """Publish the event once `tx` is committed; nothing leaves when it is rolled back."""
    await outbox.add(tx, as_published(event_type, client_uuid, entity_uuid, data, context))


def as_published(
    event_type: EventType[Data],
    client_uuid: UUID,
    entity_uuid: UUID,
    data: Data,
    context: Context | None = None,
) -> outbox.OutboxMessage:
    """The event as `publish` puts it into the outbox: for those who add several at once."""
    event_uuid = uuid4()
    event = CloudEvent(
        id=str(event_uuid),
        source=f"basejump/{event_type.publisher}",
        type=event_type.name,
        subject=str(entity_uuid),
        time=datetime.now(UTC),
        clientuuid=client_uuid,
        traceparent=context.traceparent if context else "",
        data=msgspec.Raw(wire.encode(data)),
    )
    return outbox.OutboxMessage(
        id=event_uuid, subject=event_type.subject(client_uuid), payload=msgspec.json.encode(event)
    )


def relay(bus: Bus, database: Database) -> outbox.Relay:
    """Publishes the outbox to JetStream; the event's id de-duplicates what is published twice."""

    async def send(subject: str, event_uuid: UUID, payload: bytes) -> None:
        await bus.publish_durably(subject, str(event_uuid), payload)

    return outbox.Relay(database, send)


@dataclass(frozen=True, slots=True)
class Reaction(Generic[Data]):
    """An event type and what a service does about it."""

    event_type: EventType[Data]
    function: Callable[[Transaction, Event[Data]], Awaitable[None]]


def on(event_type: EventType[Data], function: Callable[[Transaction, Event[Data]], Awaitable[None]]) -> Reaction[Data]:
    """`function` runs in a transaction of the event's tenant, together with the note that makes it act once."""
    return Reaction(event_type, function)


class Consumer:
    """Reads a service's events from its durable consumer; every replica takes a share."""

    def __init__(self, bus: Bus, database: Database, service: str, reactions: Sequence[Reaction[Any]]) -> None:
        self._bus = bus
        self._database = database
        self._service = service
        self._reactions = {reaction.event_type.name: reaction for reaction in reactions}
        assert len(self._reactions) == len(reactions), "an event has one reaction in a service: the inbox counts one"

    async def run(self) -> None:
        """React until canceled. With NATS away it tries again; what was not acknowledged comes again."""
        while True:
            try:
                await self._follow()
            except (NatsError, JetStreamError, OSError, TimeoutError) as error:
                log.warning("events can't be read: %s", type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self) -> None:
        subscription = await self._bus.jetstream.pull_subscribe_bind(durable=self._service, stream=EVENTS_STREAM)
        try:
            while True:
                await self._take(subscription)
        finally:
            # In this order: cancelling a fetch first would swallow the next message until its ack wait.
            with contextlib.suppress(NatsError, JetStreamError, OSError, TimeoutError):
                await subscription.unsubscribe()
                await self._bus.settle()

    async def _take(self, subscription: JetStreamContext.PullSubscription) -> None:
        try:
            messages = await subscription.fetch(1, timeout=FETCH_SECONDS)
        except TimeoutError:
            return
        for message in messages:
            await self._react(message)

    async def _react(self, message: Msg) -> None:
        try:
            event = msgspec.json.decode(message.data, type=CloudEvent)
            reaction = self._reactions[event.type]
            data = wire.decode(bytes(event.data), reaction.event_type.data)
        except (msgspec.MsgspecError, KeyError) as error:
            log.error("an event nobody here understands", extra={"subject": message.subject, "error": str(error)})
            await message.term()
            return
        with bind_request(event.id, event.traceparent, event.type):
            if await self._act(reaction, _event(event, data)):
                await message.ack()
            else:
                await message.nak(REDELIVER_SECONDS)

    async def _act(self, reaction: Reaction[Any], event: Event[Any]) -> bool:
        try:
            async with self._database.tenant(event.client_uuid) as tx:
                if await inbox.first_time(tx, event.id, self._service):
                    await reaction.function(tx, event)
        except BasejumpError as error:
            log.warning("the event comes again", extra={"error": error.message})
            return False
        except Exception:
            # One event that can't be handled must not stop those behind it; it comes again and the log says why.
            log.exception("a reaction failed")
            return False
        return True


def _event(event: CloudEvent, data: Any) -> Event[Any]:
    context = Context.new()
    if event.traceparent:
        context = msgspec.structs.replace(context, traceparent=event.traceparent)
    return Event(id=_uuid(event), time=event.time, client_uuid=event.clientuuid, data=data, context=context)


def _uuid(event: CloudEvent) -> UUID:
    """Its id; what others publish has any text for one, unique with its source."""
    try:
        return UUID(event.id)
    except ValueError:
        return uuid5(NAMESPACE_URL, f"{event.source} {event.id}")
