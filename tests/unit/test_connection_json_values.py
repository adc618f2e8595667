"""Values as JSON: exact where JSON can, text where it can't."""

import datetime as dt
from decimal import Decimal
from uuid import UUID

from asyncpg import Range

from basejump_common.contracts import wire
from basejump_common.contracts.connection import Proof, RunResult
from basejump_connection_indexer.adapters.json_values import PREVIEW_BYTES, json_value, preview
from basejump_connection_indexer.adapters.postgres.types import spelled


def test_numbers_stay_numbers_unless_json_has_none_for_them() -> None:
    assert json_value(2**63) == 2**63
    assert json_value(Decimal("1.10")) == Decimal("1.10")
    assert [json_value(float(text)) for text in ("nan", "inf", "-inf")] == ["NaN", "Infinity", "-Infinity"]
    assert json_value(Decimal("NaN")) == "NaN"
    assert json_value(True) is True


def test_times_are_rfc_3339_in_utc() -> None:
    zone = dt.timezone(dt.timedelta(hours=2))
    assert json_value(dt.datetime(2024, 2, 29, 12, 30, tzinfo=zone)) == "2024-02-29T10:30:00Z"
    assert json_value(dt.date(2024, 2, 29)) == "2024-02-29"


def test_bytes_lists_and_uuids() -> None:
    assert json_value(b"\x00\xff") == "AP8="
    assert json_value([1, None, [Decimal("2.5")]]) == [1, None, [Decimal("2.5")]]
    assert json_value(UUID(int=1)) == "00000000-0000-0000-0000-000000000001"


def test_ranges_are_written_as_the_database_writes_them() -> None:
    assert json_value(Range(1, 3, lower_inc=True, upper_inc=False)) == "[1,3)"
    assert json_value(Range(None, dt.date(2024, 1, 2), upper_inc=True)) == "(,2024-01-02]"
    assert json_value(Range(empty=True)) == "empty"


def test_a_preview_fits_a_reply_however_wide_its_rows_are() -> None:
    assert len(preview([("x",)] * 80)) == 50
    wide = preview([tuple("y" * 20_000 for _ in range(30))] * 50)
    assert 0 < len(wide) < 3
    assert sum(len(cell) for row in wide for cell in row) <= PREVIEW_BYTES


def test_an_exact_number_is_exact_on_the_wire() -> None:
    rows = preview([(Decimal("12345678901234567890.10"),)])
    proof = Proof(sql="", fingerprint="", row_limit=1, fully_proved=True)
    reply = RunResult(
        run_uuid=UUID(int=1), columns=(), row_count=1, truncated=False, preview=rows, bytes=1, database_seconds=0.0,
        proof=proof,
    )  # fmt: skip
    assert b"12345678901234567890.10" in wire.encode(reply)


def test_types_are_spelled_as_people_know_them() -> None:
    assert [spelled(name) for name in ("int4", "_int4", "int8[]", "varchar", "mood")] == [
        "integer",
        "integer[]",
        "bigint[]",
        "character varying",
        "mood",
    ]
