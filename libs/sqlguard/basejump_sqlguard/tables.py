"""Tables exist in the catalog and are permitted; afterwards each is named with its schema."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from basejump_sqlguard.catalog import Catalog, CatalogTable
from basejump_sqlguard.dialects import Rules
from basejump_sqlguard.proof import Refused
from basejump_sqlguard.system_names import is_file, is_system_table

_MOST_CHOICES = 10


def find_table(node: exp.Table, catalog: Catalog, rules: Rules) -> CatalogTable:
    """The permitted catalog table that a table node names; raises Refused."""
    name = rules.key(node.this)
    schema = _written_schema(node, rules)
    found = _in_default_schema(name, catalog) if schema is None else catalog.named(name, schema)
    found = _closest(found, name, schema)
    if len(found) > 1:
        choices = tuple(f"{t.schema}.{t.name}" for t in found if not t.ignored)[:_MOST_CHOICES]
        raise Refused("ambiguous_table", f"{name} could be any of {', '.join(choices)}.", name, choices)
    if not found or found[0].ignored:
        written = f"{schema}.{name}" if schema else name
        reason = f"{written} isn't a table that may be queried here."
        raise Refused("unknown_table", reason, where=written, suggestions=catalog.near(name))
    return found[0]


def write_table(node: exp.Table, table: CatalogTable, rules: Rules) -> None:
    """Names the table as the catalog does, schema first."""
    node.set("this", rules.identifier(table.name))
    database, _, schema = table.schema.rpartition(".") if _has_databases(rules) else ("", "", table.schema)
    node.set("db", rules.identifier(schema) if schema else None)
    node.set("catalog", rules.identifier(database) if database else None)


def check_uncatalogued(node: exp.Table, rules: Rules) -> None:
    """Without a catalog: refuses what is a system table or a file by its very name."""
    written = [*(_written_schema(node, rules) or "").split("."), str(node.this.this)]
    parts = [part for part in written if part]
    # BigQuery quotes a whole path at once; T-SQL and Snowflake leave the schema out between two dots.
    if is_system_table([word for part in written for word in part.lower().split(".")], rules.name):
        raise Refused("unknown_table", "System tables may not be queried.", where=parts[-1])
    if is_file(parts, rules.name):
        raise Refused("external_reader", "Files can't be read.", where=parts[-1])


def _has_databases(rules: Rules) -> bool:
    return rules.name in ("bigquery", "snowflake", "tsql", "redshift")


def _written_schema(node: exp.Table, rules: Rules) -> str | None:
    schema, database = node.args.get("db"), node.args.get("catalog")
    if schema is None:
        return None
    name = rules.key(schema) if schema else ""
    return f"{rules.key(database)}.{name}" if database is not None else name


def _in_default_schema(name: str, catalog: Catalog) -> Sequence[CatalogTable]:
    if not catalog.default_schemas:
        return catalog.named(name)
    for schema in catalog.default_schemas:
        here = [table for table in catalog.named(name, schema) if table.schema == schema]
        if here:
            return here
    return []


def _closest(found: Sequence[CatalogTable], name: str, schema: str | None) -> Sequence[CatalogTable]:
    """Exactly the written case wins; otherwise all that differ in case alone."""
    for exact in (
        [t for t in found if t.name == name and t.schema == (schema or t.schema)],
        [t for t in found if t.name == name],
    ):
        if exact:
            return exact
    return found
