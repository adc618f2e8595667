"""How long tokens live, in seconds (api-v1), and what follows for keys and revocations."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

REFRESH = 90 * 86_400
ACCESS = 15 * 60
CLIENT_SECRET = 5 * 60
DELEGATED = 5 * 60

REVOCATIONS_KEPT = timedelta(hours=1)
"""Refresh tokens are looked up in their session's row at every use; all the others have expired by then."""

KEY_LEAD = timedelta(minutes=5)
"""A new key is published for that long before it signs: every service has it by then."""


class Key(Protocol):
    """A signing key's place in time."""

    @property
    def active_from(self) -> datetime: ...

    @property
    def published_at(self) -> datetime | None: ...


K = TypeVar("K", bound=Key)


def is_key_due(keys: Sequence[K], now: datetime, rotate_after: timedelta) -> bool:
    """Whether a new key must be made: there is none, or the newest will have signed for `rotate_after`."""
    newest = max((key.active_from for key in keys), default=None)
    return newest is None or now + KEY_LEAD >= newest + rotate_after


def signing_key(keys: Sequence[K], now: datetime) -> K | None:
    """The newest key that may sign: its time has come and it is published."""
    usable = [key for key in keys if key.published_at is not None and key.active_from <= now]
    return max(usable, key=lambda key: key.active_from, default=None)


def spent_keys(keys: Sequence[K], now: datetime) -> list[K]:
    """Keys that have not signed for longer than the longest token lives."""
    ended = now - timedelta(seconds=REFRESH) - KEY_LEAD
    return [key for key in keys if any(key.active_from < later.active_from <= ended for later in keys)]
