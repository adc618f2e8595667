"""JSON on the wire: one encoder, one decoder and one schema hook for every message of the system."""

from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from basejump_common.security.secret import Secret

T = TypeVar("T")


def _encode(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError(f"{type(value).__name__} has no wire form")


def decode_custom(kind: type, value: Any) -> Any:
    """msgspec's `dec_hook`: a Secret is a JSON string, or is one already."""
    if isinstance(value, kind):
        return value
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError(f"expected a string for {kind.__name__}")


def schema_custom(kind: type) -> dict[str, Any]:
    """msgspec's `schema_hook`."""
    if kind is Secret:
        return {"type": "string", "format": "password"}
    raise NotImplementedError(kind.__name__)


_encoder = msgspec.json.Encoder(enc_hook=_encode, decimal_format="number")


def encode(value: msgspec.Struct) -> bytes:
    """The struct as JSON bytes. Secrets are written out: only for the operations that own them."""
    return _encoder.encode(value)


_decoders: dict[type, msgspec.json.Decoder[Any]] = {}


def decode(data: bytes, kind: type[T]) -> T:
    """JSON bytes as a struct; raises msgspec.ValidationError or DecodeError. Empty means `{}`.

    A number of no declared type (a cell of a result) keeps all its digits, as a Decimal.
    """
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind, dec_hook=decode_custom, float_hook=Decimal)
    value: T = decoder.decode(data or b"{}")
    return value
