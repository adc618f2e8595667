"""What is kept in memory for a connection, and that sharing it changes nothing."""

import tracemalloc

from basejump_connection_indexer.domain.definition import ColumnNotes, IndexedTable, TableNotes
from basejump_connection_indexer.domain.postings import Postings
from basejump_connection_indexer.prepared import PreparedCatalog
from large_catalogs import indexed_tables, kept_tables

TENTH = (1_000, 20)
TENTH_OF_150_MB = 15_000_000


def test_a_catalog_of_ten_thousand_tables_takes_at_most_150_megabytes_of_which_this_is_a_tenth() -> None:
    PreparedCatalog(1, kept_tables(100, 20))  # whatever is made once
    tracemalloc.start()
    try:
        catalog = PreparedCatalog(1, kept_tables(*TENTH))
        for table in catalog.guard.tables():
            catalog.guard.prepared(table)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(catalog.tables) == TENTH[0]
    assert taken < TENTH_OF_150_MB


def test_tables_are_equal_when_their_columns_are_kept_once() -> None:
    read, kept = list(indexed_tables(50, 10)), kept_tables(50, 10)
    assert kept == read
    objects = {id(column) for table in kept for column in table.columns}
    assert len(objects) == len({column for table in read for column in table.columns})


def test_an_ignored_column_is_ignored_in_its_own_table_alone() -> None:
    first, second = kept_tables(2, 10)
    notes = TableNotes(columns={"id": ColumnNotes(ignore=True)})
    hidden = IndexedTable(tbl_uuid=first.tbl_uuid, definition=first.definition, notes=notes)
    guard = PreparedCatalog(1, [hidden, second]).guard
    ignored = {table.name: [column.name for column in table.columns if column.ignored] for table in guard.tables()}
    assert ignored == {first.definition.name: ["id"], second.definition.name: []}


def test_postings_give_the_documents_of_each_term_in_order() -> None:
    postings = Postings([{"b": 1.0, "a": 0.5}, {}, {"a": 0.25, "abc": 2.0}])
    assert list(postings.of("a")) == [(0, 0.5), (2, 0.25)]
    assert list(postings.of("abc")) == [(2, 2.0)]
    assert not list(postings.of("ab"))
    assert [postings.frequency(term) for term in ("a", "b", "c")] == [2, 1, 0]
    assert "b" in postings
    assert "ab" not in postings
    assert postings.beginning_with("a", at_most=5) == ["a", "abc"]
    assert postings.beginning_with("a", at_most=1) == ["a"]
    assert not Postings([]).beginning_with("a", at_most=5)
