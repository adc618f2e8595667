"""What connection-indexer answers: each operation and its function."""

from typing import Any

from basejump_common.bus import Endpoint, handle
from basejump_common.contracts import connection, storage
from basejump_connection_indexer.comparing import Comparing
from basejump_connection_indexer.connections import Connections
from basejump_connection_indexer.databases import Databases
from basejump_connection_indexer.erasing import Erasing
from basejump_connection_indexer.grants import Grants
from basejump_connection_indexer.importing import Imports
from basejump_connection_indexer.looking_up import LookUps
from basejump_connection_indexer.notes import Notes
from basejump_connection_indexer.retrieving import Retrieving
from basejump_connection_indexer.statements import Statements
from basejump_connection_indexer.storages import Storages
from basejump_connection_indexer.stored import Stored
from basejump_connection_indexer.tables import Tables


def handlers(
    databases: Databases, connections: Connections, imports: Imports, grants: Grants, tables: Tables, erasing: Erasing
) -> tuple[Endpoint[Any, Any], ...]:
    """The table of contents of the service; what questions need is below."""
    return (
        handle(connection.CREATE_DATABASE, databases.create),
        handle(connection.TEST_DATABASE, databases.test),
        handle(connection.LIST_DATABASES, databases.page),
        handle(connection.GET_DATABASE, databases.get),
        handle(connection.UPDATE_DATABASE, databases.update),
        handle(connection.DELETE_DATABASE, databases.delete),
        handle(connection.INDEX_STATUS, databases.index_status),
        handle(connection.LIST_CONNECTIONS, connections.page),
        handle(connection.GET_CONNECTION, connections.get),
        handle(connection.CREATE_CONNECTION, connections.create),
        handle(connection.IMPORT_CONNECTIONS, imports.run),
        handle(connection.UPDATE_CONNECTION, connections.update),
        handle(connection.DELETE_CONNECTION, connections.delete),
        handle(connection.GRANT_TEAMS, grants.add),
        handle(connection.LIST_GRANTS, grants.of_connection),
        handle(connection.REVOKE_GRANT, grants.remove),
        handle(connection.LIST_TEAM_CONNECTIONS, grants.of_team),
        handle(connection.LIST_TABLES, tables.page),
        handle(connection.GET_TABLE, tables.get),
        handle(connection.DRAW_DATABASE, tables.draw),
        handle(connection.ERASE_CLIENT, erasing.erase),
    )


def handlers_of_questions(
    retrieving: Retrieving, look_ups: LookUps, statements: Statements, stored: Stored
) -> tuple[Endpoint[Any, Any], ...]:
    """What is answered about customers' data, and results that are kept."""
    return (
        handle(connection.RETRIEVE, retrieving.retrieve),
        handle(connection.FIND_VALUES, look_ups.find),
        handle(connection.PROVE, statements.prove),
        handle(connection.RUN, statements.run),
        handle(connection.STOP_RUN, statements.stop),
        handle(connection.CHECK_GRANTS, stored.held),
        handle(connection.READ_RUN, stored.read),
        handle(connection.OPEN_RUN, stored.open),
        handle(connection.FORGET_RUNS, stored.forget),
        handle(connection.COMPARE_RUNS, Comparing(stored).compare),
    )


def handlers_of_notes(notes: Notes) -> tuple[Endpoint[Any, Any], ...]:
    """What admins write about tables."""
    return (
        handle(connection.UPDATE_TABLE, notes.update_table),
        handle(connection.UPDATE_COLUMNS, notes.update_columns),
        handle(connection.LIST_TABLE_CHANGES, notes.changes),
    )


def handlers_of_storages(storages: Storages) -> tuple[Endpoint[Any, Any], ...]:
    """Clients' own buckets."""
    return (
        handle(storage.CREATE_STORAGE, storages.create),
        handle(storage.GET_STORAGE_IN_USE, storages.in_use),
        handle(storage.LIST_STORAGES, storages.page),
        handle(storage.MIGRATION_STATUS, storages.migration_status),
        handle(storage.GET_STORAGE, storages.get),
        handle(storage.UPDATE_STORAGE, storages.update),
        handle(storage.DELETE_STORAGE, storages.delete),
        handle(storage.ACTIVATE_STORAGE, storages.activate),
        handle(storage.DEACTIVATE_STORAGE, storages.deactivate),
    )
