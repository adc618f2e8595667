"""A string that must not be seen: it prints as stars, and only `reveal()` gives it."""

import hmac
from typing import Any


class Secret:
    """Passwords, client secrets and tokens. On the wire it is a plain JSON string (see `contracts.wire`)."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself; call it where it is used, never to keep it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(****)"

    def __str__(self) -> str:
        return "****"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("a Secret can't be pickled")
