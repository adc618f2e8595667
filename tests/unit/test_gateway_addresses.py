"""Whose address counts, behind which proxies."""

import pytest

from basejump_gateway.address import Proxies

PEER = ("10.0.0.7", 40_000)


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        ("", "198.51.100.1", "10.0.0.7"),
        ("192.0.2.0/24", "198.51.100.1", "10.0.0.7"),
        ("10.0.0.0/8", "", "10.0.0.7"),
        ("10.0.0.0/8", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.0/8", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.0/8", "1.1.1.1, 198.51.100.1, 10.9.9.9", "198.51.100.1"),
        ("10.0.0.0/8", "10.1.1.1,10.9.9.9", "10.1.1.1"),
        ("10.0.0.0/8", "nonsense", "unknown"),
        ("10.0.0.0/8, fd00::/8", "2001:db8:1:2:3:4:5:6, fd00::1", "2001:db8:1:2::/64"),
        ("10.0.0.0/8", "::ffff:198.51.100.1", "198.51.100.1"),
    ],
)
def test_the_last_address_that_no_trusted_proxy_has(trusted: str, forwarded: str, address: str) -> None:
    assert Proxies.from_text(trusted).address(PEER, forwarded.encode()) == address


def test_a_connection_without_an_address_has_a_name_all_the_same() -> None:
    assert Proxies().address(None, b"1.1.1.1") == "unknown"


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        Proxies.from_text("10.0.0.0/8, nonsense")
