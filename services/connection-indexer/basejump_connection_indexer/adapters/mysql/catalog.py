"""Reads the tables of a MySQL or MariaDB from information_schema: four queries for any number of tables.

A schema is a database there. Only what the login may SELECT, column by column: a column that it may not isn't listed.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from basejump_common.errors import SchemaMissing
from basejump_connection_indexer.domain.definition import ColumnDefinition, KeyDefinition, SeenTable, TableDefinition
from basejump_connection_indexer.domain.session import CatalogRequest, Fetch, Row

_KINDS = {"BASE TABLE": "table", "SYSTEM VERSIONED": "table", "VIEW": "view", "SYSTEM VIEW": "view"}
_TEXTS = frozenset(("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"))

_SCHEMAS = "select schema_name, @@lower_case_table_names from information_schema.schemata"
_TABLES = """
    select table_schema, table_name, table_type, table_rows, table_comment, coalesce(create_options, '')
    from information_schema.tables where table_schema in ({schemas}) order by table_schema, table_name
"""
_COLUMNS = """
    select table_schema, table_name, column_name, column_type, data_type, column_comment
    from information_schema.columns where table_schema in ({schemas}) and find_in_set('select', privileges)
    order by table_schema, table_name, ordinal_position
"""
_KEYS = """
    select table_schema, table_name, constraint_name, column_name,
           referenced_table_schema, referenced_table_name, referenced_column_name
    from information_schema.key_column_usage
    where table_schema in ({schemas}) and (constraint_name = 'PRIMARY' or referenced_table_name is not null)
    order by table_schema, table_name, constraint_name, ordinal_position
"""

Name = tuple[str, str]


async def schemas_seen(fetch: Fetch) -> Callable[[str], bool]:
    """Which schemas are there and may be used by the login."""
    rows = await fetch((_SCHEMAS, ()))
    folded = bool(rows and rows[0][1])
    found = {name.lower() if folded else name for name, _ in rows}
    return lambda name: (name.lower() if folded else name) in found


def check_schemas(schemas: Sequence[str], seen: Callable[[str], bool]) -> None:
    """Raises SchemaMissing naming those that aren't there or that the login may not use."""
    if missing := [name for name in schemas if not seen(name)]:
        names = ", ".join(missing)
        raise SchemaMissing.field("schemas", f"the server has no database {names} that this login may use")


async def read_catalog(fetch: Fetch, request: CatalogRequest) -> list[SeenTable]:
    """Every table the login may read, by schema and name. Raises SchemaMissing."""
    check_schemas(request.schemas, await schemas_seen(fetch))
    places = ", ".join("?" * len(request.schemas))
    tables, columns, keys = [
        await fetch((query.format(schemas=places), request.schemas)) for query in (_TABLES, _COLUMNS, _KEYS)
    ]
    reading = _Reading(columns, keys)
    return [reading.table(row) for row in tables if _is_wanted(row, request) and reading.sees((row[0], row[1]))]


def _is_wanted(row: Row, request: CatalogRequest) -> bool:
    _, name, kind, _, _, options = row
    left_out = request.table_filter_string
    return (
        kind in _KINDS
        and (request.include_views or _KINDS[kind] != "view")
        and (request.include_partitioned_tables or not _is_partitioned(options))
        and (left_out is None or left_out.lower() not in name.lower())
    )


def _is_partitioned(options: str) -> bool:
    return "partitioned" in options


class _Reading:
    """The rows of information_schema, put together."""

    def __init__(self, columns: Iterable[Row], keys: Iterable[Row]) -> None:
        self._columns = {name: list(group) for name, group in groupby(columns, key=_name)}
        self._named = {name: {row[2] for row in group} for name, group in self._columns.items()}
        self._keys = {name: list(group) for name, group in groupby(keys, key=_name)}

    def sees(self, name: Name) -> bool:
        return name in self._columns

    def table(self, row: Row) -> SeenTable:
        schema, table, kind, rows, comment, options = row
        primary, foreign = self._keys_of((schema, table))
        definition = TableDefinition(
            schema=schema,
            name=table,
            kind="partitioned table" if _is_partitioned(options) else _KINDS[kind],
            columns=tuple(
                ColumnDefinition(name, type_, data_type.lower() in _TEXTS, comment or "")
                for _, _, name, type_, data_type, comment in self._columns[schema, table]
            ),
            # A view's is the word VIEW, by the server.
            comment="" if _KINDS[kind] == "view" else comment or "",
            primary_key=primary,
            foreign_keys=foreign,
            rows=rows,
        )
        return SeenTable(definition=definition)

    def _keys_of(self, name: Name) -> tuple[tuple[str, ...], tuple[KeyDefinition, ...]]:
        """The primary key and the foreign ones; none of which a column, or the other table, may not be seen."""
        primary: tuple[str, ...] = ()
        foreign = []
        for constraint, group in groupby(self._keys.get(name, ()), key=lambda row: row[2]):
            rows = list(group)
            columns, target = tuple(row[3] for row in rows), (rows[0][4], rows[0][5])
            references = tuple(row[6] for row in rows)
            if not self._sees_all(name, columns):
                continue
            if constraint == "PRIMARY":
                primary = columns
            elif self._sees_all(target, references):
                foreign.append(KeyDefinition(columns, *target, references))
        return primary, tuple(foreign)

    def _sees_all(self, name: Name, columns: Iterable[str]) -> bool:
        return self._named.get(name, set()).issuperset(columns)


def _name(row: Row) -> Name:
    return row[0], row[1]
