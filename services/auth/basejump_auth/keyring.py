"""Signing keys: made in time, published before they are used, kept until the last token they signed has expired.

Every replica has the same keys: rows in PostgreSQL, the private halves sealed. KV is rebuilt from there.
"""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from basejump_auth.adapters import key_rows
from basejump_auth.adapters.key_rows import KeyRow
from basejump_auth.domain import lifetimes
from basejump_common.bus import KEYS, Bus, Context, KeyValueMirror
from basejump_common.contracts.auth import Jwks
from basejump_common.contracts.common import Nothing
from basejump_common.errors import DeadlineExceeded, Unavailable
from basejump_common.security.envelope import Envelope
from basejump_common.security.principal import Principal
from basejump_common.security.secret import Secret
from basejump_common.security.tokens import Signer, jwk
from basejump_common.storage.bells import wait_for_bell
from basejump_common.storage.database import Database, Transaction

log = logging.getLogger("basejump.auth")

REFRESH_SECONDS = 30.0
RETRY_SECONDS = 1.0


class Keyring:
    """Signs with the newest key whose time has come. `published` mirrors the bucket of public keys."""

    def __init__(
        self, database: Database, bus: Bus, published: KeyValueMirror, envelope: Envelope, rotate_after: timedelta
    ) -> None:
        self._database = database
        self._bus = bus
        self._published = published
        self._envelope = envelope
        self._rotate_after = rotate_after
        self._keys: list[KeyRow] = []
        self._signers: dict[str, Signer] = {}
        self._reconnected = asyncio.Event()  # NATS may have lost what it had
        bus.on_reconnect(self._reconnected.set)

    def sign(self, principal: Principal, seconds: int) -> tuple[Secret, datetime]:
        """A token that lives `seconds`, and when it expires. Raises Unavailable while no key is published."""
        key = lifetimes.signing_key(self._keys, datetime.now(UTC))
        if key is None:
            raise Unavailable("tokens can't be signed just now; try again", retry_after=1.0)
        return self._signers[key.kid].sign(principal, seconds)

    async def jwks(self, _context: Context, _request: Nothing) -> Jwks:
        """The public keys, those that will be used soon and those whose tokens still live included."""
        return Jwks(keys=tuple(key.public_jwk for key in self._keys))

    async def open(self) -> None:
        """Have keys before the first request; without KV they wait to be published by `run`."""
        await self._refresh_or_warn()

    async def run(self) -> None:
        """Make, publish and learn of keys until canceled."""
        while True:
            done = await self._refresh_or_warn()
            await wait_for_bell(self._reconnected, REFRESH_SECONDS if done else RETRY_SECONDS)

    async def refresh(self) -> None:
        """One turn. Raises Unavailable or DeadlineExceeded when PostgreSQL or KV is away."""
        now = datetime.now(UTC)
        async with self._database.platform() as tx:
            await key_rows.lock(tx)
            await self._make_if_due(tx, now)
            keys = await key_rows.all_keys(tx)
        spent = lifetimes.spent_keys(keys, now)
        self._learn([key for key in keys if key not in spent])
        await self._publish()
        await self._forget(spent)

    async def _refresh_or_warn(self) -> bool:
        try:
            await self.refresh()
        except (Unavailable, DeadlineExceeded) as error:
            log.warning("signing keys can't be refreshed: %s", error.message)
            return False
        return True

    async def _make_if_due(self, tx: Transaction, now: datetime) -> None:
        keys = await key_rows.all_keys(tx)
        if not lifetimes.is_key_due(keys, now, self._rotate_after):
            return
        # The very first one has nobody before it: it signs as soon as it is published.
        await key_rows.insert(tx, self._new_key(now, active_from=now + lifetimes.KEY_LEAD if keys else now))
        log.info("a new signing key")

    def _new_key(self, now: datetime, active_from: datetime) -> KeyRow:
        private, kid = Ed25519PrivateKey.generate(), uuid4().hex
        return KeyRow(
            kid=kid,
            public_jwk=jwk(kid, private.public_key()),
            sealed_private_key=self._envelope.encrypt(private.private_bytes_raw(), context=_place(kid)),
            created_at=now,
            active_from=active_from,
        )

    def _learn(self, keys: list[KeyRow]) -> None:
        self._signers = {key.kid: self._signers.get(key.kid) or self._signer(key) for key in keys}
        self._keys = keys

    def _signer(self, key: KeyRow) -> Signer:
        raw = self._envelope.decrypt(key.sealed_private_key, context=_place(key.kid))
        return Signer(key.kid, Ed25519PrivateKey.from_private_bytes(raw))

    async def _publish(self) -> None:
        """Put into KV what isn't there: a new key, or all of them after KV was lost."""
        for key in self._keys:
            public = msgspec.json.encode(key.public_jwk)
            if not self._published.fresh or self._published.entries.get(key.kid) != public:
                await self._bus.put(KEYS, key.kid, public)
        now = datetime.now(UTC)
        async with self._database.platform() as tx:
            await key_rows.mark_published(tx, [key.kid for key in self._keys])
        self._keys = [msgspec.structs.replace(key, published_at=key.published_at or now) for key in self._keys]

    async def _forget(self, spent: list[KeyRow]) -> None:
        if not spent:
            return
        for key in spent:
            await self._bus.remove(KEYS, key.kid)
        async with self._database.platform() as tx:
            await key_rows.delete(tx, [key.kid for key in spent])


def _place(kid: str) -> tuple[str, ...]:
    return ("auth", "signing_key", kid)
