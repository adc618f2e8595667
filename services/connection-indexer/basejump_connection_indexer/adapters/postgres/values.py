"""How values of text columns are looked up in PostgreSQL.

`::text` costs text and varchar columns nothing, their indexes included, and makes an enum comparable.
"""

from collections.abc import Sequence

from basejump_connection_indexer.adapters.postgres.quoting import quoted, relation
from basejump_connection_indexer.domain.likeness import Shape
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
        where = "pg_catalog.lower(cell.value) = any($1::text[])"
        return _cells(table, where, per_column * len(table.columns)), (list(phrases),)

    def shaped(self, table: TextColumns, shapes: Sequence[Shape], most: int) -> Query:
        """One scan for all columns, the cheaper test first; a trigram index serves ILIKE on one of them."""
        where = " or ".join(
            f"(pg_catalog.length(cell.value) between {one.shortest} and {one.longest} and cell.value ilike ${number})"
            for number, one in enumerate(shapes, start=1)
        )
        return _cells(table, where, most), tuple(shape.like for shape in shapes)

    def holds(self, literal: TextLiteral) -> Query:
        """In the way the statement compares."""
        column = f"{quoted(literal.column)}::text"
        if literal.pattern:
            compared = f"{column} ilike $1" if literal.ignore_case else f"{column} like $1"
        else:
            compared = f"pg_catalog.lower({column}) = pg_catalog.lower($1)" if literal.ignore_case else f"{column} = $1"
        sql = f"select exists (select from {relation(literal.schema, literal.table)} where {compared})"  # noqa: S608 - quoted names
        return sql, (literal.value,)

    def fold(self, value: str) -> str:
        return value.lower()


def _cells(table: TextColumns, where: str, most: int) -> str:
    """Different values of the columns; for one column the planner takes this apart and may use its index."""
    cells = ", ".join(f"({place}, {quoted(column)}::text)" for place, column in enumerate(table.columns))
    return (
        f"select distinct cell.place, cell.value from {relation(table.schema, table.table)},"  # noqa: S608 - quoted names
        f" lateral (values {cells}) as cell (place, value) where {where} limit {most}"
    )
