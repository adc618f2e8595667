"""Webhooks: what signs them, which questions asked for one, and how they go."""

from uuid import UUID, uuid4

import msgspec

from basejump_chat_agent.adapters import webhook_rows
from basejump_chat_agent.adapters.webhook_vault import WebhookVault
from basejump_chat_agent.domain.prompt import Prompt
from basejump_chat_agent.domain.webhooks import Policy, Target, new_secret, target
from basejump_common.bus import Context
from basejump_common.contracts import wire
from basejump_common.contracts.chat import Ask, Message
from basejump_common.contracts.common import Done, Nothing
from basejump_common.contracts.webhook import (
    ByDelivery,
    ByWebhookSecret,
    CreatedWebhookSecret,
    CreateWebhookSecret,
    Delivery,
    DeliveryPage,
    ListDeliveries,
    WebhookSecret,
    WebhookSecretPage,
)
from basejump_common.errors import Conflict, InvalidInput, NotFound
from basejump_common.storage import jobs, pages
from basejump_common.storage.database import Database, Transaction

DELIVER = "deliver-webhook"
MOST_SECRETS = 5
_NO_SECRET = "the client has no webhook secret to sign with; an OWNER creates one"  # noqa: S105 (a sentence)


class Deliver(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of the job that makes one attempt."""

    delivery_uuid: UUID
    round: int = 0


class Webhooks:
    """The client's side of webhooks; `Delivering` sends them."""

    def __init__(self, database: Database, vault: WebhookVault, policy: Policy) -> None:
        self._database = database
        self._vault = vault
        self._policy = policy

    async def create_secret(self, context: Context, request: CreateWebhookSecret) -> CreatedWebhookSecret:
        """Those before it sign on for the overlap. Raises Conflict when five sign already."""
        client_uuid, webhook_secret_uuid, secret = context.caller.tenant, uuid4(), new_secret()
        sealed = self._vault.seal_secret(client_uuid, webhook_secret_uuid, secret)
        async with self._database.tenant(client_uuid) as tx:
            await webhook_rows.rotate(tx, request.overlap_hours)
            if len(await webhook_rows.signing(tx)) >= MOST_SECRETS:
                raise Conflict(f"{MOST_SECRETS} webhook secrets sign already; end one first")
            created_at = await webhook_rows.insert_secret(tx, client_uuid, webhook_secret_uuid, sealed)
        return CreatedWebhookSecret(
            webhook_secret_uuid=webhook_secret_uuid, created_at=created_at, webhook_secret=secret
        )

    async def list_secrets(self, context: Context, _request: Nothing) -> WebhookSecretPage:
        """Those that sign now."""
        async with self._database.tenant(context.caller.tenant) as tx:
            kept = await webhook_rows.signing(tx)
        return WebhookSecretPage(
            data=tuple(
                WebhookSecret(
                    webhook_secret_uuid=one.webhook_secret_uuid, created_at=one.created_at, expires_at=one.expires_at
                )
                for one in kept
            )
        )

    async def delete_secret(self, context: Context, request: ByWebhookSecret) -> Done:
        """It signs nothing any more. Raises NotFound."""
        async with self._database.tenant(context.caller.tenant) as tx:
            if not await webhook_rows.delete_secret(tx, request.webhook_secret_uuid):
                raise NotFound("no such webhook secret")
        return Done()

    async def list(self, context: Context, request: ListDeliveries) -> DeliveryPage:
        """Newest first."""
        after = pages.position(request.cursor, newest_first=True)
        async with self._database.tenant(context.caller.tenant) as tx:
            rows = await webhook_rows.newest(tx, request.state, after, pages.rows_to_ask(request.limit))
        data, next_cursor = pages.page(rows, request.limit, lambda row: (row.created_at, row.delivery_uuid))
        return DeliveryPage(data=data, next_cursor=next_cursor)

    async def redeliver(self, context: Context, request: ByDelivery) -> Delivery:
        """At once, and as often as a new one. Raises NotFound, Conflict."""
        async with self._database.tenant(context.caller.tenant) as tx:
            due = await webhook_rows.again(tx, request.delivery_uuid)
            if due is not None:
                await attempt_now(tx, due)
            found = await webhook_rows.find(tx, request.delivery_uuid)
        if found is None:
            raise NotFound("no such delivery")
        if due is None:
            raise Conflict("its question isn't answered yet")
        return found

    def wanted(self, request: Ask) -> Target | None:
        """Where the answer is to be sent, if anywhere. Raises InvalidInput."""
        if request.webhook_url is None:
            if request.webhook_headers:
                raise InvalidInput.field("webhook_headers", "there is no webhook_url to send them to")
            return None
        return target(request.webhook_url, request.webhook_headers, self._policy)

    async def order(self, tx: Transaction, prompt: Prompt, wanted: Target) -> None:
        """In the transaction that stores the question. Raises InvalidInput when nothing could sign it."""
        if not await webhook_rows.signing(tx):
            raise InvalidInput.field("webhook_url", _NO_SECRET)
        delivery_uuid = uuid4()
        new = webhook_rows.NewDelivery(
            delivery_uuid=delivery_uuid,
            client_uuid=prompt.client_uuid,
            user_uuid=prompt.user_uuid,
            chat_uuid=prompt.chat_uuid,
            prompt_uuid=prompt.prompt_uuid,
            msg_uuid=prompt.msg_uuid,
            origin=wanted.origin,
            target=self._vault.seal_target(prompt.client_uuid, delivery_uuid, wanted),
        )
        await webhook_rows.order(tx, new)


async def send_answer(tx: Transaction, prompt: Prompt, final: Message) -> None:
    """In the transaction that stores the answer: its webhook, if the question asked for one, is due."""
    delivery_uuid = await webhook_rows.answered(tx, prompt.prompt_uuid, wire.encode(final).decode())
    if delivery_uuid is not None:
        await jobs.enqueue(tx, DELIVER, Deliver(delivery_uuid=delivery_uuid), prompt.client_uuid)


async def attempt_now(tx: Transaction, due: webhook_rows.DueDelivery) -> None:
    """An attempt of a delivery's present round."""
    payload = Deliver(delivery_uuid=due.delivery_uuid, round=due.round)
    await jobs.enqueue(tx, DELIVER, payload, due.client_uuid)
