"""A catalog as a JSON file: what `basejump catalog dump` writes and `basejump sql check` reads.

{"tables": [{"schema": "hr" or null, "name": "employees",
             "columns": [{"name": "id", "type": "int4", "ignore": false}],
             "primary_key": ["id"],
             "foreign_keys": [{"columns": ["department_id"],
                               "references": {"schema": "hr", "table": "departments", "columns": ["id"]}}]}]}
"""

import msgspec

from basejump_sqlguard import Catalog, CatalogColumn, CatalogKey, CatalogTable


class Column(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`ignore`: it is there, and no query may use it."""

    name: str
    type: str = ""
    ignore: bool = False


class References(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a foreign key points; the columns in the key's order."""

    schema: str | None = None
    table: str
    columns: tuple[str, ...]


class ForeignKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A foreign key of a table."""

    columns: tuple[str, ...]
    references: References


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table or view. `schema` is null where the database has none; `ignore` as for columns."""

    schema: str | None = None
    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    ignore: bool = False


class CatalogFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    tables: tuple[Table, ...]

    def catalog(self) -> Catalog:
        """Prepared for proofs."""
        return Catalog([_guarded(table) for table in self.tables])


def _guarded(table: Table) -> CatalogTable:
    return CatalogTable(
        schema=table.schema or "",
        name=table.name,
        columns=tuple(CatalogColumn(name=c.name, type=c.type, ignored=c.ignore) for c in table.columns),
        primary_key=table.primary_key,
        foreign_keys=tuple(_key(key) for key in table.foreign_keys),
        ignored=table.ignore,
    )


def _key(key: ForeignKey) -> CatalogKey:
    return CatalogKey(
        columns=key.columns,
        references_schema=key.references.schema or "",
        references_table=key.references.table,
        references_columns=key.references.columns,
    )
