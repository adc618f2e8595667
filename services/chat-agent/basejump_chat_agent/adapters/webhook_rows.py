"""SQL of webhook secrets and deliveries. Every function takes the tenant's transaction."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from basejump_common.contracts.webhook import Delivery, DeliveryState, WebhookSecret
from basejump_common.storage import pages
from basejump_common.storage.database import Transaction

KEPT_DAYS = 30

_SIGNS = "(expires_at is null or expires_at > now())"
_ROTATE = """
    update webhook_secret set expires_at = least(expires_at, now() + make_interval(hours => $1))
    where (expires_at is null or expires_at > now())
"""
_INSERT_SIGNING = """
    insert into webhook_secret (webhook_secret_uuid, client_uuid, sealed) values ($1, $2, $3) returning created_at
"""
_ORDER = """
    insert into webhook_delivery
        (delivery_uuid, client_uuid, user_uuid, chat_uuid, prompt_uuid, msg_uuid, origin, target)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_FORGET = "delete from webhook_delivery where created_at < now() - make_interval(days => $1)"
_ANSWERED = """
    update webhook_delivery set state = 'queued', body = $2, due_at = now(), next_attempt_at = now()
    where prompt_uuid = $1 and state = 'waiting'
    returning delivery_uuid
"""
_AGAIN = """
    update webhook_delivery
    set state = 'queued', round = round + 1, attempts = 0, due_at = now(), next_attempt_at = now(), delivered_at = null
    where delivery_uuid = $1 and state <> 'waiting'
    returning *
"""
# Of another round, so that an attempt under way notes nothing and is followed by none.
_END_QUEUED = """
    update webhook_delivery
    set state = 'failed', round = round + 1, last_error = 'the user was deleted', next_attempt_at = null
    where user_uuid = $1 and state = 'queued'
"""
_DUE = "select * from webhook_delivery where delivery_uuid = $1 and round = $2 and state = 'queued'"
_NOTE = """
    update webhook_delivery
    set state = $3, attempts = attempts + 1, last_status = $4, last_error = $5,
        next_attempt_at = now() + $6::interval, delivered_at = case when $3 = 'delivered' then now() end
    where delivery_uuid = $1 and round = $2
"""
_LIST = """
    select * from webhook_delivery
    where ($1::text is null or state = $1) and (created_at, delivery_uuid) < ($2, $3)
    order by created_at desc, delivery_uuid desc limit $4
"""


class SealedSecret(WebhookSecret, frozen=True, kw_only=True):
    """A secret as it is kept."""

    sealed: bytes


class NewDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook that a question asked for."""

    delivery_uuid: UUID
    client_uuid: UUID
    user_uuid: UUID
    chat_uuid: UUID
    prompt_uuid: UUID
    msg_uuid: UUID
    origin: str
    target: bytes


class DueDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt needs. `round` counts how often it was asked for again."""

    delivery_uuid: UUID
    client_uuid: UUID
    round: int
    attempts: int
    target: bytes
    body: str
    due_at: datetime


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an attempt; `pause` is the time until the next one, None when there is none."""

    state: DeliveryState
    status: int | None = None
    error: str | None = None
    pause: timedelta | None = None


async def signing(tx: Transaction) -> list[SealedSecret]:
    """The client's secrets that sign now, newest first."""
    return await tx.rows(SealedSecret, f"select * from webhook_secret where {_SIGNS} order by created_at desc")  # noqa: S608 - ours


async def rotate(tx: Transaction, overlap_hours: int) -> None:
    """Let the secrets that sign now end in so many hours, or sooner; forget those that have ended."""
    await tx.execute("delete from webhook_secret where expires_at <= now()")
    await tx.execute(_ROTATE, overlap_hours)


async def insert_secret(tx: Transaction, client_uuid: UUID, webhook_secret_uuid: UUID, sealed: bytes) -> datetime:
    """A new current secret; when it was made."""
    created_at: datetime = await tx.fetchval(_INSERT_SIGNING, webhook_secret_uuid, client_uuid, sealed)
    return created_at


async def delete_secret(tx: Transaction, webhook_secret_uuid: UUID) -> bool:
    """Whether it was there."""
    return await tx.execute("delete from webhook_secret where webhook_secret_uuid = $1", webhook_secret_uuid) == 1


async def order(tx: Transaction, new: NewDelivery) -> None:
    """Keep a delivery that waits for its answer; forget the client's old ones."""
    await tx.execute(_FORGET, KEPT_DAYS)
    await tx.execute(_ORDER, *msgspec.structs.astuple(new))


async def answered(tx: Transaction, prompt_uuid: UUID, body: str) -> UUID | None:
    """Queue the delivery that waits for the prompt's answer; its uuid, if there is one."""
    delivery_uuid: UUID | None = await tx.fetchval(_ANSWERED, prompt_uuid, body)
    return delivery_uuid


async def again(tx: Transaction, delivery_uuid: UUID) -> DueDelivery | None:
    """Queue it anew; None when it isn't there or still waits."""
    return await tx.row(DueDelivery, _AGAIN, delivery_uuid)


async def due(tx: Transaction, delivery_uuid: UUID, round_number: int) -> DueDelivery | None:
    """None when it is not queued any more, or was asked for again since."""
    return await tx.row(DueDelivery, _DUE, delivery_uuid, round_number)


async def note(tx: Transaction, delivery_uuid: UUID, round_number: int, outcome: Outcome) -> None:
    """Note an attempt."""
    await tx.execute(_NOTE, delivery_uuid, round_number, outcome.state, outcome.status, outcome.error, outcome.pause)


async def end_of_user(tx: Transaction, user_uuid: UUID) -> None:
    """Nothing is sent any more of what a user asked for, unless an ADMIN asks again."""
    await tx.execute("delete from webhook_delivery where user_uuid = $1 and state = 'waiting'", user_uuid)
    await tx.execute(_END_QUEUED, user_uuid)


async def find(tx: Transaction, delivery_uuid: UUID) -> Delivery | None:
    """One delivery, as the client sees it."""
    return await tx.row(Delivery, "select * from webhook_delivery where delivery_uuid = $1", delivery_uuid)


async def newest(tx: Transaction, state: DeliveryState | None, after: pages.Position, count: int) -> list[Delivery]:
    """Newest first, those before `after`."""
    return await tx.rows(Delivery, _LIST, state, *after, count)
