"""Envelope encryption: each value has a data key of its own, wrapped by a master key that can be rotated.

    envelope = Envelope.from_text("2026b:…base64…,2026a:…base64…")    # the first one is current, the rest still open
    sealed = envelope.encrypt(password, context=(str(client_uuid), "connection", str(conn_uuid)))
    envelope.decrypt(sealed, context=(str(client_uuid), "connection", str(conn_uuid)))

AES-256-GCM twice. `context` is authenticated, not stored: a value moved to another row, table or tenant doesn't open.

    0x01 · length of the key's id · key's id · nonce (12) · wrapped data key (48) · nonce (12) · ciphertext, tag
"""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = 1
_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_WRAPPED_BYTES = _NONCE_BYTES + _KEY_BYTES + _TAG_BYTES
_WRAP = b"data key"
_SEAL = b"content"


class EnvelopeError(Exception):
    """The value doesn't open: another context, an unknown master key, or damage. Says nothing of the material."""


@dataclass(frozen=True)
class _Parts:
    key_id: str
    wrapped: bytes
    content: bytes

    def to_bytes(self) -> bytes:
        key_id = self.key_id.encode()
        return bytes([_VERSION, len(key_id)]) + key_id + self.wrapped + self.content

    @classmethod
    def from_bytes(cls, sealed: bytes) -> Self:
        if len(sealed) < 2 or sealed[0] != _VERSION:
            raise EnvelopeError("not in a format that this version knows")
        start = 2 + sealed[1]
        content = sealed[start + _WRAPPED_BYTES :]
        if len(content) < _NONCE_BYTES + _TAG_BYTES:
            raise EnvelopeError("cut short")
        key_id = sealed[2:start].decode("utf-8", errors="replace")
        return cls(key_id, sealed[start : start + _WRAPPED_BYTES], content)


class Envelope:
    """Encrypts with the master key `current`; decrypts with any of `master_keys` (id → 32 bytes)."""

    def __init__(self, master_keys: Mapping[str, bytes], current: str) -> None:
        if current not in master_keys:
            raise ValueError("the current master key is not among the master keys")
        for key_id, key in master_keys.items():
            if len(key) != _KEY_BYTES or not 1 <= len(key_id.encode()) <= 255:
                # Its name isn't quoted: in a setting without a colon the name is the key.
                raise ValueError("a master key needs a name and 32 bytes")
        self._keys = {key_id: AESGCM(key) for key_id, key in master_keys.items()}
        self._current = current

    @classmethod
    def from_text(cls, text: str) -> Self:
        """From a setting, `id:base64,id:base64`; the first is current. ValueError, which never quotes a key."""
        keys: dict[str, bytes] = {}
        for place, entry in enumerate(text.split(","), start=1):
            key_id, _, encoded = entry.strip().partition(":")
            if key_id in keys:
                raise ValueError(f"master key {place}: its id is there twice")
            keys[key_id] = _decoded(encoded, place)
        return cls(keys, current=next(iter(keys)))

    def encrypt(self, plaintext: bytes, *, context: tuple[str, ...]) -> bytes:
        """The value sealed under a fresh data key."""
        data_key = AESGCM.generate_key(_KEY_BYTES * 8)
        content = _seal(AESGCM(data_key), plaintext, _bound(_SEAL, context))
        return _Parts(self._current, self._wrapped(data_key, context), content).to_bytes()

    def decrypt(self, sealed: bytes, *, context: tuple[str, ...]) -> bytes:
        """The value. Raises EnvelopeError."""
        parts = _Parts.from_bytes(sealed)
        return _open(AESGCM(self._data_key(parts, context)), parts.content, _bound(_SEAL, context))

    def rewrap(self, sealed: bytes, *, context: tuple[str, ...]) -> bytes:
        """The same value under the current master key; the content itself isn't touched. Raises EnvelopeError."""
        parts = _Parts.from_bytes(sealed)
        data_key = self._data_key(parts, context)
        return _Parts(self._current, self._wrapped(data_key, context), parts.content).to_bytes()

    def is_current(self, sealed: bytes) -> bool:
        """Whether the value is under the current master key already. Raises EnvelopeError."""
        return _Parts.from_bytes(sealed).key_id == self._current

    def _wrapped(self, data_key: bytes, context: tuple[str, ...]) -> bytes:
        return _seal(self._keys[self._current], data_key, _bound(_WRAP, (self._current, *context)))

    def _data_key(self, parts: _Parts, context: tuple[str, ...]) -> bytes:
        master = self._keys.get(parts.key_id)
        if master is None:
            raise EnvelopeError("its master key is not configured")
        return _open(master, parts.wrapped, _bound(_WRAP, (parts.key_id, *context)))


def _bound(purpose: bytes, context: tuple[str, ...]) -> bytes:
    """The authenticated data: each part with its length before it, so that ("ab", "c") isn't ("a", "bc")."""
    parts = [purpose, *(part.encode() for part in context)]
    return bytes([_VERSION]) + b"".join(len(part).to_bytes(4) + part for part in parts)


def _seal(key: AESGCM, plaintext: bytes, authenticated: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + key.encrypt(nonce, plaintext, authenticated)


def _open(key: AESGCM, sealed: bytes, authenticated: bytes) -> bytes:
    try:
        return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], authenticated)
    except InvalidTag:
        raise EnvelopeError("doesn't open: another context, another key, or damage") from None


def _decoded(encoded: str, place: int) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"master key {place}: not base64") from None
