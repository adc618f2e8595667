"""How values of text columns are looked up in MySQL and MariaDB: as the column's own collation compares."""

import unicodedata
from collections.abc import Sequence

from basejump_connection_indexer.adapters.mysql.quoting import quoted, relation
from basejump_connection_indexer.domain.likeness import Shape
from basejump_connection_indexer.domain.session import Query, TextColumns
from basejump_sqlguard import TextLiteral


class MysqlValues:
    """The port's `ValueQueries`."""

    def exactly(self, table: TextColumns, phrases: Sequence[str], per_column: int) -> Query:
        """One part per column, so that each can use its own index. Most collations ignore case, many accents."""
        sql = " union all ".join(
            f"(select distinct {place}, {_text(column)} from {relation(table.schema, table.table)}"  # noqa: S608 - quoted names
            f" where {column} in ({_places(phrases)}) limit {per_column})"
            for place, column in enumerate(map(quoted, table.columns))
        )
        return sql, tuple(phrases) * len(table.columns)

    def ignoring_case(self, table: TextColumns, phrases: Sequence[str], per_column: int) -> Query:
        """One scan for all columns: no index would serve it."""
        where = f"lower(value) in ({_places(phrases)})"
        return _cells(table, where, per_column * len(table.columns)), tuple(phrases)

    def shaped(self, table: TextColumns, shapes: Sequence[Shape], most: int) -> Query:
        """One scan for all columns; compared as the connection's collation does, without case and accents."""
        where = " or ".join(
            f"(char_length(value) between {shape.shortest} and {shape.longest} and value like ?)" for shape in shapes
        )
        return _cells(table, where, most), tuple(shape.like for shape in shapes)

    def holds(self, literal: TextLiteral) -> Query:
        """In the way the statement compares."""
        column, operator = quoted(literal.column), "like" if literal.pattern else "="
        compared = f"lower({column}) {operator} lower(?)" if literal.ignore_case else f"{column} {operator} ?"
        sql = f"select exists (select 1 from {relation(literal.schema, literal.table)} where {compared})"  # noqa: S608 - quoted names
        return sql, (literal.value,)

    def fold(self, value: str) -> str:
        """Without case, accents and spaces at the end, which collations ignore."""
        apart = unicodedata.normalize("NFKD", value.rstrip().casefold())
        return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _cells(table: TextColumns, where: str, most: int) -> str:
    """Different values of the columns, of which `where` says something."""
    places = " union all ".join(f"select {place} as place" for place in range(len(table.columns)))
    cells = " ".join(f"when {place} then {_text(quoted(name))}" for place, name in enumerate(table.columns))
    return (
        f"select distinct place, value from (select cell.place, case cell.place {cells} end as value"  # noqa: S608 - quoted names
        f" from {relation(table.schema, table.table)} cross join ({places}) as cell) as cells"
        f" where {where} limit {most}"
    )


def _text(column: str) -> str:
    """Columns of several character sets in one result need a common one."""
    return f"convert({column} using utf8mb4)"


def _places(phrases: Sequence[str]) -> str:
    return ", ".join("?" * len(phrases))
