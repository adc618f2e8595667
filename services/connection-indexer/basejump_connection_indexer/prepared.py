"""Catalogs made ready for retrieval and proof, kept in memory while the index and the grant are the same."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from uuid import UUID

from basejump_common.errors import NotFound
from basejump_common.storage.database import Database
from basejump_connection_indexer.adapters import database_rows, index_rows, login_rows
from basejump_connection_indexer.adapters.grant_rows import GrantedConnection
from basejump_connection_indexer.domain.definition import IndexedTable, KeptOnce
from basejump_connection_indexer.domain.engine import schemas_of
from basejump_connection_indexer.domain.guard import guard_catalog
from basejump_connection_indexer.domain.retrieval import RetrievalIndex
from basejump_connection_indexer.domain.schema_names import differing
from basejump_connection_indexer.domain.scope import Scope
from basejump_connection_indexer.domain.session import may_search


class PreparedCatalog:
    """What one connection sees, as far as a grant opens it, at one version of the index."""

    def __init__(
        self, version: int, tables: Sequence[IndexedTable], schemas: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.version = version
        self.schemas = schemas
        """By its name in the index: what the login's database calls a schema that it knows under another name."""
        self.tables = {table.tbl_uuid: table for table in tables}
        self.retrieval = RetrievalIndex(tables)
        self.guard = guard_catalog(tables if not schemas else [table.in_schemas(schemas) for table in tables])
        self.not_searched = frozenset(
            (schemas.get(table.definition.schema, table.definition.schema), table.definition.name, column)
            for table in tables
            for column in table.notes.columns
            if not may_search(table, column)
        )
        """Schema (as the database calls it), table and name of columns whose values may not be looked for."""
        self._named = {(self.physical(t.definition.schema), t.definition.name): t for t in tables}
        self.logical_names = {physical: logical for logical, physical in schemas.items()}
        """What the index calls a schema that the login's database knows under another name."""

    def named(self, schema: str, name: str) -> IndexedTable | None:
        """The table that a proof calls so: by the name that the database has for its schema."""
        return self._named.get((schema, name))

    def physical(self, schema: str) -> str:
        """What the database calls a schema of the index."""
        return self.schemas.get(schema, schema)

    def logical(self, schema: str) -> str:
        """What the index calls a schema of the database."""
        return self.logical_names.get(schema, schema)


_Key = tuple[UUID, Scope]
"""A connection, and what of it a grant opens."""


class PreparedCatalogs:
    """The most recently used ones, at most `most_tables` tables together (but always the last one)."""

    def __init__(self, database: Database, most_tables: int) -> None:
        self._database = database
        self._most_tables = most_tables
        self._kept: OrderedDict[_Key, PreparedCatalog] = OrderedDict()
        self._making: dict[_Key, asyncio.Lock] = {}

    async def get(self, client_uuid: UUID, granted: GrantedConnection) -> PreparedCatalog:
        """The catalog of a connection whose grant has been checked; made once however many ask at a time."""
        key = granted.conn_uuid, granted.scope
        lock = self._making.setdefault(key, asyncio.Lock())
        async with lock:
            kept = self._kept.get(key)
            if kept is None or kept.version != granted.index_version:
                kept = await self._prepare(client_uuid, granted)
                self._kept[key] = kept
                self._make_room()
            self._kept.move_to_end(key)
            return kept

    def forget(self, conn_uuid: UUID) -> None:
        """What was prepared for a connection that is gone."""
        for key in [key for key in self._kept if key[0] == conn_uuid]:
            del self._kept[key]
            self._making.pop(key, None)

    async def _prepare(self, client_uuid: UUID, granted: GrantedConnection) -> PreparedCatalog:
        once = KeptOnce()
        async with self._database.tenant(client_uuid) as tx:
            seen = index_rows.seen_by(tx, granted.conn_uuid)
            tables = [once.table(table) async for page in seen for table in granted.scope.narrow(page)]
            row = await database_rows.find(tx, granted.db_uuid)
            login = await login_rows.find(tx, granted.conn_uuid)
        if row is None or login is None:
            raise NotFound("the connection is gone")
        # Seconds of work for ten thousand tables: other requests go on meanwhile.
        schemas = differing(schemas_of(row, login))
        return await asyncio.to_thread(PreparedCatalog, granted.index_version, tables, schemas)

    def _make_room(self) -> None:
        total = sum(len(catalog.tables) for catalog in self._kept.values())
        while total > self._most_tables and len(self._kept) > 1:
            key, oldest = self._kept.popitem(last=False)
            self._making.pop(key, None)
            total -= len(oldest.tables)
