"""Cursor pages, walked over real rows."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from basejump_common.errors import InvalidInput
from basejump_common.storage import pages
from basejump_common.storage.database import Database

A = UUID(int=0xA)
OLDEST_FIRST = """
    select * from note where (created_at, note_uuid) > ($1, $2) order by created_at, note_uuid limit $3
"""
NEWEST_FIRST = """
    select * from note where (created_at, note_uuid) < ($1, $2) order by created_at desc, note_uuid desc limit $3
"""


class Note(msgspec.Struct, frozen=True):
    note_uuid: UUID
    text: str
    created_at: datetime


def place(note: Note) -> pages.Position:
    return note.created_at, note.note_uuid


async def add(database: Database, *texts: str, at: datetime) -> None:
    async with database.tenant(A) as tx:
        await tx.insert_records(
            "note",
            ("note_uuid", "client_uuid", "text", "created_at"),
            [(uuid4(), A, text, at + timedelta(seconds=number // 2)) for number, text in enumerate(texts)],
        )


async def page(
    database: Database, limit: int, cursor: str | None, *, newest_first: bool
) -> tuple[tuple[Note, ...], str | None]:
    after = pages.position(cursor, newest_first=newest_first)
    async with database.tenant(A) as tx:
        sql = NEWEST_FIRST if newest_first else OLDEST_FIRST
        rows = await tx.rows(Note, sql, *after, pages.rows_to_ask(limit))
    return pages.page(rows, limit, place)


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("limit", [1, 3, 7, 10, 200])
async def test_pages_hold_each_row_once_and_in_order(notes: Database, limit: int, newest_first: bool) -> None:
    await add(notes, *"abcdefghij", at=datetime(2026, 1, 1, tzinfo=UTC))
    seen: list[Note] = []
    cursor: str | None = None
    while True:
        rows, cursor = await page(notes, limit, cursor, newest_first=newest_first)
        assert 1 <= len(rows) <= limit
        seen += rows
        if cursor is None:
            break
    assert seen == sorted(seen, key=place, reverse=newest_first)
    assert sorted(note.text for note in seen) == list("abcdefghij")


async def test_rows_added_meanwhile_shift_nothing(notes: Database) -> None:
    await add(notes, *"abcd", at=datetime(2026, 1, 1, tzinfo=UTC))
    first, cursor = await page(notes, 2, None, newest_first=True)
    await add(notes, "new", at=datetime(2026, 2, 1, tzinfo=UTC))
    second, cursor = await page(notes, 2, cursor, newest_first=True)
    assert {note.text for note in (*first, *second)} == set("abcd")
    assert cursor is None


async def test_an_empty_list_is_one_empty_page(notes: Database) -> None:
    assert await page(notes, 10, None, newest_first=False) == ((), None)


@pytest.mark.parametrize("limit", [0, -1, 201])
def test_a_limit_out_of_bounds_is_named(limit: int) -> None:
    with pytest.raises(InvalidInput) as raised:
        pages.rows_to_ask(limit)
    assert raised.value.errors[0].field == "limit"


FOREIGN = [
    "",
    "x",
    "ü",
    "a" * 5000,
    "=" * 9,
    *(
        base64.urlsafe_b64encode(text).decode()
        for text in (b"{}", b"[]", b'["2026-01-01T00:00:00","00000000-0000-0000-0000-000000000001"]', b"[1,2]")
    ),
]


@pytest.mark.parametrize("cursor", FOREIGN)
def test_a_cursor_that_no_list_gave_is_named(cursor: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        pages.position(cursor)
    assert raised.value.errors[0].field == "cursor"


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_leads_back_to_its_row(created_at: datetime, uuid: UUID) -> None:
    _, cursor = pages.page([1, 2], 1, lambda _: (created_at, uuid))
    assert cursor is not None
    assert cursor.isascii()
    assert pages.position(cursor) == (created_at, uuid)


@given(st.text(max_size=100))
def test_any_text_is_a_cursor_or_invalid_input(text: str) -> None:
    try:
        pages.position(text)
    except InvalidInput as error:
        assert error.errors[0].field == "cursor"  # noqa: PT017 - either outcome is right
