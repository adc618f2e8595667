"""The tables `indexed_table` and `sight`; what admins write is in `note_rows`. Every function takes the tenant's
transaction.

Many rows are written by one statement over arrays: 10,000 tables take about a second.
"""

import os
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from basejump_common.contracts.connection import MOST_TABLES, TableDrift
from basejump_common.storage.database import Transaction
from basejump_connection_indexer.domain import drift
from basejump_connection_indexer.domain.definition import IndexedTable, TableDefinition
from basejump_connection_indexer.domain.union import Name

_INSERT = """
    insert into indexed_table (client_uuid, db_uuid, tbl_uuid, schema_name, table_name, fingerprint, definition)
    select $1, $2, * from unnest($3::uuid[], $4::text[], $5::text[], $6::bytea[], $7::jsonb[])
"""
_UPDATE = """
    update indexed_table set fingerprint = new.fingerprint, definition = new.definition
    from unnest($1::uuid[], $2::bytea[], $3::jsonb[]) as new (tbl_uuid, fingerprint, definition)
    where indexed_table.tbl_uuid = new.tbl_uuid
"""
_FORGET = "delete from indexed_table where tbl_uuid = any($1::uuid[]) and changed_at is null"
_REMEMBER = "update indexed_table set fingerprint = '' where tbl_uuid = any($1::uuid[])"
_SIGHTS = """
    insert into sight (client_uuid, conn_uuid, tbl_uuid, columns)
    select $1, $2, tbl_uuid, case when columns is null then null
        else array(select jsonb_array_elements_text(columns)) end
    from unnest($3::uuid[], $4::jsonb[]) as new (tbl_uuid, columns)
    on conflict (client_uuid, conn_uuid, tbl_uuid) do update set columns = excluded.columns
"""
# A column is visible when any of the connections sees it; null: all are.
_SEEN = """
    select tbl_uuid, definition, notes, changed_by, changed_at,
        case when exists (
            select from sight
            where sight.tbl_uuid = indexed_table.tbl_uuid and conn_uuid = any($1::uuid[]) and columns is null
        ) then null else array(
            select distinct unnest(columns) from sight
            where sight.tbl_uuid = indexed_table.tbl_uuid and conn_uuid = any($1::uuid[])
        ) end as visible
    from indexed_table
    where tbl_uuid in (select tbl_uuid from sight where conn_uuid = any($1::uuid[]))
"""

_PAGE = 500


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What writing an index did: tables by name, how many were added, rewritten or removed, and what is told of that;
    `more`: not all of it is."""

    tables: dict[Name, UUID]
    changed: int
    drift: tuple[TableDrift, ...] = ()
    more: bool = False


async def write(
    tx: Transaction, client_uuid: UUID, db_uuid: UUID, definitions: Mapping[Name, TableDefinition]
) -> Change:
    """Make the index of a database be `definitions`, touching only what differs; tables keep their uuids.

    A table that is gone is forgotten, unless an admin wrote about it.
    """
    rows = await tx.fetch(
        "select schema_name, table_name, tbl_uuid, fingerprint from indexed_table where db_uuid = $1", db_uuid
    )
    known: dict[Name, tuple[UUID, bytes]] = {(row[0], row[1]): (row[2], row[3]) for row in rows}
    prints = {name: definition.fingerprint() for name, definition in definitions.items()}
    new = [name for name in definitions if name not in known]
    other = [name for name in definitions if name in known and known[name][1] != prints[name]]
    gone = [uuid for name, (uuid, fingerprint) in known.items() if name not in definitions and fingerprint]
    told = [drift.added(definitions[name]) for name in new[:MOST_TABLES]]
    told += [drift.removed(*name) for name in known if known[name][1] and name not in definitions][:MOST_TABLES]
    told += await _changed(tx, {known[name][0]: definitions[name] for name in other[:MOST_TABLES]})
    uuids = dict(zip(new, _fresh_uuids(len(new)), strict=True))
    await _insert(tx, (client_uuid, db_uuid), [(uuids[name], prints[name], definitions[name]) for name in new])
    await _update(tx, [(known[name][0], prints[name], definitions[name]) for name in other])
    await _forget(tx, gone)
    kept = {name: known[name][0] for name in definitions if name in known}
    return Change(
        tables=kept | uuids,
        changed=len(new) + len(other) + len(gone),
        drift=tuple(told[:MOST_TABLES]),
        more=max(len(new), len(gone), len(other), len(told)) > MOST_TABLES,
    )


async def write_sights(
    tx: Transaction, client_uuid: UUID, conn_uuid: UUID, seen: Mapping[UUID, Sequence[str] | None]
) -> int:
    """Say what a connection sees: tables, and the only columns of each (None: all); how many rows that changed."""
    rows = await tx.fetch("select tbl_uuid, columns from sight where conn_uuid = $1", conn_uuid)
    known = {row["tbl_uuid"]: row["columns"] for row in rows}
    gone = [tbl_uuid for tbl_uuid in known if tbl_uuid not in seen]
    changed = [tbl_uuid for tbl_uuid, columns in seen.items() if tbl_uuid not in known or known[tbl_uuid] != columns]
    if gone:
        await tx.execute("delete from sight where conn_uuid = $1 and tbl_uuid = any($2::uuid[])", conn_uuid, gone)
    if changed:
        await tx.execute(_SIGHTS, client_uuid, conn_uuid, changed, [seen[tbl_uuid] for tbl_uuid in changed])
    return len(gone) + len(changed)


async def forget_unseen(tx: Transaction, db_uuid: UUID) -> None:
    """A login is gone: so are the tables that no other sees, unless an admin wrote about them."""
    rows = await tx.fetch(
        """
        select tbl_uuid from indexed_table
        where db_uuid = $1 and fingerprint <> '' and not exists (
            select from sight where sight.client_uuid = indexed_table.client_uuid
                and sight.tbl_uuid = indexed_table.tbl_uuid)
        """,
        db_uuid,
    )
    await _forget(tx, [row["tbl_uuid"] for row in rows])


async def seen_by(tx: Transaction, conn_uuid: UUID) -> AsyncIterator[list[IndexedTable]]:
    """What a connection sees, by schema and name, in pages: as rows, all of it takes several times the memory."""
    after = ("", "")
    while seen := await page(tx, [conn_uuid], after, _PAGE, with_ignored=True):
        yield seen
        after = (seen[-1].definition.schema, seen[-1].definition.name)


async def find_seen(tx: Transaction, conn_uuids: Collection[UUID], tbl_uuid: UUID) -> IndexedTable | None:
    """One table, when one of these connections sees it."""
    return await tx.row(IndexedTable, f"{_SEEN} and tbl_uuid = $2", list(conn_uuids), tbl_uuid)


async def named(tx: Transaction, db_uuid: UUID, names: Collection[str]) -> list[TableDefinition]:
    """The tables of a database that have one of these names, in any schema."""
    rows = await tx.fetch(
        """
        select definition from indexed_table where db_uuid = $1 and table_name = any($2::text[]) and fingerprint <> ''
        order by schema_name
        """,
        db_uuid,
        list(names),
    )
    return [msgspec.convert(row["definition"], TableDefinition) for row in rows]


async def database_of(tx: Transaction, tbl_uuid: UUID) -> UUID | None:
    """The database that a table belongs to."""
    found: UUID | None = await tx.fetchval("select db_uuid from indexed_table where tbl_uuid = $1", tbl_uuid)
    return found


async def page(
    tx: Transaction, conn_uuids: Collection[UUID], after: Name, limit: int, *, with_ignored: bool
) -> list[IndexedTable]:
    """What these connections see together, by schema and name, beginning after a name."""
    return await tx.rows(
        IndexedTable,
        f"""
        {_SEEN} and (schema_name, table_name) > ($2, $3)
            and ($5 or not coalesce((notes->>'ignore')::boolean, false))
        order by schema_name, table_name limit $4
        """,
        list(conn_uuids),
        *after,
        limit,
        with_ignored,
    )


async def sights(
    tx: Transaction, conn_uuids: Collection[UUID], tbl_uuids: Collection[UUID]
) -> dict[tuple[UUID, UUID], frozenset[str] | None]:
    """By connection and table that it sees: the only columns that it sees, None: all."""
    rows = await tx.fetch(
        """
        select conn_uuid, tbl_uuid, columns from sight
        where conn_uuid = any($1::uuid[]) and tbl_uuid = any($2::uuid[])
        """,
        list(conn_uuids),
        list(tbl_uuids),
    )
    found = {(row["conn_uuid"], row["tbl_uuid"]): row["columns"] for row in rows}
    return {key: None if columns is None else frozenset(columns) for key, columns in found.items()}


async def count(tx: Transaction, db_uuid: UUID) -> int:
    """Tables of a database's index."""
    found: int = await tx.fetchval(
        "select count(*) from indexed_table where db_uuid = $1 and fingerprint <> ''", db_uuid
    )
    return found


async def _changed(tx: Transaction, after: Mapping[UUID, TableDefinition]) -> list[TableDrift]:
    """How the definitions that will be written differ from those that are there."""
    rows = await tx.fetch(
        "select tbl_uuid, definition from indexed_table where tbl_uuid = any($1::uuid[])", list(after)
    )
    found = (drift.changed(msgspec.convert(row["definition"], TableDefinition), after[row["tbl_uuid"]]) for row in rows)
    return [one for one in found if one is not None]


async def _forget(tx: Transaction, gone: Sequence[UUID]) -> None:
    if gone:
        await tx.execute(_FORGET, gone)
        await tx.execute(_REMEMBER, gone)


async def _insert(
    tx: Transaction, of: tuple[UUID, UUID], tables: Sequence[tuple[UUID, bytes, TableDefinition]]
) -> None:
    if not tables:
        return
    uuids, prints, definitions = _columns(tables)
    schemas = [definition.schema for definition in definitions]
    names = [definition.name for definition in definitions]
    await tx.execute(_INSERT, *of, uuids, schemas, names, prints, definitions)


async def _update(tx: Transaction, tables: Sequence[tuple[UUID, bytes, TableDefinition]]) -> None:
    if tables:
        await tx.execute(_UPDATE, *_columns(tables))


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _fresh_uuids(number: int) -> list[UUID]:
    """Random ones (version 4), all from one call for randomness."""
    random = os.urandom(16 * number)
    return [UUID(bytes=random[place : place + 16], version=4) for place in range(0, 16 * number, 16)]
