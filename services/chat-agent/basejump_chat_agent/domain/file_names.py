"""Names of downloaded files."""

import unicodedata

LONGEST = 80
_KEPT = frozenset("LN")
"""Letters and digits of any script; marks that only turn or hide text are none."""


def file_name(title: str, ending: str) -> str:
    """A name that every file system takes, made of the title's words: `Customers by city.csv`."""
    plain = unicodedata.normalize("NFC", title)
    shown = "".join(sign if unicodedata.category(sign)[0] in _KEPT or sign == "-" else " " for sign in plain)
    stem = " ".join(shown.split())[:LONGEST].strip(" -")
    return f"{stem or 'result'}.{ending}"
