"""Webhooks from a question to a customer's HTTPS server; the specification's own library verifies them."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from standardwebhooks import WebhookVerificationError

from basejump_common.bus import Bus
from basejump_common.contracts import chat, webhook, wire
from basejump_common.contracts.chat import Ask, ByChat, ByMessage, ChatMessagesRequest
from basejump_common.contracts.common import Nothing
from basejump_common.contracts.webhook import (
    ByDelivery,
    ByWebhookSecret,
    CreateWebhookSecret,
    DeliveryState,
    ListDeliveries,
)
from basejump_common.errors import Conflict, Forbidden, InvalidInput, NotFound
from basejump_common.security.principal import Role
from basejump_common.security.secret import Secret
from basejump_common.security.tokens import Signer
from basejump_common.storage.database import Database
from basejump_devstack.child import free_port
from chatting import person
from identity import within
from installation import Installation
from receiver import Receiver, status
from webhooking import Shop

HEADER = "planted-header-Zp4"


@pytest.fixture(scope="module")
async def authority(tmp_path_factory: pytest.TempPathFactory) -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def receiver(tmp_path: Path, authority: trustme.CA) -> AsyncIterator[Receiver]:
    async with Receiver.open(tmp_path, "localhost", "hooks.example", ca=authority) as opened:
        yield opened


@pytest.fixture(scope="module")
def settings(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Questions end at once (no other service runs); a day of attempts takes a second."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return {
        "patience_seconds": "0",
        "webhook_ca_file": str(path),
        "webhook_private_hosts": "true",
        "webhook_plain_http": "false",
        "webhook_retry_seconds": "0.05",
        "webhook_seconds": "1",
        "webhook_give_up_seconds": "1",
    }


@pytest.fixture(scope="module", autouse=True)
def _often() -> Iterator[None]:
    """Workers look for jobs that have become due every second: too long for a day that takes a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("basejump_common.storage.job_worker.POLL_SECONDS", 0.05)
        yield


@pytest.fixture(scope="module")
async def gateway(installation: Installation, signer: Signer, settings: dict[str, str]) -> AsyncIterator[Bus]:
    async with installation.running("chat-agent", **settings), installation.bus("gateway") as bus:
        yield bus


@pytest.fixture(scope="module")
async def database(installation: Installation) -> AsyncIterator[Database]:
    async with installation.storage("chat-agent") as opened:
        yield opened


@pytest.fixture
async def shop(gateway: Bus, database: Database, signer: Signer) -> Shop:
    return await Shop.open(gateway, database, signer)


async def test_an_answer_arrives_signed_and_as_it_is_stored(shop: Shop, receiver: Receiver) -> None:
    initial = await shop.ask(receiver.url, Authorization=HEADER)
    received = await receiver.next()
    message = shop.verified(received)
    assert (message["msg_uuid"], message["msg_type"]) == (str(initial.msg_uuid), "error")  # no other service runs
    by_uuid = wire.encode(ByMessage(msg_uuid=initial.msg_uuid))
    assert received.body == await shop.bus.call_bytes(chat.GET_MESSAGE, by_uuid, shop.member.context)
    assert received.line == "POST /hook/secret-path?key=secret-query HTTP/1.1"
    assert received.headers["host"] == f"localhost:{receiver.port}"
    assert received.headers["content-type"] == "application/json"
    assert received.headers["authorization"] == HEADER
    delivery = await shop.delivery(DeliveryState.DELIVERED)
    assert received.headers["webhook-id"] == str(delivery.delivery_uuid)
    assert (delivery.attempts, delivery.last_status, delivery.last_error) == (1, 200, None)
    assert delivery.origin == f"https://localhost:{receiver.port}"
    assert delivery.delivered_at is not None
    assert delivery.next_attempt_at is None
    await asyncio.sleep(0.3)
    assert len(receiver.requests) == 1


async def test_what_fails_is_tried_again_under_the_same_id_with_growing_pauses(shop: Shop, receiver: Receiver) -> None:
    receiver.answers = [status(500), status(503), status(429)]
    await shop.ask(receiver.url)
    attempts = [await receiver.next() for _ in range(4)]
    assert len({attempt.headers["webhook-id"] for attempt in attempts}) == 1
    assert len({attempt.body for attempt in attempts}) == 1
    for attempt in attempts:
        shop.verified(attempt)
    assert attempts[3].at - attempts[2].at > attempts[1].at - attempts[0].at - 0.05
    delivery = await shop.delivery(DeliveryState.DELIVERED)
    assert (delivery.attempts, delivery.last_status) == (4, 200)


async def test_after_its_time_it_is_not_tried_any_more_and_can_be_asked_for_again(
    shop: Shop, receiver: Receiver
) -> None:
    receiver.answers = [status(500)] * 20
    await shop.ask(receiver.url)
    failed = await shop.delivery(DeliveryState.FAILED)
    assert 3 <= failed.attempts < 10
    assert (failed.last_status, failed.last_error, failed.next_attempt_at) == (500, "it answered 500", None)
    receiver.answers, seen = [], len(receiver.requests)
    await asyncio.sleep(0.5)
    assert len(receiver.requests) == seen
    again = ByDelivery(delivery_uuid=failed.delivery_uuid)
    queued = await shop.bus.call(webhook.REDELIVER, again, shop.owner.context)
    assert (queued.state, queued.attempts) == (DeliveryState.QUEUED, 0)
    delivered = await shop.delivery(DeliveryState.DELIVERED)
    assert delivered.attempts == 1
    first, last = receiver.requests[0], receiver.requests[-1]
    assert (first.body, first.headers["webhook-id"]) == (last.body, last.headers["webhook-id"])


async def test_a_delivered_one_may_be_asked_for_again(shop: Shop, receiver: Receiver) -> None:
    await shop.ask(receiver.url)
    await receiver.next()
    delivered = await shop.delivery(DeliveryState.DELIVERED)
    again = ByDelivery(delivery_uuid=delivered.delivery_uuid)
    await shop.bus.call(webhook.REDELIVER, again, shop.owner.context)
    shop.verified(await receiver.next())


async def test_who_says_that_it_is_gone_is_left_alone(shop: Shop, receiver: Receiver) -> None:
    receiver.answers = [status(410)]
    await shop.ask(receiver.url)
    failed = await shop.delivery(DeliveryState.FAILED)
    assert (failed.attempts, failed.last_status) == (1, 410)


async def test_redirects_are_not_followed(shop: Shop, receiver: Receiver) -> None:
    receiver.answers = [status(code, f"Location: {receiver.url}elsewhere") for code in (301, 307)]
    await shop.ask(receiver.url)
    await receiver.next()
    await receiver.next()
    await receiver.next()
    assert {request.line for request in receiver.requests} == {"POST /hook/secret-path?key=secret-query HTTP/1.1"}
    receiver.answers = [status(302, "Location: http://127.0.0.1:1/")] * 20
    await shop.ask(receiver.url)
    failed = await shop.delivery(DeliveryState.FAILED)
    assert failed.last_error == "it answered 302: redirects are not followed"


# -- where it may go ----------------------------------------------------------------------------------------------


async def test_the_name_is_resolved_once_and_the_certificate_must_be_of_the_name(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def here(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    monkeypatch.setattr("basejump_chat_agent.adapters.webhook_sender.addresses_of", here)
    await shop.ask(f"https://hooks.example:{receiver.port}/")
    received = await receiver.next()
    assert (asked, received.headers["host"]) == (["hooks.example"], f"hooks.example:{receiver.port}")
    await shop.ask(f"https://other.example:{receiver.port}/")
    failed = await shop.delivery(DeliveryState.FAILED)
    assert str(failed.last_error).startswith("its certificate is refused: ")
    assert len(receiver.requests) == 1


# -- what strangers' servers do -----------------------------------------------------------------------------------


async def dribble(writer: asyncio.StreamWriter) -> None:
    """A header that never ends, a byte at a time."""
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not writer.is_closing():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def flood(writer: asyncio.StreamWriter) -> None:
    """A body without end: the status is good, the rest is nobody's business."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
        await writer.drain()


async def many_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"x" * 1_000_000 + b"\r\n\r\n")
    await writer.drain()


async def nonsense(writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example ESMTP\r\n")
    await writer.drain()


async def silence(_writer: asyncio.StreamWriter) -> None:
    return


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (dribble, "it did not answer within 1 seconds"),
        (many_headers, "its answer is not HTTP, or broke off"),
        (nonsense, "its answer is not HTTP, or broke off"),
        (silence, "its answer is not HTTP, or broke off"),
    ],
)
async def test_an_answer_that_is_none_fails_the_attempt_alone(
    shop: Shop, receiver: Receiver, answer: Any, error: str
) -> None:
    receiver.answers = [answer] * 20
    started = time.monotonic()
    await shop.ask(receiver.url)
    failed = await shop.delivery(DeliveryState.FAILED)
    assert (failed.last_error, failed.last_status) == (error, None)
    assert time.monotonic() - started < 5


async def test_of_an_answer_no_more_than_its_status_is_read(shop: Shop, receiver: Receiver) -> None:
    receiver.answers = [flood]
    await shop.ask(receiver.url)
    assert (await shop.delivery(DeliveryState.DELIVERED)).attempts == 1


async def test_what_can_not_be_reached_is_said(shop: Shop) -> None:
    await shop.ask(f"https://localhost:{free_port(0)}/")
    assert (await shop.delivery(DeliveryState.FAILED)).last_error == "it can't be reached"
    await shop.ask("https://no-such-host.invalid/")
    assert (await shop.delivery(DeliveryState.FAILED)).last_error == "its name has no address"


async def test_slow_receivers_hold_up_no_questions(shop: Shop, receiver: Receiver) -> None:
    receiver.answers = [dribble] * 40
    started = time.monotonic()
    for _ in range(20):
        await shop.ask(receiver.url)
    await shop.bus.call(chat.ASK, Ask(chat_uuid=shop.chat_uuid, prompt="And now?"), shop.member.context)

    async def answered() -> bool:
        request = ChatMessagesRequest(chat_uuid=shop.chat_uuid, limit=200)
        page = await shop.bus.call(chat.LIST_MESSAGES, request, shop.member.context)
        return all(message.msg_type == "error" for message in page.data)

    assert await within(4, answered)
    assert time.monotonic() - started < 4


# -- secrets ------------------------------------------------------------------------------------------------------


async def test_while_secrets_overlap_both_verify(shop: Shop, receiver: Receiver) -> None:
    old, new = shop.secret, await shop.rotate()
    await shop.ask(receiver.url)
    received = await receiver.next()
    for secret in (old, new):
        shop.verified(received, secret)
    listed = (await shop.bus.call(webhook.LIST_SECRETS, Nothing(), shop.owner.context)).data
    assert [one.expires_at is None for one in listed] == [True, False]
    by_uuid = ByWebhookSecret(webhook_secret_uuid=listed[1].webhook_secret_uuid)
    await shop.bus.call(webhook.DELETE_SECRET, by_uuid, shop.owner.context)
    await shop.ask(receiver.url)
    received = await receiver.next()
    shop.verified(received, new)
    with pytest.raises(WebhookVerificationError):
        shop.verified(received, old)
    with pytest.raises(NotFound):
        await shop.bus.call(webhook.DELETE_SECRET, by_uuid, shop.owner.context)


async def test_without_overlap_the_old_secret_ends_at_once(shop: Shop, receiver: Receiver) -> None:
    old, new = shop.secret, await shop.rotate(overlap_hours=0)
    await shop.ask(receiver.url)
    received = await receiver.next()
    shop.verified(received, new)
    with pytest.raises(WebhookVerificationError):
        shop.verified(received, old)


async def test_five_secrets_sign_at_most(shop: Shop) -> None:
    for _ in range(4):
        await shop.rotate()
    with pytest.raises(Conflict):
        await shop.rotate()
    await shop.rotate(overlap_hours=0)
    assert len((await shop.bus.call(webhook.LIST_SECRETS, Nothing(), shop.owner.context)).data) == 1


async def test_nothing_is_sent_unsigned(shop: Shop, receiver: Receiver) -> None:
    for one in (await shop.bus.call(webhook.LIST_SECRETS, Nothing(), shop.owner.context)).data:
        by_uuid = ByWebhookSecret(webhook_secret_uuid=one.webhook_secret_uuid)
        await shop.bus.call(webhook.DELETE_SECRET, by_uuid, shop.owner.context)
    with pytest.raises(InvalidInput, match="webhook_url"):
        await shop.ask(receiver.url)
    request = ChatMessagesRequest(chat_uuid=shop.chat_uuid)
    assert (await shop.bus.call(chat.LIST_MESSAGES, request, shop.member.context)).data == ()
    assert await shop.deliveries() == ()


async def test_secrets_show_nowhere(
    shop: Shop, receiver: Receiver, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for chatty in ("httpcore", "httpx"):
        caplog.set_level(logging.WARNING, chatty)  # as `configure_logging` leaves them
    receiver.answers = [status(500), nonsense]
    await shop.ask(receiver.url, X_Key=HEADER)
    assert (await receiver.next()).headers["x-key"] == HEADER
    delivery = await shop.delivery(DeliveryState.DELIVERED)
    async with database.tenant(shop.owner.client_uuid) as tx:
        rows = [
            str(row[0])
            for table in ("webhook_delivery", "webhook_secret", "prompt")
            for row in await tx.fetch(f"select {table}::text from {table}")
        ]
    async with database.platform() as tx:
        rows += [
            str(row[0]) for row in await tx.fetch("select job::text from job union all select outbox::text from outbox")
        ]
    written = [caplog.text, *rows, wire.encode(delivery).decode()]
    for secret in (HEADER, "secret-path", "secret-query", shop.secret, shop.secret.removeprefix("whsec_")):
        assert not [text for text in written if secret in text]


# -- who may ------------------------------------------------------------------------------------------------------


async def test_secrets_are_the_owners_and_deliveries_the_admins(shop: Shop, signer: Signer) -> None:
    admin = person(signer, Role.ADMIN, shop.owner.client_uuid)
    for caller in (admin, shop.member):
        with pytest.raises(Forbidden):
            await shop.bus.call(webhook.CREATE_SECRET, CreateWebhookSecret(), caller.context)
        with pytest.raises(Forbidden):
            await shop.bus.call(webhook.LIST_SECRETS, Nothing(), caller.context)
    await shop.bus.call(webhook.LIST_DELIVERIES, ListDeliveries(), admin.context)
    with pytest.raises(Forbidden):
        await shop.bus.call(webhook.LIST_DELIVERIES, ListDeliveries(), shop.member.context)


async def test_another_clients_are_not_there(shop: Shop, receiver: Receiver, signer: Signer) -> None:
    await shop.ask(receiver.url)
    delivery = await shop.delivery(DeliveryState.DELIVERED)
    (kept,) = (await shop.bus.call(webhook.LIST_SECRETS, Nothing(), shop.owner.context)).data
    stranger = person(signer, Role.OWNER)
    assert (await shop.bus.call(webhook.LIST_DELIVERIES, ListDeliveries(), stranger.context)).data == ()
    assert (await shop.bus.call(webhook.LIST_SECRETS, Nothing(), stranger.context)).data == ()
    with pytest.raises(NotFound):
        await shop.bus.call(webhook.REDELIVER, ByDelivery(delivery_uuid=delivery.delivery_uuid), stranger.context)
    with pytest.raises(NotFound):
        by_uuid = ByWebhookSecret(webhook_secret_uuid=kept.webhook_secret_uuid)
        await shop.bus.call(webhook.DELETE_SECRET, by_uuid, stranger.context)


async def test_deliveries_are_paged_newest_first_and_by_state(shop: Shop, receiver: Receiver) -> None:
    asked = [(await shop.ask(receiver.url)).prompt_uuid for _ in range(3)]
    for _ in asked:
        await receiver.next()
    await shop.delivery(DeliveryState.DELIVERED)
    listed, cursor = [], None
    for count in (2, 1):
        request = ListDeliveries(limit=2, cursor=cursor)
        page = await shop.bus.call(webhook.LIST_DELIVERIES, request, shop.owner.context)
        assert len(page.data) == count
        listed += [delivery.prompt_uuid for delivery in page.data]
        cursor = page.next_cursor
    assert (listed, cursor) == (asked[::-1], None)
    assert await shop.deliveries(state=DeliveryState.FAILED) == ()


async def test_the_last_word_of_a_deleted_chat_is_delivered_too(shop: Shop, receiver: Receiver) -> None:
    await shop.ask(receiver.url)
    await shop.bus.call(chat.DELETE_CHAT, ByChat(chat_uuid=shop.chat_uuid), shop.member.context)
    assert shop.verified(await receiver.next())["code"] in ("canceled", "unavailable")  # whichever came first


async def test_headers_without_a_url_and_wrong_ones_are_refused(shop: Shop, receiver: Receiver) -> None:
    ask = Ask(chat_uuid=shop.chat_uuid, prompt="a", webhook_headers={"X-A": Secret("b")})
    with pytest.raises(InvalidInput, match="webhook_headers"):
        await shop.bus.call(chat.ASK, ask, shop.member.context)
    with pytest.raises(InvalidInput, match="webhook_headers"):
        await shop.ask(receiver.url, Webhook_Id="mine")
    with pytest.raises(InvalidInput, match="webhook_url"):
        await shop.ask(receiver.url.replace("https", "http"))
    too_many = {f"X-{n}": "v" for n in range(21)}
    with pytest.raises(InvalidInput, match="webhook_headers"):
        await shop.ask(receiver.url, **too_many)
