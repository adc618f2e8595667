"""Reads the tables of a PostgreSQL from its catalogs: four queries for any number of tables.

Only what the login may SELECT, table by table or column by column. Partitions are part of their parent.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter

import asyncpg

from basejump_common.errors import SchemaMissing
from basejump_connection_indexer.domain.definition import (
    ColumnDefinition,
    KeyDefinition,
    SeenTable,
    TableDefinition,
)
from basejump_connection_indexer.domain.session import CatalogRequest

_KINDS = {"r": "table", "p": "partitioned table", "v": "view", "m": "materialized view", "f": "foreign table"}

_SCHEMAS = """
    select nspname from pg_catalog.pg_namespace
    where nspname = any($1::text[]) and pg_catalog.has_schema_privilege(oid, 'USAGE')
"""

_TABLES = """
    select c.oid, n.nspname::text as schema, c.relname::text as name, c.relkind::text as kind,
           c.reltuples::float8 as rows, d.description as comment,
           pg_catalog.has_table_privilege(c.oid, 'SELECT') as whole
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    left join pg_catalog.pg_description d
        on d.objoid = c.oid and d.objsubid = 0 and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
    where n.nspname = any($1::text[]) and c.relkind::text = any($2::text[]) and not c.relispartition
      and ($3::text is null or pg_catalog.strpos(pg_catalog.lower(c.relname), pg_catalog.lower($3)) = 0)
      and (pg_catalog.has_table_privilege(c.oid, 'SELECT') or pg_catalog.has_any_column_privilege(c.oid, 'SELECT'))
    order by n.nspname, c.relname
"""

_COLUMNS = """
    select a.attrelid, a.attnum, a.attname::text as name, d.description as comment,
           pg_catalog.format_type(a.atttypid, a.atttypmod) as type, t.typcategory in ('S', 'E') as is_text
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_type t on t.oid = a.atttypid
    left join pg_catalog.pg_description d
        on d.objoid = a.attrelid and d.objsubid = a.attnum
        and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
    where a.attrelid = any($1::oid[]) and a.attnum > 0 and not a.attisdropped
      and (not a.attrelid = any($2::oid[]) or pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT'))
    order by a.attrelid, a.attnum
"""

_KEYS = """
    select conrelid, contype::text as kind, conkey, confrelid, confkey
    from pg_catalog.pg_constraint
    where conrelid = any($1::oid[]) and contype in ('p', 'f')
    order by conrelid, conname
"""


async def check_schemas(connection: "asyncpg.Connection[asyncpg.Record]", schemas: Sequence[str]) -> None:
    """Raises SchemaMissing naming those that aren't there or that the login may not use."""
    found = {row["nspname"] for row in await connection.fetch(_SCHEMAS, list(schemas))}
    if missing := [name for name in schemas if name not in found]:
        names = ", ".join(missing)
        raise SchemaMissing.field("schemas", f"the database has no schema {names} that this login may use")


async def read_catalog(connection: "asyncpg.Connection[asyncpg.Record]", request: CatalogRequest) -> list[SeenTable]:
    """Every table the login may read, by schema and name; `connection` is in a transaction. Raises SchemaMissing."""
    await check_schemas(connection, request.schemas)
    asked = list(request.schemas), _kinds(request), request.table_filter_string
    tables = await connection.fetch(_TABLES, *asked)
    oids = [row["oid"] for row in tables]
    in_part = [row["oid"] for row in tables if not row["whole"]]
    columns = await connection.fetch(_COLUMNS, oids, in_part)
    keys = await connection.fetch(_KEYS, oids)
    return _Reading(tables, columns, keys).tables()


def _kinds(request: CatalogRequest) -> list[str]:
    """`relkind`s."""
    left_out = {
        "v": not request.include_views,
        "m": not request.include_materialized_views,
        "p": not request.include_partitioned_tables,
    }
    return [kind for kind in _KINDS if not left_out.get(kind)]


class _Reading:
    """The rows of the catalogs, put together."""

    def __init__(
        self,
        tables: Sequence[asyncpg.Record],
        columns: Iterable[asyncpg.Record],
        keys: Iterable[asyncpg.Record],
    ) -> None:
        self._tables = tables
        self._names = {row["oid"]: (row["schema"], row["name"]) for row in tables}
        self._columns = {oid: list(group) for oid, group in groupby(columns, key=itemgetter("attrelid"))}
        self._numbered: dict[int, dict[int, str]] = {}
        self._keys = {oid: list(group) for oid, group in groupby(keys, key=itemgetter("conrelid"))}

    def tables(self) -> list[SeenTable]:
        return [self._table(row) for row in self._tables if row["oid"] in self._columns]

    def _table(self, row: asyncpg.Record) -> SeenTable:
        oid = row["oid"]
        columns = tuple(
            ColumnDefinition(name, kind, is_text, comment or "")
            for _, _, name, comment, kind, is_text in self._columns[oid]
        )
        primary, foreign = self._keys_of(oid)
        definition = TableDefinition(
            schema=row["schema"],
            name=row["name"],
            kind=_KINDS[row["kind"]],
            columns=columns,
            comment=row["comment"] or "",
            primary_key=primary,
            foreign_keys=foreign,
            # -1: never counted.
            rows=int(row["rows"]) if row["rows"] >= 0 else None,
        )
        return SeenTable(definition=definition, visible=None if row["whole"] else tuple(c.name for c in columns))

    def _keys_of(self, oid: int) -> tuple[tuple[str, ...], tuple[KeyDefinition, ...]]:
        primary: tuple[str, ...] = ()
        foreign = []
        for _, kind, key, target, target_key in self._keys.get(oid, ()):
            columns = self._spelled(oid, key)
            if kind == "p":
                primary = columns or ()
            elif columns and (references := self._spelled(target, target_key)):
                foreign.append(KeyDefinition(columns, *self._names[target], references))
        return primary, tuple(foreign)

    def _spelled(self, oid: int, numbers: Sequence[int]) -> tuple[str, ...] | None:
        """The names of columns by number; None when one of them, or the table, may not be seen."""
        names = self._numbered.get(oid)
        if names is None:
            names = self._numbered[oid] = {row["attnum"]: row["name"] for row in self._columns.get(oid, ())}
        found = tuple(names[number] for number in numbers if number in names)
        return found if len(found) == len(numbers) else None
