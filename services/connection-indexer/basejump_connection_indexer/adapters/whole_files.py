"""A stored result from beginning to end, part by part: as it is kept, or as CSV. Not for the event loop.

CSV is RFC 4180 in UTF-8: CRLF, a row of names, every text in quotes, so that a NULL (an empty field) isn't an empty
text (`""`). No more than one group of rows is in memory.
"""

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from basejump_common.contracts.connection import Format
from basejump_connection_indexer.adapters.result_store import StoredFile

if TYPE_CHECKING:
    import pyarrow as pa

PART_BYTES = 1_000_000
_CSV_ROWS = 20_000

Part: TypeAlias = bytes | memoryview


def parts(file: StoredFile, form: Format) -> Iterator[Part]:
    """The whole file."""
    return _csv(file) if form is Format.CSV else iter(lambda: file.read(PART_BYTES), b"")


def _csv(file: StoredFile) -> Iterator[Part]:
    import pyarrow as pa
    import pyarrow.csv as csv
    import pyarrow.parquet as pq

    parquet = pq.ParquetFile(file, pre_buffer=True)
    groups = range(parquet.num_row_groups)
    for place in groups or [None]:
        rows = parquet.schema_arrow.empty_table() if place is None else parquet.read_row_group(place, use_threads=False)
        sink = pa.BufferOutputStream()
        how = csv.WriteOptions(include_header=not place, batch_size=_CSV_ROWS, eol="\r\n")
        csv.write_csv(_writable(rows), sink, how)
        yield memoryview(sink.getvalue())


def _writable(rows: "pa.Table") -> "pa.Table":
    """Times and bytes as text."""
    import pyarrow as pa

    columns = [_as_text(column) for column in rows.columns]
    return pa.Table.from_arrays(columns, names=rows.schema.names)


def _as_text(column: "pa.ChunkedArray") -> Any:
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        return _as_iso(column)
    if pa.types.is_binary(column.type):
        cells = (None if cell is None else base64.b64encode(cell).decode() for cell in column.to_pylist())
        return pa.array(cells, pa.string())
    return column


def _as_iso(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """As RFC 3339 has them. Arrow looks the zone of each value up, though all that have one are in UTC: the text of
    those without takes a tenth of the time. Years are 1 to 9999, so that the date ends at the tenth character."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.cast(column.cast(pa.timestamp(column.type.unit)), pa.string())
    iso = pc.utf8_replace_slice(text, 10, 11, "T")
    return iso if column.type.tz is None else pc.binary_join_element_wise(iso, "Z", "")
