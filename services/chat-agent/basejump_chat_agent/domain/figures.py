"""The figures that a text states."""

import re

_FIGURE = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?")


def figures(text: str) -> set[str]:
    """Each in one spelling: `1,500.0` and `1500` are the same figure."""
    return {_plain(found) for found in _FIGURE.findall(text)}


def _plain(figure: str) -> str:
    digits = figure.replace(",", "")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits
