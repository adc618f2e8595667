"""Logins from a CSV text, row by row: what is wrong with one row says nothing of the others.

Columns: `username` and `password`; `data_source_desc`; `schemas` (names, separated by `;`); and one for each value of
the database's templated schemas, by its name. Messages never repeat what a cell holds: it may be a password.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from basejump_common.contracts.connection import Schema
from basejump_common.errors import InvalidInput
from basejump_common.security.secret import Secret
from basejump_connection_indexer.domain.schema_names import values_named

MOST_ROWS = 500
MOST_CHARACTERS = 400_000
_NEEDED = ("username", "password")
_KNOWN = (*_NEEDED, "data_source_desc", "schemas")
_LONGEST = {"username": 200, "data_source_desc": 20_000}


class ImportedLogin(msgspec.Struct, frozen=True, kw_only=True):
    """A row that can be tried."""

    username: str
    password: Secret
    data_source_desc: str = ""
    schemas: tuple[Schema, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """The n-th row after the header, from 1, and its login or what is wrong with it."""

    number: int
    username: str
    login: ImportedLogin | None = None
    problem: InvalidInput | None = None


def rows_of(text: str, database: Sequence[Schema]) -> list[Row]:
    """Every row that isn't empty. Raises InvalidInput when no row could be read rightly."""
    if len(text) > MOST_CHARACTERS:
        raise _wrong(f"longer than {MOST_CHARACTERS} characters: send it in parts")
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, values_named(database))
        rows = [cells for cells in reader if any(cells)]
    except csv.Error as error:
        raise _wrong(f"line {reader.line_num} can't be read as CSV") from error
    if not 0 < len(rows) <= MOST_ROWS:
        raise _wrong(f"has {len(rows)} rows after its header: send 1 to {MOST_ROWS}")
    return [_row(number, header, cells, database) for number, cells in enumerate(rows, start=1)]


def _check_header(header: Sequence[str], values: frozenset[str]) -> None:
    if missing := [name for name in _NEEDED if name not in header]:
        raise _wrong(f"its first line names no column {missing[0]}")
    known = (*_KNOWN, *sorted(values))
    if len(set(header)) < len(header) or not set(header).issubset(known):
        raise _wrong(f"its first line may name each once: {', '.join(known)}")


def _row(number: int, header: Sequence[str], cells: Sequence[str], database: Sequence[Schema]) -> Row:
    given = dict(zip(header, cells, strict=False))
    username = given.get("username", "")[: _LONGEST["username"]]
    try:
        if len(cells) != len(header):
            raise _wrong(f"has {len(cells)} cells, and the first line {len(header)}")
        return Row(number=number, username=username, login=_login(given, database))
    except InvalidInput as error:
        # Where cells are missing nobody knows which of them is the password.
        shown = username if len(cells) == len(header) else ""
        return Row(number=number, username=shown, problem=error)


def _login(given: dict[str, str], database: Sequence[Schema]) -> ImportedLogin:
    for name in _NEEDED:
        if not given[name]:
            raise InvalidInput.field(name, "is empty")
    for name, longest in _LONGEST.items():
        if len(given.get(name, "")) > longest:
            raise InvalidInput.field(name, f"longer than {longest} characters")
    return ImportedLogin(
        username=given["username"],
        password=Secret(given["password"]),
        data_source_desc=given.get("data_source_desc", ""),
        schemas=_schemas(given, database),
    )


def _schemas(given: dict[str, str], database: Sequence[Schema]) -> tuple[Schema, ...] | None:
    """None where the row says nothing of schemas."""
    values = {name: value for name, value in given.items() if name not in _KNOWN}
    named = tuple(filter(None, (name.strip() for name in given.get("schemas", "").split(";"))))
    if not values and not named:
        return None
    chosen = tuple(named or (schema.schema_nm for schema in database))
    return tuple(Schema(schema_nm=name, jinja_values=dict(_needed(name, values))) for name in chosen)


def _needed(template: str, values: dict[str, str]) -> Iterator[tuple[str, str]]:
    names = values_named([Schema(schema_nm=template)])
    return ((name, value) for name, value in values.items() if name in names)


def _wrong(message: str) -> InvalidInput:
    return InvalidInput.field("csv", message)
