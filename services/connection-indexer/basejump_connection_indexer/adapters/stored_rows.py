"""Some rows of a stored result, read batch by batch: no more than one batch and what is picked is in memory.

Not for the event loop. pyarrow is imported at the first reading: an idle service doesn't need it.
"""

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec

from basejump_common.contracts.connection import Pick
from basejump_connection_indexer.adapters.json_values import json_value
from basejump_connection_indexer.adapters.result_store import StoredFile

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 20_000
_KEY = "key"
_HASH_BYTES = 16


class Picked(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of JSON values, and what the rows that weren't picked add up to."""

    rows: tuple[tuple[Any, ...], ...]
    rest: float | None = None


def first(file: StoredFile, columns: Sequence[int], most: int, longest_text: int) -> Picked:
    """The first rows."""
    rows: list[tuple[Any, ...]] = []
    for batch in _batches(file, columns):
        rows += _rows(batch.slice(0, most - len(rows)), longest_text)
        if len(rows) >= most:
            break
    return Picked(rows=tuple(rows))


def even(file: StoredFile, columns: Sequence[int], most: int, longest_text: int) -> Picked:
    """Every n-th row, so that there are at most so many."""
    import pyarrow as pa

    step, place = -(-_row_count(file) // most) or 1, 0
    rows: list[tuple[Any, ...]] = []
    for batch in _batches(file, columns):
        wanted = range(-place % step, batch.num_rows, step)
        rows += _rows(batch.take(pa.array(wanted, pa.int64())), longest_text)
        place += batch.num_rows
    return Picked(rows=tuple(rows))


def largest(file: StoredFile, columns: Sequence[int], by: int, most: int, longest_text: int) -> Picked:
    """The rows with the largest values in the column `by`, those first; rows without a value come last."""
    import pyarrow as pa

    kept: pa.Table | None = None
    total = 0.0
    for batch in _batches(file, [*columns, by]):
        keyed = _with_key(batch)
        total += _sum(keyed)
        together = pa.Table.from_batches([keyed] if kept is None else [*kept.to_batches(), keyed])
        kept = _top(together, most)
    if kept is None:
        return Picked(rows=())
    rows = [row for batch in kept.drop_columns([_KEY]).to_batches() for row in _rows(batch, longest_text)]
    return Picked(rows=tuple(rows), rest=total - _sum(kept))


def multiset(file: StoredFile, key: bytes) -> tuple[int, int]:
    """How many columns, and a sum of keyed hashes of all rows: equal, to all intents, where the same rows come in any
    order (Bellare and Micciancio, A New Paradigm for Collision-Free Hashing, 1997). Numbers count by their value."""
    import pyarrow.parquet as pq

    columns = pq.ParquetFile(file).metadata.num_columns
    total = 0
    for batch in _batches(file, range(columns)):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            plain = msgspec.json.encode([_by_value(cell) for cell in row])
            total += int.from_bytes(blake2b(plain, digest_size=_HASH_BYTES, key=key).digest())
    return columns, total % (1 << 8 * _HASH_BYTES)


def pick(how: Pick, file: StoredFile, columns: Sequence[int], by: int | None, most: int, longest_text: int) -> Picked:
    """As asked; `by` counts for `largest` alone. Raises IndexError for a column that isn't there."""
    match how:
        case Pick.LARGEST if by is not None:
            return largest(file, columns, by, most, longest_text)
        case Pick.EVEN:
            return even(file, columns, most, longest_text)
        case _:
            return first(file, columns, most, longest_text)


def _row_count(file: StoredFile) -> int:
    import pyarrow.parquet as pq

    return int(pq.ParquetFile(file).metadata.num_rows)


def _batches(file: StoredFile, columns: Sequence[int]) -> "Iterator[pa.RecordBatch]":
    """The columns by place, in that order, named by their place here: names of a result may repeat."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parquet = pq.ParquetFile(file)
    if max(columns) >= parquet.metadata.num_columns:
        raise IndexError("there is no such column")
    wanted = sorted(set(columns))
    names = [str(place) for place in range(len(columns))]
    groups = range(parquet.metadata.num_row_groups)
    # The public method takes names; ours are flat columns, so that leaves and columns have the same places.
    for batch in parquet.reader.iter_batches(BATCH_ROWS, row_groups=groups, column_indices=wanted, use_threads=False):
        arrays = [batch.column(wanted.index(column)) for column in columns]
        yield pa.RecordBatch.from_arrays(arrays, names=names)


def _with_key(batch: "pa.RecordBatch") -> "pa.RecordBatch":
    """The last column as comparable numbers: a decimal may be kept as text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    keys = pc.cast(batch.column(batch.num_columns - 1), pa.float64())
    keys = pc.if_else(pc.is_finite(keys), keys, pa.scalar(None, pa.float64()))
    arrays = [*batch.columns[:-1], keys]
    return pa.RecordBatch.from_arrays(arrays, names=[*batch.schema.names[:-1], _KEY])


def _top(table: "pa.Table", most: int) -> "pa.Table":
    import pyarrow.compute as pc

    places = pc.sort_indices(table, sort_keys=[(_KEY, "descending")])
    return table.take(places.slice(0, most)).combine_chunks()


def _sum(of: "pa.Table | pa.RecordBatch") -> float:
    import pyarrow.compute as pc

    return float(pc.sum(of.column(_KEY)).as_py() or 0.0)


def _rows(batch: "pa.RecordBatch", longest_text: int) -> list[tuple[Any, ...]]:
    columns = [[_cell(cell, longest_text) for cell in column.to_pylist()] for column in batch.columns]
    return list(zip(*columns, strict=True))


def _by_value(cell: Any) -> Any:
    value = json_value(cell)
    if isinstance(value, float | Decimal):
        return format(Decimal(str(value)).normalize(), "f") if math.isfinite(value) else str(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _cell(cell: Any, longest_text: int) -> Any:
    value = json_value(cell)
    return f"{value[: longest_text - 1]}…" if isinstance(value, str) and len(value) > longest_text else value
