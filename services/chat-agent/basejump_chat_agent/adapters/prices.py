"""What language models cost, from a table that the operator may replace."""

import tomllib
from pathlib import Path

import msgspec

_OWN = Path(__file__).parent.parent / "prices.toml"
_MILLION = 1_000_000


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of a million tokens."""

    input: float
    output: float


class Prices:
    """`path`: a file that adds to the table, or replaces its prices. Raises OSError, ValueError."""

    def __init__(self, path: str = "") -> None:
        self._prices = _read(_OWN) | (_read(Path(path)) if path else {})

    def cost(self, model: str, input_tokens: int, output_tokens: int) -> float | None:
        """What the tokens cost; None for a model that the table doesn't know."""
        known = [name for name in self._prices if model.startswith(name)]
        if not known:
            return None
        price = self._prices[max(known, key=len)]
        return (input_tokens * price.input + output_tokens * price.output) / _MILLION


def _read(path: Path) -> dict[str, Price]:
    return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), dict[str, Price])
