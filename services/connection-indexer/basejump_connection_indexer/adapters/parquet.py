"""Rows to Parquet, batch by batch. pyarrow is imported at the first result: an idle service doesn't need it."""

import decimal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from basejump_connection_indexer.adapters.json_values import json_value, plain_text
from basejump_connection_indexer.domain.session import ColumnShape, Kept

if TYPE_CHECKING:
    import pyarrow as pa

_encoder = msgspec.json.Encoder(decimal_format="number")
_DIGITS = 38  # of Parquet's widest decimal that readers agree on

# A database may have dates that are none (0000-00-00): they come as text.
_DATED = frozenset((Kept.DATE, Kept.TIMESTAMP, Kept.TIMESTAMP_UTC))

Row = Sequence[Any]


class ParquetBatches:
    """Writes batches of one schema; `take` gives what has been written since the last time.

    The types are those of the database where Parquet has them, else text. A decimal column is a
    decimal when `head` is the whole result and fits, else text: its digits are never rounded. Not for the event loop.
    """

    def __init__(self, columns: Sequence[ColumnShape], head: Sequence[Row], *, whole: bool) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        cells = list(zip(*head, strict=True)) or [()] * len(columns)
        self._fields = [_field(column, cells[place], whole) for place, column in enumerate(columns)]
        names = _unique([column.name for column in columns])
        schema = pa.schema([pa.field(name, kind) for name, (kind, _) in zip(names, self._fields, strict=True)])
        self._schema = schema
        self._buffer = _Buffer()
        self._writer = pq.ParquetWriter(self._buffer, schema, compression="zstd")
        self.raw_bytes = 0

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows. Raises ValueError when a value doesn't fit its column's type."""
        import pyarrow as pa

        if not rows:
            return
        arrays = [
            pa.array([None if cell is None else convert(cell) for cell in cells] if convert else cells, type=kind)
            for (kind, convert), cells in zip(self._fields, zip(*rows, strict=True), strict=True)
        ]
        batch = pa.record_batch(arrays, schema=self._schema)
        self.raw_bytes += batch.nbytes
        self._writer.write_batch(batch)

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()

    def take(self) -> bytes:
        """The bytes of the file that follow those taken before."""
        return self._buffer.take()


class _Buffer:
    """A file that is only written to, and emptied in between."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._position = 0
        self.closed = False

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._position += len(part)
        return len(part)

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        return None

    def close(self) -> None:
        self.closed = True

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


_Field = tuple["pa.DataType", Callable[[Any], Any] | None]


def _field(column: ColumnShape, head: Sequence[Any], whole: bool) -> _Field:
    import pyarrow as pa

    direct = {
        Kept.BOOL: pa.bool_(),
        Kept.INT16: pa.int16(),
        Kept.INT32: pa.int32(),
        Kept.INT64: pa.int64(),
        Kept.UINT64: pa.uint64(),
        Kept.FLOAT: pa.float32(),
        Kept.DOUBLE: pa.float64(),
        Kept.DATE: pa.date32(),
        Kept.TIME: pa.time64("us"),
        Kept.TIMESTAMP: pa.timestamp("us"),
        Kept.TIMESTAMP_UTC: pa.timestamp("us", tz="UTC"),
        Kept.BINARY: pa.binary(),
        Kept.STRING: pa.string(),
    }
    if column.kept in direct and not (column.kept in _DATED and any(isinstance(cell, str) for cell in head)):
        return direct[column.kept], None
    scale = _scale(head, whole) if column.kept is Kept.DECIMAL else None
    if scale is not None:
        return pa.decimal128(_DIGITS, scale), None
    return pa.string(), _as_text


def _unique(names: Sequence[str]) -> list[str]:
    """A query may name two columns alike, and most readers of Parquet refuse such a file: `count`, `count_2`."""
    given, found = set(names), []
    for place, name in enumerate(names):
        number = names[:place].count(name) + 1
        while number > 1 and f"{name}_{number}" in given:
            number += 1
        found.append(name if number == 1 else f"{name}_{number}")
        given.add(found[-1])
    return found


def _scale(head: Sequence[Any], whole: bool) -> int | None:
    """Digits after the point that hold every value; None when a decimal can't."""
    if not whole:
        return None
    numbers = [cell for cell in head if cell is not None]
    if not all(number.is_finite() for number in numbers):
        return None
    scale = max((max(-number.as_tuple().exponent, 0) for number in numbers), default=0)
    digits = max((number.adjusted() + 1 for number in numbers if number), default=0)
    return scale if max(digits, 0) + scale <= _DIGITS else None


def _as_text(value: Any) -> str:
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, list):
        return _encoder.encode(json_value(value)).decode()
    return plain_text(value)
