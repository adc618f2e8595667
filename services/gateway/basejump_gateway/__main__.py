"""`python -m basejump_gateway`"""

from basejump_common.runtime import run
from basejump_gateway.bootstrap import bootstrap
from basejump_gateway.settings import Settings


def main() -> None:
    """The process."""
    run("gateway", Settings, bootstrap)


if __name__ == "__main__":
    main()
