"""Talking to chat-agent the way the gateway does: operations, and the live messages of a prompt."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nats.aio.msg import Msg

import identity
from basejump_common.bus import KEYS, Bus, Context
from basejump_common.contracts import chat, wire
from basejump_common.contracts.chat import FINAL, Message
from basejump_common.security.principal import Credential, Principal, Role
from basejump_common.security.tokens import Signer, jwk
from installation import Installation


async def new_signer(installation: Installation) -> Signer:
    """Signs tokens that every service believes: its key is published as auth publishes its own."""
    key, kid = Ed25519PrivateKey.generate(), f"test-{uuid4().hex[:8]}"
    async with installation.bus("auth") as bus:
        await bus.put(KEYS, kid, json.dumps(jwk(kid, key.public_key())).encode())
    return Signer(kid, key)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A user with an access token."""

    context: Context
    client_uuid: UUID
    user_uuid: UUID


def person(signer: Signer, role: Role = Role.MEMBER, client_uuid: UUID | None = None) -> "Person":
    """Somebody auth never heard of, of a client of their own by default."""
    principal = Principal(
        credential=Credential.ACCESS,
        role=role,
        client_uuid=client_uuid or uuid4(),
        user_uuid=uuid4(),
        session_uuid=uuid4(),
    )
    token = signer.sign(principal, 900)[0]
    return Person(context=Context.new(token, seconds=900), client_uuid=principal.tenant, user_uuid=principal.user)


def member_of(tenant: identity.Tenant, member: identity.Person) -> Person:
    """Somebody auth and account know."""
    context = Context.new(member.token, seconds=900)
    return Person(context=context, client_uuid=tenant.client_uuid, user_uuid=member.user_uuid)


class Heard:
    """What a prompt says, as a plain subscriber hears it."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._final = asyncio.Event()

    @property
    def finals(self) -> list[Message]:
        """All final messages so far: never more than one."""
        return [message for message in self.messages if message.msg_type in FINAL]

    async def final(self, seconds: float = 20.0) -> Message:
        """The final message, once it is heard."""
        async with asyncio.timeout(seconds):
            await self._final.wait()
        return self.finals[0]

    async def hear(self, message: Msg) -> None:
        """Note a message."""
        self.messages.append(wire.decode(message.data, Message))
        if self.finals:
            self._final.set()


@asynccontextmanager
async def listening(bus: Bus, person: Person, chat_uuid: UUID, prompt_uuid: UUID) -> AsyncIterator[Heard]:
    """What is published about a prompt while the block lasts."""
    heard = Heard()
    subject = chat.live_subject(person.client_uuid, chat_uuid, prompt_uuid)
    subscription = await bus.nats.subscribe(subject, cb=heard.hear)
    await bus.nats.flush()
    try:
        yield heard
    finally:
        await subscription.unsubscribe()


@asynccontextmanager
async def asking(bus: Bus, person: Person, ask: chat.Ask) -> AsyncIterator[tuple[Message, Heard]]:
    """Ask as the gateway does, listening first: the reply, and what is heard."""
    ask = msgspec.structs.replace(ask, prompt_uuid=ask.prompt_uuid or uuid4())
    assert ask.prompt_uuid is not None
    async with listening(bus, person, ask.chat_uuid, ask.prompt_uuid) as heard:
        yield await bus.call(chat.ASK, ask, person.context), heard
