"""Diagrams in Mermaid's language, whatever the database's names are."""

import re
from uuid import uuid4

import pytest

from basejump_common.contracts.connection import Column, ForeignKey, Table
from basejump_connection_indexer.domain.erd import erd

# What Mermaid's documents say of a diagram: entities, their attributes, relations between them.
_ENTITY = r'"[^"%\\\r\n]+"'
_WORD = r"[A-Za-z_][A-Za-z0-9_()\[\]-]*"
_LINES = [
    rf"    {_ENTITY}( {{)?",
    rf'        {_WORD} {_WORD}( (PK|FK)(, FK)?)?( "[^"]*")?',
    r"    }",
    rf'    {_ENTITY} (\}}o|\|o)--\|\| {_ENTITY} : "[^"]*"',
]


def table(name: str, columns: str, *, key: tuple[str, ...] = ("id",), to: dict[str, str] | None = None) -> Table:
    """Columns are `name:type`; `to` says which of them references the `id` of which table."""
    to = to or {}
    return Table(
        tbl_uuid=uuid4(),
        db_uuid=uuid4(),
        schema_name="s",
        table_name=name,
        table_type="table",
        primary_keys=key,
        foreign_keys=tuple(
            ForeignKey(columns=(own,), references_schema="s", references_table=other, references_columns=("id",))
            for own, other in to.items()
        ),
        columns=tuple(
            Column(
                col_uuid=uuid4(),
                column_name=column,
                column_type=kind,
                primary_key=column in key,
                foreign_key_table_name=to.get(column),
            )
            for column, _, kind in (part.partition(":") for part in columns.split("|"))
        ),
    )


def drawn(*tables: Table) -> list[str]:
    text = erd(tables, 1_000_000)
    assert text is not None
    lines = text.splitlines()
    assert lines[0] == "erDiagram"
    assert not [line for line in lines[1:] if not any(re.fullmatch(form, line) for form in _LINES)]
    return lines[1:]


def test_columns_keys_and_relations() -> None:
    person = table("person", "id:integer|name:character varying(40)")
    badge = table("badge", "id:integer", to={"id": "person"})
    visit = table("visit", "id:bigint|guest:integer|price:numeric(10,2)", to={"guest": "person", "price": "elsewhere"})
    assert drawn(person, badge, visit) == [
        '    "s.person" {',
        "        integer id PK",
        "        character_varying(40) name",
        "    }",
        '    "s.badge" {',
        "        integer id PK, FK",
        "    }",
        '    "s.visit" {',
        "        bigint id PK",
        "        integer guest FK",
        "        numeric(10_2) price FK",
        "    }",
        '    "s.badge" |o--|| "s.person" : "id"',
        '    "s.visit" }o--|| "s.person" : "guest"',
    ]


@pytest.mark.parametrize("odd", ['a"b', "100%", "back\\slash", "new\nline", "Größe in €", "1st", "}", "--", " ", "表"])
def test_odd_names_stay_a_diagram(odd: str) -> None:
    lines = drawn(table(odd, f"{odd}:{odd}|id:int", to={odd: "other"}), table("other", "id:int"))
    assert len(lines) == 8


def test_a_diagram_that_is_too_long_tells_less() -> None:
    tables = [table(f"t{n}", "id:int|other:int|a:text|b:text|c:text", to={"other": "t0"}) for n in range(50)]
    whole, keys, names = (erd(tables, longest) for longest in (10_000, 6_000, 3_500))
    assert whole is not None
    assert keys is not None
    assert names is not None
    assert ("text a" in whole, "int other FK" in whole) == (True, True)
    assert ("text a" in keys, "int other FK" in keys) == (False, True)
    assert ("int other FK" in names, '"s.t9" }o--|| "s.t0"' in names) == (False, True)
    assert erd(tables, 1_000) is None
