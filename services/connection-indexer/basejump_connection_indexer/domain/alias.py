"""What a database is called when nobody named it."""

from collections.abc import Collection

LONGEST = 200


def free_alias(database_name: str, taken: Collection[str]) -> str:
    """The database's own name, numbered from 2 when that is taken."""
    alias = database_name[:LONGEST]
    number = 1
    while alias in taken:
        number += 1
        alias = f"{database_name[: LONGEST - 8]} {number}"
    return alias
