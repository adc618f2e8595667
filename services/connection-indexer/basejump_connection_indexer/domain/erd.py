"""Tables and the keys between them as a Mermaid entity-relationship diagram."""

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum

from basejump_common.contracts.connection import Column, ForeignKey, Table

# Mermaid's lexer: words of attributes begin with a letter or _, and what is in quotes has none of these.
_NOT_IN_WORDS = re.compile(r"[^A-Za-z0-9_()\[\]]+")
_NOT_IN_QUOTES = re.compile(r'["%\\\x00-\x1f\x7f]')


class Detail(IntEnum):
    """How much is told of a table."""

    NAME = 0
    KEYS = 1
    COLUMNS = 2


def erd(tables: Sequence[Table], longest: int) -> str | None:
    """The diagram with every column; where that is longer than `longest` bytes with those of keys, then with none.

    None when even that is too long.
    """
    for detail in sorted(Detail, reverse=True):
        text = "\n".join(["erDiagram", *_entities(tables, detail), *_relations(tables)]) + "\n"
        if len(text.encode()) <= longest:
            return text
    return None


def _entities(tables: Iterable[Table], detail: Detail) -> Iterator[str]:
    for table in tables:
        columns = [_attribute(table, column) for column in table.columns if _is_told(column, detail)]
        # Braces with nothing in them are a mistake to older versions.
        yield from ((f"    {_name(table)} {{", *columns, "    }") if columns else (f"    {_name(table)}",))


def _is_told(column: Column, detail: Detail) -> bool:
    is_key = column.primary_key or column.foreign_key_table_name is not None
    return detail is Detail.COLUMNS or (detail is Detail.KEYS and is_key)


def _attribute(table: Table, column: Column) -> str:
    keys = ", ".join(
        word
        for word, holds in (
            ("PK", column.primary_key),
            ("FK", any(column.column_name in key.columns for key in table.foreign_keys)),
        )
        if holds
    )
    name = _word(column.column_name)
    comment = "" if name == column.column_name else _quoted(column.column_name)
    return " ".join(part for part in ("       ", _word(column.column_type), name, keys, comment) if part)


def _relations(tables: Sequence[Table]) -> Iterator[str]:
    known = {(table.schema_name, table.table_name): table for table in tables}
    for table in tables:
        for key in table.foreign_keys:
            parent = known.get((key.references_schema, key.references_table))
            if parent is not None:
                yield f"    {_name(table)} {_line(table, key)} {_name(parent)} : {_quoted(', '.join(key.columns))}"


def _line(table: Table, key: ForeignKey) -> str:
    """Many rows, or one where the key is the table's own as well, to one row."""
    is_one = bool(table.primary_keys) and set(table.primary_keys) <= set(key.columns)
    return "|o--||" if is_one else "}o--||"


def _name(table: Table) -> str:
    return _quoted(f"{table.schema_name}.{table.table_name}")


def _quoted(text: str) -> str:
    return f'"{_NOT_IN_QUOTES.sub("_", text)}"'


def _word(text: str) -> str:
    word = _NOT_IN_WORDS.sub("_", text).strip("_") or "_"
    return word if word[0].isalpha() or word[0] == "_" else f"_{word}"
