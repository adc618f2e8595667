"""What a command says when it can't do what it was asked."""


class CommandError(Exception):
    """One line for a person; `main` prints it and exits with 1."""
