"""Where and how to log in."""

import msgspec

from basejump_common.contracts.connection import DatabaseType, SslMode
from basejump_common.security.secret import Secret


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One login to one database, with all that a driver needs; the password prints as stars."""

    database_type: DatabaseType
    host: str
    port: int
    database: str
    username: str
    password: Secret
    ssl_mode: SslMode
    ssl_root_cert: str | None = None
    query: dict[str, str] = {}
