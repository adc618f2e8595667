"""Pages of lists by keyset: the cursor says after which row to go on, so that what is added or deleted shifts nothing.

after = pages.position(request.cursor)
rows = await tx.rows(
    Team,
    "select * from team where (created_at, team_uuid) > ($1, $2) order by created_at, team_uuid limit $3",
    *after,
    pages.rows_to_ask(request.limit),
)
data, next_cursor = pages.page(rows, request.limit, lambda team: (team.created_at, team.team_uuid))
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import msgspec

from basejump_common.errors import InvalidInput

T = TypeVar("T")
Position = tuple[datetime, UUID]
WordPosition = tuple[str, UUID]
"""In a list that is ordered by words."""

Place = Position | WordPosition

MAX_LIMIT = 200
_BEFORE_ALL: Position = (datetime(1, 1, 2, tzinfo=UTC), UUID(int=0))
_AFTER_ALL: Position = (datetime(9999, 12, 30, tzinfo=UTC), UUID(int=2**128 - 1))
_LONGEST_CURSOR = 500


def position(cursor: str | None, *, newest_first: bool = False) -> Position:
    """Where to go on; without a cursor at the beginning. Raises InvalidInput naming `cursor`."""
    if cursor is None:
        return _AFTER_ALL if newest_first else _BEFORE_ALL
    try:
        return _decode(cursor)
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise _no_cursor() from error


def word_position(cursor: str | None) -> WordPosition | None:
    """Where to go on in a list that is ordered by words; None at the beginning. Raises InvalidInput naming `cursor`."""
    try:
        return None if cursor is None else msgspec.json.decode(_content(cursor), type=WordPosition)
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise _no_cursor() from error


def rows_to_ask(limit: int) -> int:
    """One row more than the page has, to know whether another page follows. Raises InvalidInput naming `limit`."""
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInput.field("limit", f"must be from 1 to {MAX_LIMIT}")
    return limit + 1


def page(rows: Sequence[T], limit: int, position_of: Callable[[T], Place]) -> tuple[tuple[T, ...], str | None]:
    """The rows of this page and the cursor of the next one; None on the last page."""
    data = tuple(rows[:limit])
    return data, _encode(position_of(data[-1])) if len(rows) > limit else None


def _encode(place: Place) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).rstrip(b"=").decode()


def _decode(cursor: str) -> Position:
    created_at, uuid = msgspec.json.decode(_content(cursor), type=Position)
    if created_at.tzinfo is None:
        raise ValueError("without a time zone")
    return created_at, uuid


def _content(cursor: str) -> bytes:
    if len(cursor) > _LONGEST_CURSOR:
        raise ValueError("too long")
    padded = cursor + "=" * (-len(cursor) % 4)
    return base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)


def _no_cursor() -> InvalidInput:
    return InvalidInput.field("cursor", "not a cursor that this list has given")
