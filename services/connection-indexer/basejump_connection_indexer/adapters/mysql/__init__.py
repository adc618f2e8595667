"""MySQL and MariaDB, by asyncmy."""

from basejump_connection_indexer.adapters.mysql.connect import log_in

__all__ = ["log_in"]
