"""`python -m basejump_chat_agent`."""

from basejump_chat_agent.bootstrap import bootstrap
from basejump_chat_agent.settings import Settings
from basejump_common.runtime import run


def main() -> None:
    """Run the service until SIGTERM."""
    run("chat-agent", Settings, bootstrap)


if __name__ == "__main__":
    main()
