"""python -m basejump_connection_indexer"""

from basejump_common.runtime import run
from basejump_connection_indexer.bootstrap import bootstrap
from basejump_connection_indexer.settings import Settings


def main() -> None:
    """Serve until SIGTERM."""
    run("connection-indexer", Settings, bootstrap)


if __name__ == "__main__":
    main()
