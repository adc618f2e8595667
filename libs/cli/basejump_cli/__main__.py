"""`python -m basejump_cli` is the `basejump` command."""

from basejump_cli.app import main

if __name__ == "__main__":
    main()
