"""MySQL's types in results: as people know them, how values are read, and how they are kept.

Values come as text. What Python has no exact value for (zero dates, times beyond a day) stays the text that the
database wrote.
"""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Protocol

from asyncmy.constants import FIELD_TYPE, FLAG

from basejump_connection_indexer.domain.session import ColumnShape, Kept

_BINARY_CHARSET = 63
_VECTOR = 242  # newer than the driver's list


class Described(Protocol):
    """What of a column's description is read here."""

    name: str
    type_code: int
    flags: int
    charsetnr: int
    length: int


_NUMBERS = {
    FIELD_TYPE.TINY: ("tinyint", Kept.INT16, Kept.INT16),
    FIELD_TYPE.SHORT: ("smallint", Kept.INT16, Kept.INT32),
    FIELD_TYPE.INT24: ("mediumint", Kept.INT32, Kept.INT32),
    FIELD_TYPE.LONG: ("int", Kept.INT32, Kept.INT64),
    FIELD_TYPE.LONGLONG: ("bigint", Kept.INT64, Kept.UINT64),
    FIELD_TYPE.FLOAT: ("float", Kept.FLOAT, Kept.FLOAT),
    FIELD_TYPE.DOUBLE: ("double", Kept.DOUBLE, Kept.DOUBLE),
    FIELD_TYPE.DECIMAL: ("decimal", Kept.DECIMAL, Kept.DECIMAL),
    FIELD_TYPE.NEWDECIMAL: ("decimal", Kept.DECIMAL, Kept.DECIMAL),
}
"""Type → its name, how it is kept signed, and unsigned."""

_OTHERS = {
    FIELD_TYPE.NULL: ("null", Kept.STRING),
    FIELD_TYPE.YEAR: ("year", Kept.INT16),
    FIELD_TYPE.BIT: ("bit", Kept.UINT64),
    FIELD_TYPE.DATE: ("date", Kept.DATE),
    FIELD_TYPE.NEWDATE: ("date", Kept.DATE),
    FIELD_TYPE.DATETIME: ("datetime", Kept.TIMESTAMP),
    FIELD_TYPE.TIMESTAMP: ("timestamp", Kept.TIMESTAMP_UTC),
    # A length of time, below zero and beyond a day too.
    FIELD_TYPE.TIME: ("time", Kept.STRING),
    FIELD_TYPE.JSON: ("json", Kept.STRING),
    FIELD_TYPE.GEOMETRY: ("geometry", Kept.BINARY),
    _VECTOR: ("vector", Kept.BINARY),
}
_TEXTS = {
    FIELD_TYPE.VARCHAR: ("varchar", "varbinary"),
    FIELD_TYPE.VAR_STRING: ("varchar", "varbinary"),
    FIELD_TYPE.STRING: ("char", "binary"),
}


def shape(column: Described) -> ColumnShape:
    """A column of a result."""
    name, kept = _type(column)
    return ColumnShape(name=column.name, type=name, kept=kept)


def _type(column: Described) -> tuple[str, Kept]:
    code = column.type_code
    if code in _NUMBERS:
        name, signed, unsigned = _NUMBERS[code]
        return (f"{name} unsigned", unsigned) if column.flags & FLAG.UNSIGNED else (name, signed)
    if code in _OTHERS:
        return _OTHERS[code]
    if column.charsetnr == _BINARY_CHARSET:
        return _TEXTS.get(code, ("text", "blob"))[1], Kept.BINARY
    if column.flags & FLAG.ENUM:
        return "enum", Kept.STRING
    if column.flags & FLAG.SET:
        return "set", Kept.STRING
    return _TEXTS.get(code, ("text", "blob"))[0], Kept.STRING


def _date(text: str) -> dt.date | str:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return text


def _datetime(text: str) -> dt.datetime | str:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return text


def _moment(text: str) -> dt.datetime | str:
    """The session's time zone is UTC."""
    found = _datetime(text)
    return found.replace(tzinfo=dt.UTC) if isinstance(found, dt.datetime) else found


CONVERSIONS: dict[int, Callable[[Any], Any]] = {
    **dict.fromkeys(
        (FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.INT24, FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG, FIELD_TYPE.YEAR),
        int,
    ),
    FIELD_TYPE.FLOAT: float,
    FIELD_TYPE.DOUBLE: float,
    FIELD_TYPE.DECIMAL: Decimal,
    FIELD_TYPE.NEWDECIMAL: Decimal,
    FIELD_TYPE.DATE: _date,
    FIELD_TYPE.NEWDATE: _date,
    FIELD_TYPE.DATETIME: _datetime,
    FIELD_TYPE.TIMESTAMP: _moment,
    FIELD_TYPE.BIT: int.from_bytes,
}
