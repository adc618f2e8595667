"""The passwords of customers' databases: sealed for their row alone."""

from uuid import UUID

from basejump_common.security.envelope import Envelope
from basejump_common.security.secret import Secret
from basejump_connection_indexer.adapters.database_rows import DatabaseRow
from basejump_connection_indexer.adapters.login_rows import ConnectionRow
from basejump_connection_indexer.domain.target import Target


class Vault:
    """Seals passwords and opens them again; moved to another row or tenant they don't open."""

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope

    def seal(self, client_uuid: UUID, conn_uuid: UUID, password: Secret) -> bytes:
        """What goes into the row."""
        return self._envelope.encrypt(password.reveal().encode(), context=_context(client_uuid, conn_uuid))

    def target(self, database: DatabaseRow, connection: ConnectionRow) -> Target:
        """All that is needed to log in. Raises EnvelopeError."""
        context = _context(database.client_uuid, connection.conn_uuid)
        return Target(
            database_type=database.database_type,
            host=database.host,
            port=database.port,
            database=database.database_name,
            username=connection.username,
            password=Secret(self._envelope.decrypt(connection.password, context=context).decode()),
            ssl_mode=database.ssl_mode,
            ssl_root_cert=database.ssl_root_cert,
            query=database.query,
        )


def _context(client_uuid: UUID, conn_uuid: UUID) -> tuple[str, ...]:
    return str(client_uuid), "connection", str(conn_uuid)
