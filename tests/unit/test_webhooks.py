"""Webhooks: where they may go, how they are signed, when they are tried again."""

import base64
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from basejump_chat_agent.domain.webhooks import Policy, failure, new_secret, pause, signed_headers, target
from basejump_common.errors import InvalidInput
from basejump_common.security.secret import Secret

STRICT, LAX = Policy(), Policy(plain_http=True, private_hosts=True)


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://example.com", "example.com", 443, "/"),
        ("https://Example.com:8443/a/b?c=d&e", "example.com", 8443, "/a/b?c=d&e"),
        ("HTTPS://example.com?x=1", "example.com", 443, "/?x=1"),
        ("https://93.184.216.34/", "93.184.216.34", 443, "/"),
        ("https://[2606:2800:220:1:248:1893:25c8:1946]:444/h", "2606:2800:220:1:248:1893:25c8:1946", 444, "/h"),
        ("https://example.com/@evil", "example.com", 443, "/@evil"),
    ],
)
def test_a_url_is_read_in_one_way(url: str, host: str, port: int, path: str) -> None:
    found = target(url, {}, STRICT)
    assert (found.scheme, found.host, found.port, found.path.reveal()) == ("https", host, port, path)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "https:///path", "https://user:pass@example.com/",
        "https://good.com\\@evil.com/", "https://good.com#@evil.com/", "https://example.com/#fragment",
        "https://example.com:0/", "https://example.com:70000/", "https://example.com:/", "https://exämple.com/",
        "https://example.com/ä", "https://example.com/a b", "https://example.com/\r\nX: y", "//example.com/",
        "https://[::g]/", "https://[1:2]/", "https://exa_mple.com/", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_what_is_no_plain_https_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="webhook_url"):
        target(url, {}, STRICT)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "[::1]", "[::ffff:10.0.0.1]", "169.254.169.254", "0.0.0.0"])
def test_an_address_inside_the_operators_network_is_refused_at_once(host: str) -> None:
    with pytest.raises(InvalidInput, match="webhook_url"):
        target(f"https://{host}/", {}, STRICT)
    if "169.254" not in host and host != "0.0.0.0":
        assert target(f"http://{host}/", {}, LAX).scheme == "http"


def test_what_is_shown_of_a_target_is_no_secret() -> None:
    found = target("https://example.com:8443/T000/B000?key=k", {"Authorization": Secret("Bearer x")}, STRICT)
    assert found.origin == "https://example.com:8443"
    assert target("https://[2606:2800:220::1]/", {}, STRICT).authority == "[2606:2800:220::1]"
    assert "B000" not in repr(found)
    assert "Bearer" not in repr(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Host", "a"), ("content-length", "1"), ("Webhook-Signature", "v1,x"), ("webhook-anything", "a"),
        ("Transfer-Encoding", "chunked"), ("Proxy-Authorization", "a"), ("Connection", "close"), ("User-Agent", "a"),
        ("X Y", "a"), ("", "a"), ("X:", "a"), ("X\r\nY", "a"), ("x" * 101, "a"), ("X-Ä", "a"),
        ("X-A", ""), ("X-A", "a\r\nB: c"), ("X-A", "a\nb"), ("X-A", "ä"), ("X-A", "x" * 2_001), ("X-A", " a"),
    ],
)  # fmt: skip
def test_headers_that_are_ours_or_none_are_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidInput, match="webhook_headers"):
        target("https://example.com/", {name: Secret(value)}, STRICT)


def test_a_header_given_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="webhook_headers"):
        target("https://example.com/", {"X-A": Secret("1"), "x-a": Secret("2")}, STRICT)


def test_signatures_are_what_the_specifications_own_library_verifies() -> None:
    old, new, other, body = new_secret(), new_secret(), new_secret(), '{"content": "Füße"}'.encode()
    now = int(time.time())
    headers = signed_headers(body, "a-b-c", now, [new, old])
    for secret in (old, new):
        assert len(base64.b64decode(secret.reveal().removeprefix("whsec_"))) == 32
        assert Webhook(secret.reveal()).verify(body, headers) == {"content": "Füße"}
    for secret, sent, changed in (
        (other, body, {}),
        (new, body + b" ", {}),
        (new, body, {"webhook-id": "a-b-d"}),
        (new, body, {"webhook-timestamp": str(now - 1)}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret.reveal()).verify(sent, headers | changed)


def test_attempts_are_spread_over_a_day() -> None:
    waited, attempts = 0.0, 1
    while waited < 86_400:
        waited += pause(5.0, attempts, 0.5)
        attempts += 1
    assert 12 <= attempts <= 25
    assert pause(5.0, 1, 0.0) == 3.75
    assert pause(5.0, 1, 1.0) == 6.25
    assert pause(5.0, 10**6, 1.0) == 4 * 3600 * 1.25


def test_only_a_2xx_is_fine() -> None:
    assert [failure(code) for code in (200, 202, 204)] == [None] * 3
    assert "redirects are not followed" in str(failure(302))
    assert all(failure(code) for code in (199, 301, 308, 400, 404, 410, 429, 500, 503))
