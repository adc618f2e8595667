"""What a statement rests on: equal while nothing of it has changed, and other when anything has."""

from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from basejump_common.contracts.connection import DatabaseType, SslMode
from basejump_common.security.secret import Secret
from basejump_connection_indexer.domain.definition import (
    ColumnDefinition,
    ColumnNotes,
    IndexedTable,
    TableDefinition,
    TableNotes,
)
from basejump_connection_indexer.domain.ground import ground
from basejump_connection_indexer.domain.target import Target

CONN = uuid4()
COLUMNS = (ColumnDefinition("id", "integer"), ColumnDefinition("city", "text"))
CUSTOMER = TableDefinition(schema="shop", name="customer", kind="table", columns=COLUMNS, primary_key=("id",), rows=5)
TABLE = IndexedTable(tbl_uuid=UUID(int=1), definition=CUSTOMER, notes=TableNotes())
TARGET = Target(
    database_type=DatabaseType.POSTGRES,
    host="db",
    port=5432,
    database="shop",
    username="reader",
    password=Secret("x"),
    ssl_mode=SslMode.REQUIRE,
)
BEFORE = ground(CONN, TARGET, [("shop", TABLE)])


def defined(**changes: Any) -> IndexedTable:
    """The table with another definition."""
    return msgspec.structs.replace(TABLE, definition=msgspec.structs.replace(CUSTOMER, **changes))


@pytest.mark.parametrize(
    "table",
    [
        defined(columns=(*COLUMNS, ColumnDefinition("joined", "date"))),
        defined(columns=COLUMNS[:1]),
        defined(columns=(COLUMNS[0], ColumnDefinition("city", "varchar(40)"))),
        defined(kind="view"),
        defined(primary_key=()),
        defined(name="client"),
        defined(schema="market"),
    ],
)
def test_another_definition_is_another_schema(table: IndexedTable) -> None:
    assert ground(CONN, TARGET, [("shop", table)]).schema != BEFORE.schema


def test_words_about_a_table_its_rows_and_the_order_of_tables_change_nothing() -> None:
    described = defined(comment="Who buys", rows=1_000_000, columns=COLUMNS[::-1])
    assert ground(CONN, TARGET, [("shop", described)]) == BEFORE
    other = msgspec.structs.replace(defined(name="purchase"), tbl_uuid=UUID(int=2))
    both = [("shop", TABLE), ("shop", other)]
    assert ground(CONN, TARGET, both) == ground(CONN, TARGET, both[::-1])


@pytest.mark.parametrize("changes", [{"username": "b"}, {"host": "b"}, {"port": 1}, {"database": "b"}])
def test_another_login_has_other_permissions_to_the_same_schema(changes: dict[str, Any]) -> None:
    after = ground(CONN, msgspec.structs.replace(TARGET, **changes), [("shop", TABLE)])
    assert (after.schema, after.permissions != BEFORE.permissions) == (BEFORE.schema, True)


def test_so_has_another_connection_another_name_of_the_schema_and_who_sees_less() -> None:
    narrowed = msgspec.structs.replace(TABLE, visible=frozenset({"id"}))
    ignoring = msgspec.structs.replace(TABLE, notes=TableNotes(columns={"city": ColumnNotes(ignore=True)}))
    for after in (
        ground(uuid4(), TARGET, [("shop", TABLE)]),
        ground(CONN, TARGET, [("shop_eu", TABLE)]),
        ground(CONN, TARGET, [("shop", narrowed)]),
        ground(CONN, TARGET, [("shop", ignoring)]),
    ):
        assert (after.schema, after.permissions != BEFORE.permissions) == (BEFORE.schema, True)


def test_a_new_password_changes_nothing() -> None:
    assert ground(CONN, msgspec.structs.replace(TARGET, password=Secret("y")), [("shop", TABLE)]) == BEFORE
