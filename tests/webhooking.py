"""A customer that is sent webhooks: a client with an OWNER, a MEMBER with a chat, and a webhook secret."""

from typing import Any
from uuid import UUID, uuid4

from standardwebhooks import Webhook

from basejump_chat_agent.adapters import chat_rows
from basejump_common.bus import Bus
from basejump_common.contracts import chat, webhook
from basejump_common.contracts.chat import Ask, CreateChat, Message
from basejump_common.contracts.webhook import CreateWebhookSecret, Delivery, DeliveryState, ListDeliveries
from basejump_common.security.principal import Role
from basejump_common.security.secret import Secret
from basejump_common.security.tokens import Signer
from basejump_common.storage.database import Database
from chatting import Person, person
from identity import within
from receiver import Received


class Shop:
    """A client with an OWNER, a MEMBER, a chat and a webhook secret."""

    def __init__(self, bus: Bus, owner: Person, member: Person, chat_uuid: UUID) -> None:
        self.bus = bus
        self.owner = owner
        self.member = member
        self.chat_uuid = chat_uuid
        self.secret = ""

    @classmethod
    async def open(cls, bus: Bus, database: Database, signer: Signer) -> "Shop":
        owner = person(signer, Role.OWNER)
        member = person(signer, client_uuid=owner.client_uuid)
        async with database.tenant(owner.client_uuid) as tx:
            request = CreateChat(team_uuid=uuid4())
            made = await chat_rows.insert(tx, owner.client_uuid, member.user_uuid, uuid4(), request)
        shop = cls(bus, owner, member, made.chat_uuid)
        shop.secret = await shop.rotate()
        return shop

    async def rotate(self, overlap_hours: int = 24) -> str:
        request = CreateWebhookSecret(overlap_hours=overlap_hours)
        return (await self.bus.call(webhook.CREATE_SECRET, request, self.owner.context)).webhook_secret.reveal()

    async def ask(self, url: str, **headers: str) -> Message:
        given = {name.replace("_", "-"): Secret(value) for name, value in headers.items()}
        ask = Ask(chat_uuid=self.chat_uuid, prompt="How many?", webhook_url=url, webhook_headers=given)
        return await self.bus.call(chat.ASK, ask, self.member.context)

    async def deliveries(self, **asked: Any) -> tuple[Delivery, ...]:
        return (await self.bus.call(webhook.LIST_DELIVERIES, ListDeliveries(**asked), self.owner.context)).data

    async def delivery(self, state: DeliveryState) -> Delivery:
        """The newest one, once it is in that state."""

        async def reached() -> bool:
            return (await self.deliveries(limit=1))[0].state == state

        assert await within(8, reached), await self.deliveries(limit=1)
        return (await self.deliveries(limit=1))[0]

    def verified(self, received: Received, secret: str | None = None) -> Any:
        """What the specification's library makes of it; raises unless it is signed with the secret."""
        return Webhook(secret or self.secret).verify(received.body, received.headers)
