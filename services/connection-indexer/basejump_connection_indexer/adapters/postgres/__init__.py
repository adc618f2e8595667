"""PostgreSQL, by asyncpg."""

from basejump_connection_indexer.adapters.postgres.connect import log_in

__all__ = ["log_in"]
