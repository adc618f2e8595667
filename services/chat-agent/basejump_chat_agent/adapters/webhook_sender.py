"""Sends webhooks: to an address that was checked, under the name that was asked for, and reads no more than a status.

httpcore follows no redirects, looks at no proxy variables and logs no addresses.
"""

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from typing import Any

import certifi
import httpcore

from basejump_chat_agent.domain.webhooks import Policy, Target
from basejump_common.errors import HostForbidden
from basejump_common.security.addresses import addresses_of, check_addresses

USER_AGENT = "Basejump-Webhook/1"
_MOST_ADDRESSES = 4
_RESOLVING = 2
"""Names that are resolved at once: slow ones must not take all the threads that do it for this process."""


class NotSent(Exception):
    """No status came; the text says why, and may be shown."""


class WebhookSender:
    """`seconds` bounds an attempt, whatever the other side does. `authorities`: a PEM file of more to believe."""

    def __init__(self, policy: Policy, seconds: float, at_once: int, authorities: str = "") -> None:
        self._seconds = seconds
        self._connections = httpcore.AsyncConnectionPool(
            ssl_context=_trusting(authorities),
            max_connections=at_once,
            max_keepalive_connections=0,
            network_backend=_CheckedNetwork(policy),
        )

    async def send(self, target: Target, headers: Mapping[str, str], body: bytes) -> int:
        """The status of the answer. Raises NotSent."""
        own = {"Host": target.authority, "User-Agent": USER_AGENT, "Content-Type": "application/json"}
        given = {name: value.reveal() for name, value in target.headers.items()}
        url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path.reveal())
        try:
            async with asyncio.timeout(self._seconds):
                sent = [(name.encode(), value.encode()) for name, value in (own | given | dict(headers)).items()]
                async with self._connections.stream("POST", url, headers=sent, content=body) as response:
                    return response.status
        except Exception as error:
            # Whatever a stranger's server makes of it ends this attempt, and nothing else.
            raise NotSent(self._why(error)) from error

    def _why(self, error: Exception) -> str:
        match error:
            case HostForbidden():
                return "the operator's policy forbids its address"
            case TimeoutError() | httpcore.TimeoutException():
                return f"it did not answer within {self._seconds:g} seconds"
            case httpcore.ConnectError(args=(ssl.SSLCertVerificationError() as refusal,)):
                return f"its certificate is refused: {refusal.verify_message}"
            case httpcore.ConnectError():
                return "it can't be reached"
            case OSError() | UnicodeError():
                return "its name has no address"
            case _:
                return "its answer is not HTTP, or broke off"


class _CheckedNetwork(httpcore.AnyIOBackend):
    """The only way out: resolves a name once, checks every address, connects to one that was checked."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._resolving = asyncio.Semaphore(_RESOLVING)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        async with self._resolving:
            addresses = await addresses_of(host, port)
        check_addresses(host, addresses, allow_private=self._policy.private_hosts)
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses[:_MOST_ADDRESSES]:
            try:
                return await super().connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as error:
                failure = error
        raise failure


def _trusting(authorities: str) -> ssl.SSLContext:
    """The well-known authorities, and the operator's. Raises OSError, ssl.SSLError when the file can't be read."""
    context = ssl.create_default_context(cafile=certifi.where())
    if authorities:
        context.load_verify_locations(cafile=authorities)
    return context
