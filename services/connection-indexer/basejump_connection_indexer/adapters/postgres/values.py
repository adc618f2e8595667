"""How values of text columns are looked up in PostgreSQL.

`::text` costs text and varchar columns nothing, their indexes included, and makes an enum comparable.
"""

from collections.abc import Sequence

from basejump_connection_indexer.adapters.postgres.quoting import quoted, relation
from basejump_connection_indexer.domain.session import Query, TextColumns
from basejump_sqlguard import TextLiteral


class PostgresValues:
    """The port's `ValueQueries`."""

    def exactly(self, table: TextColumns, phrases: Sequence[str], per_column: int) -> Query:
        """One part per column, so that each can use its own index."""
        sql = " union all ".join(
            f"(select distinct {place} as place, {column} as value"  # noqa: S608 - quoted names
            f" from {relation(table.schema, table.table)} where {column} = any($1::text[]) limit {per_column})"
            for place, column in enumerate(f"{quoted(name)}::text" for name in table.columns)
        )
        return sql, (list(phrases),)

    def ignoring_case(self, table: TextColumns, phrases: Sequence[str], per_column: int) -> Query:
        """One scan for all columns: no index would serve it."""
        cells = ", ".join(f"({place}, {quoted(column)}::text)" for place, column in enumerate(table.columns))
        sql = (
            f"select distinct cell.place, cell.value"  # noqa: S608 - quoted names
            f" from {relation(table.schema, table.table)}, lateral (values {cells}) as cell (place, value)"
            f" where pg_catalog.lower(cell.value) = any($1::text[]) limit {per_column * len(table.columns)}"
        )
        return sql, (list(phrases),)

    def holds(self, literal: TextLiteral) -> Query:
        """In the way the statement compares."""
        column = f"{quoted(literal.column)}::text"
        compared = f"pg_catalog.lower({column}) = pg_catalog.lower($1)" if literal.ignore_case else f"{column} = $1"
        sql = f"select exists (select from {relation(literal.schema, literal.table)} where {compared})"  # noqa: S608 - quoted names
        return sql, (literal.value,)

    def fold(self, value: str) -> str:
        return value.lower()
