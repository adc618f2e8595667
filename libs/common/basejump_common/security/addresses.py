"""Which addresses that somebody gave us we may connect to: an operator's network must stay out of reach (SSRF).

Resolve once, check every address, connect to one that was checked.
"""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from basejump_common.errors import HostForbidden

Address = IPv4Address | IPv6Address

_NAT64 = IPv6Network("64:ff9b::/96")
# Where clouds tell a machine its own secrets: never what somebody wants, whatever else is allowed.
_METADATA = frozenset(
    ip_address(text)
    for text in ("169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
)


async def addresses_of(host: str, port: int) -> list[str]:
    """The addresses of a host name, or the one that it is. Raises OSError, UnicodeError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def check_addresses(host: str, addresses: Sequence[str], *, allow_private: bool, field: str = "host") -> None:
    """Raises HostForbidden, which names `field`, unless every address of `host` may be connected to."""
    for text in addresses:
        address = _unwrapped(ip_address(text.partition("%")[0]))
        if _never(address) or not (allow_private or address.is_global):
            raise HostForbidden.field(field, f"{host} has an address that the operator's policy forbids")


def _never(address: Address) -> bool:
    return (
        address in _METADATA
        or address.is_multicast
        or address.is_link_local
        or address.is_unspecified
        or (address.is_reserved and not address.is_private)
    )


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for (mapped, compatible, 6to4, Teredo, NAT64), or itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64 or (int(address) >> 32 == 0 and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)
