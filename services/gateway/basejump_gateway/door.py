"""Who is calling: reads the credential, checks it as every service does, and refuses what can't be let in."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Protocol

from basejump_common.bus import Bus
from basejump_common.contracts import auth
from basejump_common.contracts.operation import Allow
from basejump_common.errors import BasejumpError, Forbidden, Unauthenticated
from basejump_common.security.principal import Credential, Principal
from basejump_common.security.secret import Secret
from basejump_gateway.edge import Caller, Exchange
from basejump_gateway.limits import ChoicesOfClients, Limits
from basejump_gateway.origins import Origins

EXCHANGED_SECONDS = 60.0
EXCHANGED_MOST = 10_000

_BEARER = frozenset({Credential.ACCESS, Credential.REFRESH})
_HOW_TO_SEND = {
    Credential.CLIENT_SECRET: "a client secret in the header `client-secret`",
    Credential.REFRESH: "a refresh token as `Authorization: Bearer …`",
    Credential.ACCESS: "an access token as `Authorization: Bearer …`",
}


class Authenticate(Protocol):
    """Verifies a token; raises Unauthenticated, or Unavailable when it can't know."""

    def verify(self, token: str) -> Principal: ...


class Door:
    """Lets callers in. A client secret is exchanged for a token, which is kept for a minute at most.

    What a token may do and whether it was revoked is asked of the verifier every time, so keeping one never outlives
    a revocation.
    """

    def __init__(
        self, bus: Bus, verifier: Authenticate, limits: Limits, origins: Origins, choices: ChoicesOfClients
    ) -> None:
        self._bus = bus
        self._verifier = verifier
        self._limits = limits
        self._origins = origins
        self._choices = choices
        self._exchanged: OrderedDict[bytes, tuple[Secret, float]] = OrderedDict()

    def client_changed(self) -> None:
        """Some client has changed its settings."""
        self._choices.forget()
        self._origins.forget()

    async def admit(self, access: Allow, exchange: Exchange) -> Caller | None:
        """The caller, None where nobody is asked. Raises Unauthenticated, TooManyRequests, Forbidden, Unavailable."""
        if not access.credentials:
            await self.admit_stranger(exchange)
            return None
        try:
            caller = await self._identify(access, exchange)
            if caller.principal.credential not in access.credentials:
                raise _send_instead(access)
        except BasejumpError as error:
            await self._origins.stranger(exchange)
            if isinstance(error, Unauthenticated):  # else nobody knows whether the credential is good
                await self._limits.stranger(exchange)
            raise
        choices = await self._choices.of(caller.principal.client_uuid, exchange)
        self._origins.known(choices, exchange)
        await self._limits.known(caller.principal, choices, exchange)
        if not caller.principal.role.at_least(access.least):
            raise Forbidden(f"this call needs the role {access.least} or above")
        return caller

    async def admit_stranger(self, exchange: Exchange) -> None:
        """Somebody who shows no credential, or not a good one. Raises TooManyRequests."""
        await self._origins.stranger(exchange)
        await self._limits.stranger(exchange)

    async def preflight(self, methods: Iterable[str], exchange: Exchange) -> None:
        """A browser that asks whether it may make a call. Raises TooManyRequests."""
        await self._origins.preflight(methods, exchange)
        await self._limits.stranger(exchange)

    async def _identify(self, access: Allow, exchange: Exchange) -> Caller:
        client_secret = exchange.headers.get(b"client-secret")
        if client_secret and Credential.CLIENT_SECRET in access.credentials:
            return await self._by_secret(client_secret, exchange)
        scheme, _, token = exchange.headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _send_instead(access)
        principal = self._verifier.verify(token.strip())
        if principal.credential not in _BEARER:
            raise _send_instead(access)
        return Caller(Secret(token.strip()), principal)

    async def _by_secret(self, client_secret: bytes, exchange: Exchange) -> Caller:
        digest = hashlib.sha256(client_secret).digest()
        kept, until = self._exchanged.get(digest, (None, 0.0))
        if kept is not None and time.monotonic() < until:
            try:
                return Caller(kept, self._verifier.verify(kept.reveal()))
            except Unauthenticated:
                # The secret may still be good, e.g. when its user's role has changed: auth says.
                del self._exchanged[digest]
        token = await self._exchange(client_secret, exchange)
        caller = Caller(token, self._verifier.verify(token.reveal()))
        self._keep(digest, token)
        return caller

    async def _exchange(self, client_secret: bytes, exchange: Exchange) -> Secret:
        operation = auth.EXCHANGE_SECRET
        request = auth.ExchangeSecret(client_secret=Secret(client_secret.decode("latin-1")))
        return (await self._bus.call(operation, request, exchange.context(operation.timeout))).token

    def _keep(self, digest: bytes, token: Secret) -> None:
        self._exchanged[digest] = (token, time.monotonic() + EXCHANGED_SECONDS)
        self._exchanged.move_to_end(digest)
        if len(self._exchanged) > EXCHANGED_MOST:
            self._exchanged.popitem(last=False)


def _send_instead(access: Allow) -> Unauthenticated:
    wanted = [how for kind, how in _HOW_TO_SEND.items() if kind in access.credentials]
    return Unauthenticated(f"this call needs {' or '.join(wanted)}")
