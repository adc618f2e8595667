"""Where a request comes from, behind the proxies that the operator trusts."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

Network = IPv4Network | IPv6Network

_UNKNOWN = "unknown"
_IPV6_SITE = 64  # one subscriber has all the addresses below such a prefix


class Proxies:
    """Believes `X-Forwarded-For` as far as trusted proxies wrote it."""

    def __init__(self, trusted: Iterable[Network] = ()) -> None:
        self._trusted = tuple(trusted)

    @classmethod
    def from_text(cls, text: str) -> "Proxies":
        """From a setting: networks by commas, e.g. `10.0.0.0/8, fd00::/8`. Raises ValueError."""
        return cls(ip_network(part.strip()) for part in text.split(",") if part.strip())

    def address(self, peer: Any, forwarded: bytes) -> str:
        """Of a connection from `peer` (host, port) with that header: the last address no trusted proxy has."""
        address = peer[0] if peer else _UNKNOWN
        hops = [hop.strip() for hop in forwarded.decode("latin-1").split(",")] if self._trusted else []
        while hops and self._trusts(address):
            address = hops.pop() or address
        return _site(address)

    def _trusts(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._trusted)


def _site(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return _UNKNOWN
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped or ip_network((found, _IPV6_SITE), strict=False))
