"""Outbox and inbox: an event leaves if and only if its cause was committed, in order, and acts once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from basejump_common.storage import inbox, outbox
from basejump_common.storage.database import Database
from basejump_common.storage.outbox import OutboxMessage, Relay

EVENTS = [OutboxMessage(id=uuid4(), subject=f"event.{number}", payload=b"%d" % number) for number in range(25)]


class Broker:
    """Takes what it is given, unless it is away or loses its answer."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.away = False
        self.fails_at: int | None = None

    async def publish(self, subject: str, _event_id: UUID, _payload: bytes) -> None:
        await asyncio.sleep(0)
        if self.away or len(self.taken) == self.fails_at:
            raise ConnectionError("no broker")
        self.taken.append(subject)


@asynccontextmanager
async def relaying(database: Database, *brokers: Broker) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(Relay(database, broker.publish).run()) for broker in brokers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def add(database: Database, *messages: OutboxMessage) -> None:
    async with database.platform() as tx:
        for message in messages:
            await outbox.add(tx, message)


async def until_taken(number: int, *brokers: Broker) -> list[str]:
    async with asyncio.timeout(5):
        while True:
            taken = [subject for broker in brokers for subject in broker.taken]
            if len(taken) >= number:
                return taken
            await asyncio.sleep(0.01)


def subjects(messages: list[OutboxMessage]) -> list[str]:
    return [message.subject for message in messages]


async def test_an_event_leaves_right_after_its_commit(notes: Database) -> None:
    broker = Broker()
    async with relaying(notes, broker):
        await asyncio.sleep(0.1)
        before = asyncio.get_running_loop().time()
        await add(notes, *EVENTS)
        assert await until_taken(len(EVENTS), broker) == subjects(EVENTS)
        assert asyncio.get_running_loop().time() - before < outbox.POLL_SECONDS / 2


async def test_an_event_whose_cause_is_rolled_back_never_leaves(notes: Database) -> None:
    with pytest.raises(LookupError):
        async with notes.platform() as tx:
            await outbox.add(tx, EVENTS[0])
            raise LookupError
    assert await Relay(notes, Broker().publish).publish_batch() == 0


async def test_nothing_is_lost_and_the_order_is_kept_while_the_broker_is_away(notes: Database) -> None:
    broker = Broker()
    broker.away = True
    async with relaying(notes, broker):
        await add(notes, *EVENTS[:10])
        await asyncio.sleep(0.1)
        await add(notes, *EVENTS[10:])
        assert broker.taken == []
        broker.away = False
        assert await until_taken(len(EVENTS), broker) == subjects(EVENTS)


async def test_what_the_broker_took_before_it_failed_is_not_sent_again(notes: Database) -> None:
    broker = Broker()
    broker.fails_at = 7
    relay = Relay(notes, broker.publish)
    await add(notes, *EVENTS)
    assert await relay.publish_batch() == 7
    broker.fails_at = None
    assert await relay.publish_batch() == len(EVENTS) - 7
    assert broker.taken == subjects(EVENTS)


async def test_a_broker_that_never_answers_is_given_up(notes: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "PUBLISH_SECONDS", 0.05)

    async def hang(subject: str, event_id: UUID, payload: bytes) -> None:
        await asyncio.sleep(60)

    await add(notes, *EVENTS)
    assert await Relay(notes, hang).publish_batch() == 0


async def test_relays_of_several_replicas_send_each_event_once(notes: Database) -> None:
    brokers = [Broker() for _ in range(3)]
    messages = [OutboxMessage(id=uuid4(), subject=str(number), payload=b"") for number in range(250)]
    async with relaying(notes, *brokers):
        for start in range(0, 250, 50):
            await add(notes, *messages[start : start + 50])
        taken = await until_taken(250, *brokers)
        await asyncio.sleep(0.1)
    assert sorted(taken) == sorted(subjects(messages))
    assert all(broker.taken == sorted(broker.taken, key=int) for broker in brokers)


async def test_an_event_that_no_broker_would_take_is_refused_before_it_blocks_the_rest(notes: Database) -> None:
    with pytest.raises(ValueError, match="524289 bytes"):
        await add(notes, OutboxMessage(id=uuid4(), subject="large", payload=bytes(outbox.MAX_BYTES + 1)))


async def test_published_events_can_be_sent_again_and_are_forgotten_in_time(notes: Database) -> None:
    broker = Broker()
    relay = Relay(notes, broker.publish)
    await add(notes, *EVENTS[:3])
    await relay.publish_batch()
    async with notes.platform() as tx:
        assert await outbox.replay(tx, datetime.now(UTC) - timedelta(minutes=1)) == 3
    await relay.publish_batch()
    assert broker.taken == subjects(EVENTS[:3]) * 2
    async with notes.platform() as tx:
        assert await outbox.forget_published(tx, timedelta(days=1)) == 0
        assert await outbox.forget_published(tx, timedelta(seconds=-1)) == 3


async def test_an_event_is_new_to_each_consumer_once(notes: Database) -> None:
    async with notes.platform() as tx:
        assert await inbox.first_time(tx, EVENTS[0].id, "mailer")
        assert not await inbox.first_time(tx, str(EVENTS[0].id), "mailer")
        assert await inbox.first_time(tx, EVENTS[0].id, "index")
        assert await inbox.first_time(tx, "an id of somebody else's making", "mailer")


async def test_an_event_whose_act_is_undone_is_new_again(notes: Database) -> None:
    with pytest.raises(LookupError):
        async with notes.platform() as tx:
            assert await inbox.first_time(tx, EVENTS[0].id, "mailer")
            raise LookupError
    async with notes.platform() as tx:
        assert await inbox.first_time(tx, EVENTS[0].id, "mailer")


async def test_an_event_delivered_to_many_at_once_acts_once(notes: Database) -> None:
    async def act() -> bool:
        async with notes.platform() as tx:
            first = await inbox.first_time(tx, EVENTS[0].id, "mailer")
            await asyncio.sleep(0.01)
            return first

    assert sum(await asyncio.gather(*[act() for _ in range(6)])) == 1


async def test_old_notes_of_events_are_forgotten(notes: Database) -> None:
    async with notes.platform() as tx:
        await inbox.first_time(tx, EVENTS[0].id, "mailer")
        assert await inbox.forget(tx, timedelta(days=1)) == 0
        assert await inbox.forget(tx, timedelta(seconds=-1)) == 1
