"""What a client secret looks like: `bj_<environment>_<random><checksum>`.

The random part is 28 characters of base62 (166 bits). The checksum, CRC-32 of all before it in six characters, refuses
a mistyped or truncated key without a look-up, and lets a scanner tell a leaked key from noise.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib

from basejump_common.security.secret import Secret

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_CHARACTERS = 28
CHECKSUM_CHARACTERS = 6
SHOWN_CHARACTERS = 4
PUBLIC_CHARACTERS = 32
ENVIRONMENT = r"[a-z][a-z0-9]{0,15}"
_SHAPE = re.compile(rf"bj_{ENVIRONMENT}_[0-9A-Za-z]{{{RANDOM_CHARACTERS + CHECKSUM_CHARACTERS}}}")


def new_secret(environment: str) -> Secret:
    """A fresh one."""
    random = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_CHARACTERS))
    body = f"bj_{environment}_{random}"
    return Secret(body + _checksum(body))


def is_well_formed(text: str, environment: str) -> bool:
    """Whether `text` can be a secret of this environment: its shape, its environment and its checksum."""
    if not text.startswith(f"bj_{environment}_") or not _SHAPE.fullmatch(text):
        return False
    body, checksum = text[:-CHECKSUM_CHARACTERS], text[-CHECKSUM_CHARACTERS:]
    return checksum == _checksum(body)


def display_prefix(secret: Secret) -> str:
    """What may be shown for recognising it: its beginning, 24 of its 166 bits."""
    text = secret.reveal()
    return text[: -(RANDOM_CHARACTERS + CHECKSUM_CHARACTERS - SHOWN_CHARACTERS)]


def public_key(environment: str, secret: Secret) -> str:
    """Names the secret in public, `bjpk_<environment>_<half of its SHA-256>`: 166 random bits aren't guessed."""
    digest = hashlib.sha256(secret.reveal().encode()).hexdigest()
    return f"bjpk_{environment}_{digest[:PUBLIC_CHARACTERS]}"


def secret_hash(pepper: Secret, text: str) -> bytes:
    """HMAC-SHA256 under the pepper, which isn't in the database: a stolen table tells nothing."""
    return hmac.digest(pepper.reveal().encode(), text.encode(), hashlib.sha256)


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(CHECKSUM_CHARACTERS):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
