"""Composes auth: the only place that constructs anything."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from basejump_auth.client_secrets import ClientSecrets
from basejump_auth.clients import Clients
from basejump_auth.handlers import handlers, reactions
from basejump_auth.issuing import Issuer
from basejump_auth.keyring import Keyring
from basejump_auth.revocations import RevocationPublisher
from basejump_auth.sessions import Sessions
from basejump_auth.settings import Settings
from basejump_auth.standing import Standings
from basejump_auth.uses import Uses
from basejump_common.bus import KEYS, REVOCATIONS, KeyValueMirror
from basejump_common.runtime import Service, foundation


@asynccontextmanager
async def bootstrap(settings: Settings) -> AsyncIterator[Service]:
    """The service, its connections open for as long as the block lasts."""
    async with (
        foundation(settings, "auth") as base,
        KeyValueMirror(base.bus, KEYS).running() as keys,
        KeyValueMirror(base.bus, REVOCATIONS).running() as revocations,
    ):
        database, bus = base.database, base.bus
        keyring = Keyring(database, bus, keys, base.envelope, timedelta(days=settings.signing_key_days))
        standings, uses = Standings(bus), Uses(database)
        issuer = Issuer(settings.environment, settings.secret_pepper)
        sessions = Sessions(database, keyring, standings)
        secrets = ClientSecrets(database, issuer, keyring, standings, uses)
        clients = Clients(database)
        await keyring.open()
        yield base.service(
            endpoints=handlers(clients, secrets, sessions, keyring),
            reactions=reactions(clients, sessions),
            background=(keyring.run, RevocationPublisher(database, bus, revocations).run, uses.run),
        )
