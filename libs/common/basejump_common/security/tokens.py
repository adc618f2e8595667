"""Tokens: Ed25519-signed JWTs (RFC 7519, RFC 9068 for access tokens), one algorithm, every claim required.

auth signs; every service verifies for itself with the keys that auth publishes, and asks the revocations that auth
publishes. A verified token is remembered by its hash until it expires; revocations are looked at every time.
"""

import hashlib
import json
import time
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from basejump_common.errors import Unauthenticated, Unavailable
from basejump_common.security.principal import Credential, Principal, Role
from basejump_common.security.secret import Secret

ALGORITHM = "EdDSA"
ISSUER = "basejump"
AUDIENCE = "basejump.v1"
REQUIRED = ["iss", "aud", "sub", "exp", "iat", "jti", "role"]
MAX_TOKEN_CHARACTERS = 4_096
CLOCK_SKEW_SECONDS = 5
"""A token of a service whose clock is ahead is believed; when it ends is looked at without any leeway."""
REMEMBERED = 10_000
_REFUSED = "the token is not valid; get a new one"


class Bucket(Protocol):
    """What a KeyValueMirror gives."""

    @property
    def entries(self) -> "Any": ...

    @property
    def fresh(self) -> bool: ...


class Signer:
    """Signs with one key; `kid` names it in the JWT's header."""

    def __init__(self, kid: str, key: Ed25519PrivateKey) -> None:
        self.kid = kid
        self._key = key

    def sign(self, principal: Principal, seconds: float) -> tuple[Secret, datetime]:
        """A token for `principal` that lives `seconds`, and when it expires."""
        now = int(time.time())
        expires = now + int(seconds)
        claims = _claims(principal) | {"iat": now, "exp": expires, "jti": str(uuid4())}
        headers = {"kid": self.kid, "typ": principal.credential.value}
        token = jwt.encode(claims, self._key, algorithm=ALGORITHM, headers=headers)
        return Secret(token), datetime.fromtimestamp(expires, UTC)


def _claims(principal: Principal) -> dict[str, Any]:
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(principal.user_uuid or principal.secret_uuid or ""),
        "role": principal.role.value,
        "uid": _text(principal.user_uuid),
        "cid": _text(principal.client_uuid),
        "sid": _text(principal.session_uuid),
        "sec": _text(principal.secret_uuid),
        "act": {"sub": principal.actor} if principal.actor else None,
    }
    return {name: value for name, value in claims.items() if value is not None}


def _text(uuid: UUID | None) -> str | None:
    return None if uuid is None else str(uuid)


class Verifier:
    """Verifies tokens against the published keys and revocations. Without them it fails closed: Unavailable."""

    def __init__(self, keys: Bucket, revocations: Bucket) -> None:
        self._keys = keys
        self._revocations = revocations
        self._remembered: OrderedDict[bytes, tuple[str, Principal]] = OrderedDict()
        self._public: dict[str, tuple[bytes, Ed25519PublicKey]] = {}

    @property
    def ready(self) -> bool:
        """True when keys and revocations are up to date and there is a key."""
        return self._keys.fresh and self._revocations.fresh and bool(self._keys.entries)

    def verify(self, token: str) -> Principal:
        """Who the token speaks for. Raises Unauthenticated, or Unavailable while keys or revocations are unknown."""
        self._require_fresh()
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        principal = self._recall(digest)
        if principal is None:
            kid, principal = self._check(token)
            self._remember(digest, kid, principal)
        self.check(principal)
        return principal

    def check(self, principal: Principal) -> None:
        """That somebody who was verified once may still act: for what lasts longer than a request. Raises as
        `verify` does."""
        self._require_fresh()
        if principal.expires_at <= time.time() or self.revoked(principal):
            raise Unauthenticated(_REFUSED)

    def _require_fresh(self) -> None:
        if not (self._keys.fresh and self._revocations.fresh):
            raise Unavailable("credentials can't be checked just now; try again", retry_after=1.0)

    def _recall(self, digest: bytes) -> Principal | None:
        found = self._remembered.get(digest)
        return found[1] if found is not None and found[0] in self._keys.entries else None

    def _remember(self, digest: bytes, kid: str, principal: Principal) -> None:
        self._remembered[digest] = (kid, principal)
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)

    def _check(self, token: str) -> tuple[str, Principal]:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise Unauthenticated(_REFUSED)
        try:
            header = jwt.get_unverified_header(token)
            kid, credential = str(header.get("kid", "")), Credential(header.get("typ"))
            claims = jwt.decode(
                token,
                self._key(kid),
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                leeway=CLOCK_SKEW_SECONDS,
                options={"require": REQUIRED},
            )
            return kid, _principal(credential, claims)
        except (jwt.PyJWTError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise Unauthenticated(_REFUSED) from error

    def _key(self, kid: str) -> Ed25519PublicKey:
        """The published key of that name, parsed once. Raises KeyError."""
        published = self._keys.entries[kid]
        known = self._public.get(kid)
        if known is None or known[0] != published:
            known = (published, public_key(json.loads(published)))
            self._public[kid] = known
        return known[1]

    def revoked(self, principal: Principal) -> bool:
        """As far as is known; a token may have run out without."""
        revoked = self._revocations.entries
        if f"secret.{principal.secret_uuid}" in revoked or f"session.{principal.session_uuid}" in revoked:
            return True
        ended = (revoked.get(f"user.{principal.user_uuid}"), revoked.get(f"client.{principal.client_uuid}"))
        return any(since is not None and principal.issued_at <= float(since) for since in ended)


def _principal(credential: Credential, claims: dict[str, Any]) -> Principal:
    actor = claims.get("act")
    return Principal(
        credential=credential,
        role=Role(claims["role"]),
        client_uuid=_uuid(claims, "cid"),
        user_uuid=_uuid(claims, "uid"),
        session_uuid=_uuid(claims, "sid"),
        secret_uuid=_uuid(claims, "sec"),
        actor=actor["sub"] if actor else None,
        issued_at=int(claims["iat"]),
        expires_at=int(claims["exp"]),
    )


def _uuid(claims: dict[str, Any], name: str) -> UUID | None:
    return UUID(claims[name]) if name in claims else None


def jwk(kid: str, key: Ed25519PublicKey) -> dict[str, str]:
    """The public key as a JSON Web Key (RFC 8037)."""
    numbers: dict[str, str] = jwt.algorithms.OKPAlgorithm.to_jwk(key, as_dict=True)
    return numbers | {"kid": kid, "use": "sig", "alg": ALGORITHM}


def public_key(published: dict[str, str]) -> Ed25519PublicKey:
    """The key of a JWK. Raises TypeError when it isn't an Ed25519 public key."""
    key = jwt.algorithms.OKPAlgorithm.from_jwk(published)
    if not isinstance(key, Ed25519PublicKey):
        raise TypeError("not an Ed25519 public key")
    return key
