"""JSON on the wire keeps what it was given."""

from decimal import Decimal
from typing import Any

import msgspec

from basejump_common.contracts import wire
from basejump_common.security.secret import Secret


class Cells(msgspec.Struct, frozen=True, kw_only=True):
    """Values of any type, a typed one and a secret."""

    row: tuple[Any, ...]
    ratio: float = 0.0
    password: Secret = Secret("")


def test_numbers_of_no_declared_type_keep_all_their_digits() -> None:
    exact = Decimal("12345678901234567890.1234567890")
    received = wire.decode(wire.encode(Cells(row=(exact, 7, "x", None), ratio=0.5)), Cells)
    assert received.row == (exact, 7, "x", None)
    assert received.ratio == 0.5
    assert isinstance(received.ratio, float)


def test_a_secret_crosses_and_never_prints() -> None:
    received = wire.decode(wire.encode(Cells(row=(), password=Secret("hunter2"))), Cells)
    assert received.password.reveal() == "hunter2"
    assert "hunter2" not in f"{received} {received!r} {received.password}"


def test_nothing_at_all_is_an_empty_object() -> None:
    class Empty(msgspec.Struct):
        pass

    assert wire.decode(b"", Empty) == Empty()
