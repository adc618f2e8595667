"""Names in SQL that we write ourselves."""


def quoted(name: str) -> str:
    """An identifier, whatever is in it."""
    return "`" + name.replace("`", "``") + "`"


def relation(schema: str, table: str) -> str:
    """A table by its whole name."""
    return f"{quoted(schema)}.{quoted(table)}"
