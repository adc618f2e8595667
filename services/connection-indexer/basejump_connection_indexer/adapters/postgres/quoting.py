"""Names in SQL that we write ourselves."""


def quoted(name: str) -> str:
    """An identifier, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def relation(schema: str, table: str) -> str:
    """A table by its whole name."""
    return f"{quoted(schema)}.{quoted(table)}"


def literal(text: str) -> str:
    """A string constant, for the few settings that take no parameter. ValueError when it isn't plain ASCII."""
    if not (text.isascii() and text.isprintable()) or "\\" in text:
        raise ValueError("not a plain text")
    return "'" + text.replace("'", "''") + "'"
