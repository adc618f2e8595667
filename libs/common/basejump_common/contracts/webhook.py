"""webhook: what a client's webhooks are signed with, and how their deliveries go (chat-agent sends them).

The body of a webhook is the final message of a question, byte for byte as the call answers it and the stream says it.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from basejump_common.contracts.common import Done, Nothing, PageRequest
from basejump_common.contracts.operation import Operation
from basejump_common.errors import Conflict, NotFound
from basejump_common.security.principal import Role
from basejump_common.security.secret import Secret

# -- secrets ------------------------------------------------------------------------------------------------------


class CreateWebhookSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A new secret. Those before it sign beside it for `overlap_hours`, so that receivers can change over."""

    overlap_hours: Annotated[int, Meta(ge=0, le=168)] = 24


class WebhookSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that signs, without its value; `expires_at` is None for the current one."""

    webhook_secret_uuid: UUID
    created_at: datetime
    expires_at: datetime | None = None


class CreatedWebhookSecret(WebhookSecret, frozen=True, kw_only=True):
    """The only time the value is shown: `whsec_…`, as Standard Webhooks spells it."""

    webhook_secret: Secret


class WebhookSecretPage(msgspec.Struct, frozen=True, kw_only=True):
    """Those that sign now, newest first; there are five at most, so there is one page."""

    data: tuple[WebhookSecret, ...]
    next_cursor: str | None = None


class ByWebhookSecret(msgspec.Struct, frozen=True, kw_only=True):
    """Names a webhook secret."""

    webhook_secret_uuid: UUID


# -- deliveries ---------------------------------------------------------------------------------------------------


class DeliveryState(StrEnum):
    """`waiting`: for the answer. `queued`: it is tried, and tried again. `failed`: it is not tried any more."""

    WAITING = "waiting"
    QUEUED = "queued"
    DELIVERED = "delivered"
    FAILED = "failed"


class ListDeliveries(PageRequest, frozen=True, kw_only=True):
    """The client's deliveries of the last 30 days."""

    state: DeliveryState | None = None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """How it went. `delivery_uuid` is the header `webhook-id`. Of the URL only its origin is shown: the rest may be
    secret. `attempts` counts from when it was queued last; `last_status` is what the server answered."""

    delivery_uuid: UUID
    user_uuid: UUID
    chat_uuid: UUID
    prompt_uuid: UUID
    msg_uuid: UUID
    origin: str
    state: DeliveryState
    attempts: int
    created_at: datetime
    last_status: int | None = None
    last_error: str | None = None
    next_attempt_at: datetime | None = None
    delivered_at: datetime | None = None


class DeliveryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first."""

    data: tuple[Delivery, ...]
    next_cursor: str | None = None


class ByDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """Names a delivery."""

    delivery_uuid: UUID


# -- operations ---------------------------------------------------------------------------------------------------

CREATE_SECRET = Operation(
    "basejump.v1.webhook.secret.create",
    takes=CreateWebhookSecret,
    gives=CreatedWebhookSecret,
    allow=Role.OWNER,
    errors=(Conflict,),
)
LIST_SECRETS = Operation("basejump.v1.webhook.secret.list", takes=Nothing, gives=WebhookSecretPage, allow=Role.OWNER)
DELETE_SECRET = Operation(
    "basejump.v1.webhook.secret.delete", takes=ByWebhookSecret, gives=Done, allow=Role.OWNER, errors=(NotFound,)
)
LIST_DELIVERIES = Operation(
    "basejump.v1.webhook.delivery.list", takes=ListDeliveries, gives=DeliveryPage, allow=Role.ADMIN
)
REDELIVER = Operation(
    "basejump.v1.webhook.delivery.redeliver",
    takes=ByDelivery,
    gives=Delivery,
    allow=Role.ADMIN,
    errors=(NotFound, Conflict),
)
