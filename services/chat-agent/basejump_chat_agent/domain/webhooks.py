"""Webhooks after the Standard Webhooks specification: where they may go, how they are signed, when to try again."""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from ipaddress import ip_address

import msgspec

from basejump_common.errors import InvalidInput
from basejump_common.security.addresses import check_addresses
from basejump_common.security.secret import Secret

SECRET_PREFIX = "whsec_"  # noqa: S105 (what secrets begin with)
SECRET_BYTES = 32
LONGEST_PAUSE = 4 * 3_600.0
GONE = 410

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>[/?][!-\"$-~]*)?",
    re.IGNORECASE | re.ASCII,
)
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(r"[!-~](?:[\t -~]{0,1998}[!-~])?")
_OURS = frozenset(
    {
        *("accept-encoding", "connection", "content-encoding", "content-length", "content-type", "date", "expect"),
        *("host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "user-agent"),
    }
)
_OUR_PREFIXES = ("webhook-", "proxy-")


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator allows besides https to public addresses."""

    plain_http: bool = False
    private_hosts: bool = False


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where a webhook goes. `host` has no brackets; `path` has the query in it, which may be secret, as headers may."""

    scheme: str
    host: str
    port: int
    path: Secret
    headers: dict[str, Secret] = {}

    @property
    def authority(self) -> str:
        """Host, and port unless it is the scheme's own: what the header `Host` says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _port(self.scheme) else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """What may be shown of it."""
        return f"{self.scheme}://{self.authority}"


def target(url: str, headers: Mapping[str, Secret], policy: Policy) -> Target:
    """Raises InvalidInput that names `webhook_url` or `webhook_headers`. Host names are resolved when it is sent."""
    found = _URL.fullmatch(url)
    if found is None or not 0 < int(found["port"] or 1) < 65_536:
        raise _wrong_url("must be https://host[:port]/path, in ASCII, without user, password or fragment")
    scheme, host = found["scheme"].lower(), found["host"].strip("[]").lower()
    if scheme != "https" and not policy.plain_http:
        raise _wrong_url("must begin with https://")
    _check_address(host, policy)
    path = found["target"] or "/"
    return Target(
        scheme=scheme,
        host=host,
        port=int(found["port"] or _port(scheme)),
        path=Secret(path if path.startswith("/") else f"/{path}"),
        headers=_checked(headers),
    )


def _check_address(host: str, policy: Policy) -> None:
    """A host that is an address is refused at once; names are checked when they are resolved."""
    try:
        ip_address(host)
    except ValueError:
        if ":" in host:
            raise _wrong_url("has no proper IPv6 address") from None
        return
    check_addresses(host, [host], allow_private=policy.private_hosts, field="webhook_url")


def _checked(headers: Mapping[str, Secret]) -> dict[str, Secret]:
    wrong = [name for name in headers if not _NAME.fullmatch(name)]
    if wrong or len({name.lower() for name in headers}) != len(headers):
        raise _wrong_headers("names must be proper and different names of headers")
    for name, value in headers.items():
        if name.lower() in _OURS or name.lower().startswith(_OUR_PREFIXES):
            raise _wrong_headers(f"{name} is not yours to set")
        if not _VALUE.fullmatch(value.reveal()):
            raise _wrong_headers(f"the value of {name} must be 1 to 2000 printable ASCII characters")
    return dict(headers)


def new_secret() -> Secret:
    """`whsec_` and 256 random bits in base64."""
    return Secret(SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode())


def signed_headers(body: bytes, message_id: str, timestamp: int, signing: Iterable[Secret]) -> dict[str, str]:
    """The specification's three headers; one signature per secret, so that receivers can change over."""
    content = b"%b.%d.%b" % (message_id.encode(), timestamp, body)
    signatures = (_signature(secret, content) for secret in signing)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def _signature(secret: Secret, content: bytes) -> str:
    key = base64.b64decode(secret.reveal().removeprefix(SECRET_PREFIX))
    return f"v1,{base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()}"


def pause(first: float, attempts: int, chance: float) -> float:
    """Seconds until the next attempt after so many: doubling, four hours at most, ± a quarter by `chance` (0 to 1)."""
    return float(min(first * 2.0 ** min(attempts - 1, 30), LONGEST_PAUSE) * (0.75 + chance / 2))


def failure(status: int) -> str | None:
    """What is wrong with an answer; None with 2xx."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"it answered {status}: redirects are not followed"
    return f"it answered {status}"


def _port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _wrong_url(why: str) -> InvalidInput:
    return InvalidInput.field("webhook_url", why)


def _wrong_headers(why: str) -> InvalidInput:
    return InvalidInput.field("webhook_headers", why)
