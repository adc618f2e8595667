"""Rate limits: per credential and per client over all gateways, per address for calls without a good credential.

Told in the fields `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-10.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from basejump_common.bus.client_settings import SettingsOfClients
from basejump_common.contracts.client_settings import ClientChoices, ClientSettings
from basejump_common.errors import BasejumpError, TooManyRequests
from basejump_common.security.principal import Principal
from basejump_gateway.allowance import WINDOW, Allowances, Standing
from basejump_gateway.edge import Exchange

PATIENCE_SECONDS = 0.5
_UNKNOWN = ClientChoices(settings=ClientSettings())


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Calls a minute."""

    per_client: int
    per_key: int
    per_address: int


class Policy(msgspec.Struct, frozen=True):
    """A limit and whom it is for. `kind` is what the caller is told."""

    kind: str
    name: str
    limit: int


class ChoicesOfClients:
    """What clients chose, as far as it can be known: nothing is waited for long, and nothing fails."""

    def __init__(self, settings: SettingsOfClients) -> None:
        self._settings = settings

    def forget(self) -> None:
        """Ask again from now on."""
        self._settings.forget()

    async def of(self, client_uuid: UUID | None, exchange: Exchange) -> ClientChoices:
        """While account is away, what was known; else no choices at all: the installation's defaults hold."""
        if client_uuid is None:
            return _UNKNOWN
        try:
            return await self._settings.choices(client_uuid, exchange.context(PATIENCE_SECONDS))
        except BasejumpError:
            return _UNKNOWN


class Limits:
    """Counts calls. Both methods raise TooManyRequests, and say in the answer's headers how the caller stands."""

    def __init__(self, allowances: Allowances, rates: Rates) -> None:
        self._allowances = allowances
        self._rates = rates

    async def known(self, caller: Principal, choices: ClientChoices, exchange: Exchange) -> None:
        """A call with a good credential."""
        per_key, per_client = self._of(choices)
        policies = [Policy("key", caller.credential_name, per_key)]
        if caller.client_uuid is not None:
            policies.append(Policy("client", str(caller.client_uuid), per_client))
        await self._spend(policies, exchange)

    async def stranger(self, exchange: Exchange) -> None:
        """A call that is public, or whose credential isn't good."""
        await self._spend([Policy("address", exchange.address, self._rates.per_address)], exchange)

    def _of(self, choices: ClientChoices) -> tuple[int, int]:
        """The operator's figure for this client, or else the installation's; the client's own where it is lower."""
        own, given = choices.settings, choices.quota
        key = given.calls_per_minute_per_key or self._rates.per_key
        client = given.calls_per_minute or self._rates.per_client
        return min(key, own.calls_per_minute_per_key or key), min(client, own.calls_per_minute or client)

    async def _spend(self, policies: Sequence[Policy], exchange: Exchange) -> None:
        standings: list[Standing] = []
        for policy in policies:
            standing = await self._allowances.spend(policy.name, policy.limit)
            standings.append(standing)
            if not standing.let_in:
                break
        said = zip(policies, standings, strict=False)
        exchange.said.extend(
            [
                (b"ratelimit-policy", ", ".join(f'"{p.kind}";q={p.limit};w={WINDOW}' for p in policies).encode()),
                (b"ratelimit", ", ".join(f'"{p.kind}";r={s.remaining};t={s.seconds}' for p, s in said).encode()),
            ]
        )
        if not standings[-1].let_in:
            raise _refused(policies[len(standings) - 1], standings[-1])


def _refused(policy: Policy, standing: Standing) -> TooManyRequests:
    details = {"violated_policies": [policy.kind], "limit": policy.limit, "window_seconds": WINDOW}
    words = f"this {policy.kind} may make {policy.limit} calls a minute"
    return TooManyRequests(words, retry_after=standing.seconds, details=details)
