"""What of a connection's view a team's grant opens."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from basejump_common.contracts.connection import TableScope
from basejump_common.errors import InvalidInput
from basejump_connection_indexer.domain.definition import IndexedTable, TableDefinition

Rules = dict[str, set[str] | None]
"""By `schema.table`: the columns that are meant, None: all, also those that are added later."""


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """`allow` None: everything. What is denied is denied, allowed or not. Tables are `schema.table`."""

    allow: tuple[TableScope, ...] | None = None
    deny: tuple[TableScope, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Nothing is left out."""
        return self.allow is None and not self.deny

    def narrow(self, tables: Iterable[IndexedTable]) -> Iterator[IndexedTable]:
        """The tables, and of each the columns, that it opens; a table without any is left out."""
        if self.is_whole:
            yield from tables
            return
        allowed = None if self.allow is None else _rules(self.allow)
        denied = _rules(self.deny)
        for table in tables:
            names = _opened(table, allowed, denied)
            if len(names) == len(table.columns):
                yield table
            elif names:
                yield msgspec.structs.replace(table, visible=names)


def resolved(scopes: Sequence[TableScope], known: Sequence[TableDefinition], field: str) -> tuple[TableScope, ...]:
    """With `schema.table` for every name. Raises InvalidInput naming what isn't there, or is in several schemas."""
    found: list[TableScope] = []
    for place, scope in enumerate(scopes):
        at = f"{field}[{place}]"
        tables = [table for table in known if scope.table in (table.name, _name(table))]
        if len(tables) != 1:
            says = "several schemas have one of that name: write schema.table" if tables else "there is no such table"
            raise InvalidInput.field(f"{at}.table", f"{scope.table}: {says}")
        names = {column.name for column in tables[0].columns}
        for column in scope.columns or ():
            if column not in names:
                raise InvalidInput.field(f"{at}.columns", f"{scope.table} has no column {column}")
        found.append(msgspec.structs.replace(scope, table=_name(tables[0])))
    return tuple(found)


def _rules(scopes: Iterable[TableScope]) -> Rules:
    """Several entries for one table add up."""
    entries: defaultdict[str, list[TableScope]] = defaultdict(list)
    for scope in scopes:
        entries[scope.table].append(scope)
    return {
        table: None if any(one.columns is None for one in group) else {c for one in group for c in one.columns or ()}
        for table, group in entries.items()
    }


def _opened(table: IndexedTable, allowed: Rules | None, denied: Rules) -> frozenset[str]:
    name = _name(table.definition)
    names = {column.name for column in table.columns}
    if allowed is not None:
        opened = allowed.get(name, set())
        names &= names if opened is None else opened
    closed = denied.get(name, set())
    return frozenset() if closed is None else frozenset(names - closed)


def _name(table: TableDefinition) -> str:
    return f"{table.schema}.{table.name}"
