"""Catalogs as large as they get, for the tests and the bench of what is kept in memory and of how proofs scale."""

from __future__ import annotations

import random
from collections.abc import Iterator
from uuid import UUID

import msgspec

from basejump_connection_indexer.domain.definition import (
    ColumnDefinition,
    IndexedTable,
    KeptOnce,
    KeyDefinition,
    TableDefinition,
    TableNotes,
)
from basejump_connection_indexer.domain.guard import guard_catalog
from basejump_sqlguard import CatalogTable

_THINGS = """
account address audit branch budget channel contact contract customer delivery discount employee event factory grade
holiday invoice item journal ledger machine note office order parcel payment price product quality rating region salary
sample shipment stock store ticket unit vendor warehouse
""".split()  # noqa: SIM905 - words read better as text
_PROPERTIES = "name code status type amount total count date created_at updated_at note".split()  # noqa: SIM905 - as above
_TYPES = ("integer", "text", "numeric(10,2)", "timestamp with time zone", "character varying(40)", "bigint", "date")


def indexed_tables(tables: int, columns: int) -> Iterator[IndexedTable]:
    """As they come from the index: one after the other, each read from JSON, so that no two share a text."""
    decode = msgspec.json.Decoder(TableDefinition).decode
    for number, definition in enumerate(_definitions(tables, columns)):
        read = decode(msgspec.json.encode(definition))
        yield IndexedTable(tbl_uuid=UUID(int=number), definition=read, notes=TableNotes())


def kept_tables(tables: int, columns: int) -> list[IndexedTable]:
    """As they are kept."""
    once = KeptOnce()
    return [once.table(table) for table in indexed_tables(tables, columns)]


def guard_tables(tables: int, columns: int) -> list[CatalogTable]:
    """As the proof knows them."""
    return guard_catalog(kept_tables(tables, columns)).tables()


def _definitions(tables: int, columns: int) -> Iterator[TableDefinition]:
    chance = random.Random(1)
    before = ""
    for number in range(tables):
        name = f"{chance.choice(_THINGS)}_{chance.choice(_THINGS)}_{number}"
        found = {"id": ColumnDefinition("id", "integer")}
        while len(found) < columns:
            column = f"{chance.choice(_THINGS)}_{chance.choice(_PROPERTIES)}"
            # One in ten is a column that no other table has, with a comment of its own.
            own = f"{column}_{number}" if chance.random() < 0.1 else column
            said = f"The {own.replace('_', ' ')} of it" if own != column else ""
            found[own] = ColumnDefinition(own, chance.choice(_TYPES), False, said)
        parent = list(found)[1]
        keys = (KeyDefinition((parent,), _schema(number - 1), before, ("id",)),) if before else ()
        yield TableDefinition(
            schema=_schema(number),
            name=name,
            kind="table",
            columns=tuple(found.values()),
            comment=f"One row for each {name}",
            primary_key=("id",),
            foreign_keys=keys,
            rows=1_000,
        )
        before = name


def _schema(number: int) -> str:
    return f"part_{number % 20}"
