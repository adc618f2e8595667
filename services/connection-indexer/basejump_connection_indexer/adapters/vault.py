"""The passwords of customers' databases and the keys of their buckets: sealed for their row alone."""

from uuid import UUID

import msgspec

from basejump_common.security.envelope import Envelope
from basejump_common.security.secret import Secret
from basejump_connection_indexer.adapters.database_rows import DatabaseRow
from basejump_connection_indexer.adapters.login_rows import ConnectionRow
from basejump_connection_indexer.domain.target import Target


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """What opens a bucket."""

    access_key: Secret
    secret_access_key: Secret


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

    def seal_keys(self, client_uuid: UUID, storage_uuid: UUID, keys: Keys) -> bytes:
        """What goes into the row of a bucket."""
        pair = msgspec.json.encode((keys.access_key.reveal(), keys.secret_access_key.reveal()))
        return self._envelope.encrypt(pair, context=_storage_context(client_uuid, storage_uuid))

    def keys(self, client_uuid: UUID, storage_uuid: UUID, sealed: bytes) -> Keys:
        """The keys of a bucket. Raises EnvelopeError."""
        pair = self._envelope.decrypt(sealed, context=_storage_context(client_uuid, storage_uuid))
        access_key, secret_access_key = msgspec.json.decode(pair, type=tuple[str, str])
        return Keys(access_key=Secret(access_key), secret_access_key=Secret(secret_access_key))


def _storage_context(client_uuid: UUID, storage_uuid: UUID) -> tuple[str, ...]:
    return str(client_uuid), "storage", str(storage_uuid)


def _context(client_uuid: UUID, conn_uuid: UUID) -> tuple[str, ...]:
    return str(client_uuid), "connection", str(conn_uuid)
