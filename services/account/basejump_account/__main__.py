"""python -m basejump_account"""

from basejump_account.bootstrap import bootstrap
from basejump_account.settings import Settings
from basejump_common.runtime import run


def main() -> None:
    """Serve until SIGTERM."""
    run("account", Settings, bootstrap)


if __name__ == "__main__":
    main()
