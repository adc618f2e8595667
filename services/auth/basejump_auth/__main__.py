"""python -m basejump_auth"""

from basejump_auth.bootstrap import bootstrap
from basejump_auth.settings import Settings
from basejump_common.runtime import run


def main() -> None:
    """Serve until SIGTERM."""
    run("auth", Settings, bootstrap)


if __name__ == "__main__":
    main()
