"""A token is believed only when all of it is as auth made it."""

import base64
import json
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from basejump_common.errors import Unauthenticated, Unavailable
from basejump_common.security.principal import Credential, Principal, Role
from basejump_common.security.tokens import Signer, Verifier, jwk

KEY, OTHER_KEY = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
KID = "k1"
CALLER = Principal(
    credential=Credential.ACCESS,
    role=Role.ADMIN,
    client_uuid=uuid4(),
    user_uuid=uuid4(),
    session_uuid=uuid4(),
    secret_uuid=uuid4(),
)


@dataclass
class Bucket:
    entries: dict[str, bytes] = field(default_factory=dict)
    fresh: bool = True


def _keys() -> Bucket:
    return Bucket({KID: json.dumps(jwk(KID, KEY.public_key())).encode()})


def _verifier(revocations: Bucket | None = None) -> Verifier:
    return Verifier(_keys(), revocations or Bucket())


def _token(principal: Principal = CALLER, seconds: float = 60) -> str:
    return Signer(KID, KEY).sign(principal, seconds)[0].reveal()


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Its header and its claims."""
    return jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})


def _with_claims(**changes: Any) -> str:
    """Signed with the right key, its claims changed; None takes one away."""
    header, claims = _parts(_token())
    claims = {name: value for name, value in (claims | changes).items() if value is not None}
    return jwt.encode(claims, KEY, algorithm="EdDSA", headers=header)


def _with_header(**changes: Any) -> str:
    header, claims = _parts(_token())
    return jwt.encode(claims, KEY, algorithm="EdDSA", headers=header | changes)


def _unsigned(algorithm: str) -> str:
    """`alg: none` in the spellings that libraries have fallen for."""
    header, claims = _parts(_token())
    both = [header | {"alg": algorithm}, claims]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in both) + "."


def _hmac_under_the_public_key() -> str:
    """The public key taken for a shared secret."""
    header, claims = _parts(_token())
    secret = KEY.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return jwt.encode(claims, secret, algorithm="HS256", headers={**header, "alg": "HS256"})


@pytest.mark.parametrize("credential", list(Credential))
@pytest.mark.parametrize("role", list(Role))
def test_what_was_signed_is_what_is_verified(credential: Credential, role: Role) -> None:
    principal = Principal(
        credential=credential, role=role, client_uuid=uuid4(), user_uuid=uuid4(), session_uuid=uuid4(), actor="x"
    )
    verified = _verifier().verify(_token(principal))
    assert (verified.credential, verified.role, verified.actor) == (credential, role, "x")
    assert (verified.tenant, verified.user) == (principal.tenant, principal.user)
    assert verified.session_uuid == principal.session_uuid


def test_the_operators_token_has_no_tenant() -> None:
    operator = Principal(credential=Credential.CLIENT_SECRET, role=Role.INTERNAL, client_uuid=None, secret_uuid=uuid4())
    assert _verifier().verify(_token(operator)).client_uuid is None


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(_token(seconds=-1), id="expired"),
        pytest.param(_with_claims(aud="basejump.v2"), id="wrong audience"),
        pytest.param(_with_claims(iss="somebody"), id="wrong issuer"),
        pytest.param(_with_claims(iat=int(time.time()) + 3_600), id="from the future"),
        pytest.param(_with_claims(role="EMPEROR"), id="unknown role"),
        pytest.param(_with_claims(cid="not a uuid"), id="malformed tenant"),
        *[
            pytest.param(_with_claims(**{claim: None}), id=f"without {claim}")
            for claim in ("iss", "aud", "sub", "exp", "iat", "jti", "role")
        ],
        pytest.param(_with_header(typ="JWT"), id="wrong typ"),
        pytest.param(_with_header(typ=None), id="no typ"),
        pytest.param(_with_header(kid="k2"), id="unknown key"),
        pytest.param(_unsigned("none"), id="alg none"),
        pytest.param(_unsigned("None"), id="alg None"),
        pytest.param(_hmac_under_the_public_key(), id="HMAC under the public key"),
        pytest.param(Signer(KID, OTHER_KEY).sign(CALLER, 60)[0].reveal(), id="another key under this name"),
        pytest.param("", id="empty"),
        pytest.param("a.b.c", id="noise"),
        pytest.param("ü.ü.ü", id="not ASCII"),
        pytest.param("\ud800", id="not encodable"),
        pytest.param(_token() + "A" * 5_000, id="too long"),
    ],
)
def test_anything_else_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated):
        _verifier().verify(token)


@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "claims", "signature"])
def test_a_token_with_one_character_changed_is_refused(part: int) -> None:
    parts = _token().split(".")
    middle = len(parts[part]) // 2
    parts[part] = parts[part][:middle] + ("A" if parts[part][middle] != "A" else "B") + parts[part][middle + 1 :]
    with pytest.raises(Unauthenticated):
        _verifier().verify(".".join(parts))


def test_a_remembered_token_expires_too() -> None:
    token, verifier = _token(seconds=1), _verifier()
    assert verifier.verify(token)
    time.sleep(1.1)
    with pytest.raises(Unauthenticated):
        verifier.verify(token)


@pytest.mark.parametrize("what", ["secret", "session", "user"])
def test_a_revocation_reaches_a_remembered_token(what: str) -> None:
    revocations = Bucket()
    token, verifier = _token(), _verifier(revocations)
    assert verifier.verify(token)
    since = int(time.time()) + 1 if what == "user" else 0
    revocations.entries[f"{what}.{getattr(CALLER, f'{what}_uuid')}"] = str(since).encode()
    with pytest.raises(Unauthenticated):
        verifier.verify(token)


def test_a_user_revoked_earlier_has_new_tokens_that_are_good() -> None:
    earlier = str(int(time.time()) - 60).encode()
    assert _verifier(Bucket({f"user.{CALLER.user_uuid}": earlier})).verify(_token())


def test_a_key_that_is_gone_takes_its_remembered_tokens_along() -> None:
    keys = _keys()
    token, verifier = _token(), Verifier(keys, Bucket())
    assert verifier.verify(token)
    keys.entries.clear()
    with pytest.raises(Unauthenticated):
        verifier.verify(token)


@pytest.mark.parametrize("behind", ["keys", "revocations"])
def test_without_fresh_keys_or_revocations_nothing_is_believed(behind: str) -> None:
    keys, revocations = _keys(), Bucket()
    token, verifier = _token(), Verifier(keys, revocations)
    assert verifier.verify(token)
    (keys if behind == "keys" else revocations).fresh = False
    with pytest.raises(Unavailable):
        verifier.verify(token)
